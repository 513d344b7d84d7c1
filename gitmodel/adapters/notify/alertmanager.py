"""Raises an alert in an Alertmanager of Prometheus, by version 2 of its API."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.notify.post import post
from gitmodel.adapters.notify.variables import headers
from gitmodel.domain.moment import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.event import Event
    from gitmodel.domain.notification import Alertmanager

#: An event has no end that anybody would tell; shorter, and it would be called
#: resolved before people have looked.
_LASTS = timedelta(hours=1)


def send(
    receiver: Alertmanager,
    event: Event,
    environment: Mapping[str, str],
    seconds: float,
) -> str:
    """Raise the alert, and return what the Alertmanager said.

    Raises:
        NotFoundError: A variable is not set.
        InputError: An address or a variable cannot be used.
        OutsideError: The Alertmanager cannot be told.
    """
    sent = headers(environment, receiver.headers_from_env)
    has_secret = bool(sent)
    sent["Content-Type"] = "application/json"
    body = json.dumps([alert(event, dict(receiver.labels))]).encode()
    url = f"{receiver.url}/api/v2/alerts"
    return post(url, body, sent, seconds=seconds, is_secret=has_secret)


def alert(event: Event, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the event as an alert.

    Its labels say what it is about, and so which alerts are the same; what differs
    from one time to the next is an annotation.
    """
    words = "".join(word.capitalize() for word in event.type.split("_"))
    about = {
        "alertname": f"Gitmodel{words}",
        "severity": event.urgency,
        "model": event.model,
        "stage": event.stage,
        "incident": event.incident,
        "dry_run": "true" if event.dry_run else None,
    }
    told = {
        "summary": event.text(),
        "description": event.reason,
        "from": event.origin,
        "to": event.target,
        "actor": event.actor,
        "commit": event.commit,
        "event_id": event.id,
    }
    return {
        "labels": {**labels, **_said(about)},
        "annotations": _said(told),
        "startsAt": event.time,
        "endsAt": to_text(from_text(event.time) + _LASTS),
    }


def _said(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
