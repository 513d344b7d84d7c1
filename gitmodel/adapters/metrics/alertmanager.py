"""What Alertmanager's webhook says, and an inbox that hears each thing once.

Version 4 of the webhook, which is the only one since 2016. Alertmanager tells every
alert again, at its leisure and after restarts; only what is new is handed on.
"""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from gitmodel.domain.alert import Alert
from gitmodel.errors import InputError
from gitmodel.formats import measured_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSION = "4"
_MOST_ALERTS = 1000
_MOST_LABELS = 100
_LONGEST = 4096
_REMEMBERED = 10_000
#: Seconds of silence after which the wire may be cut; a heartbeat comes every minute.
_PATIENCE = 600.0
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")


class FullInboxError(Exception):
    """Nobody takes what is in the inbox; tell it again later."""


class Inbox:
    """Alerts that have come, each state of each once; threads share it."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._known: dict[tuple[str, datetime], Alert] = {}
        self._fresh: list[Alert] = []
        self._heard: float | None = None
        self._change = threading.Condition()

    @property
    def has_heard(self) -> bool:
        """Whether Alertmanager has said anything lately: silence means nothing."""
        last = self._heard
        return last is not None and time.monotonic() - last <= self._patience

    def put(self, alerts: Iterable[Alert]) -> int:
        """Take alerts in, all or none; return how many are new.

        Raises:
            FullInboxError: There is no room until somebody takes some out.
        """
        with self._change:
            fresh: dict[tuple[str, datetime], Alert] = {}
            for alert in alerts:
                known = fresh.get(alert.identity) or self._known.get(alert.identity)
                # What has ended stays so: another beginning has another time.
                if known is None or (known.status, alert.status) == (
                    "firing",
                    "resolved",
                ):
                    fresh[alert.identity] = alert
            if len(self._fresh) + len(fresh) > _REMEMBERED:
                raise FullInboxError
            for identity, alert in fresh.items():
                self._known.pop(identity, None)
                self._known[identity] = alert
            self._forget()
            self._fresh += fresh.values()
            self._heard = time.monotonic()
            self._change.notify_all()
            return len(fresh)

    def take(self, timeout: float = 0.0) -> list[Alert]:
        """Return what is new since the last time, in order.

        Args:
            timeout: Seconds to wait for something new.
        """
        with self._change:
            self._change.wait_for(lambda: bool(self._fresh), timeout)
            taken, self._fresh = self._fresh, []
            return taken

    def firing(self, alertname: str, labels: Mapping[str, str]) -> list[Alert]:
        """Return the alerts of a name, with some labels, that have not ended."""
        with self._change:
            return [
                alert
                for alert in self._known.values()
                if alert.status == "firing" and alert.matches(alertname, labels)
            ]

    def _forget(self) -> None:
        """Drop the oldest, those that have ended first."""
        for status in ("resolved", "firing"):
            over = len(self._known) - _REMEMBERED
            if over <= 0:
                return
            ended = [key for key, one in self._known.items() if one.status == status]
            for key in ended[:over]:
                del self._known[key]


def parse_notification(data: bytes) -> tuple[Alert, ...]:
    """Read the body of a webhook request.

    Raises:
        InputError: It is none of version 4, or too large in some way; a clause.
    """
    document = measured_json.read(data)
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise _bad("it is no notification of version 4")
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        raise _bad("it holds no list of alerts")
    if len(alerts) > _MOST_ALERTS:
        raise _bad(f"it holds more than {_MOST_ALERTS:,} alerts")
    return tuple(map(_alert, alerts))


def _alert(body: Any) -> Alert:
    if not isinstance(body, dict):
        raise _bad("an alert is no object")
    status, fingerprint = body.get("status"), body.get("fingerprint")
    if status not in ("firing", "resolved"):
        raise _bad("an alert neither fires nor is resolved")
    if not isinstance(fingerprint, str) or not 0 < len(fingerprint) <= _MOST_LABELS:
        raise _bad("an alert has no fingerprint")
    return Alert(
        status=cast("Any", status),
        labels=_texts(body.get("labels"), "labels"),
        annotations=_texts(body.get("annotations", {}), "annotations"),
        starts_at=_moment(body.get("startsAt")),
        fingerprint=fingerprint,
    )


def _texts(value: Any, what: str) -> dict[str, str]:
    if (
        not isinstance(value, dict)
        or len(value) > _MOST_LABELS
        or not all(
            isinstance(text, str) and len(text) <= _LONGEST
            for pair in value.items()
            for text in pair
        )
    ):
        raise _bad(f"an alert's {what} are not text, too many or too long")
    return value


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _bad("an alert has no startsAt")


def _bad(why: str) -> InputError:
    return InputError(why, code="E_JSON")
