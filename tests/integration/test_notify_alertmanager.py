"""A real Alertmanager hears of events, and passes each on once."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.notify import alertmanager
from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.domain.notification import Alertmanager
from gitmodel.errors import OutsideError
from tests.support import prometheus
from tests.support.listeners import web_server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not prometheus.INSTALLED, reason="Alertmanager is not installed"
)


def _alerts(url: str) -> list[Any]:
    address = f"{url}/api/v2/alerts"
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 (ours)
        found: list[Any] = json.load(answer)
    return found


def test_alertmanager_takes_events_and_tells_its_own_receivers(tmp_path: Path) -> None:
    event = Event(
        type="rollback_failed",
        time=to_text(datetime.now(UTC)),
        reason='no known good version; "quoted" and ünïcode',
        model="fraud",
        stage="production",
        origin="1.2.0",
    )
    with web_server() as web, prometheus.alertmanager(tmp_path, web.url) as url:
        receiver = Alertmanager(url, (("team", "risk"),))
        alertmanager.send(receiver, event, {}, 5.0)
        alertmanager.send(receiver, replace(event, origin="1.1.0"), {}, 5.0)
        alertmanager.send(receiver, replace(event, stage="staging"), {}, 5.0)
        found = {each["labels"]["stage"]: each for each in _alerts(url)}
        assert set(found) == {"production", "staging"}
        alert = found["production"]
        assert alert["labels"]["alertname"] == "GitmodelRollbackFailed"
        assert (alert["labels"]["severity"], alert["labels"]["team"]) == (
            "critical",
            "risk",
        )
        assert alert["annotations"]["from"] == "1.1.0"
        assert alert["annotations"]["description"] == event.reason
        heard = prometheus.until(
            lambda: [json.loads(each.body) for each in list(web.heard)][:1],
            "Alertmanager tells of it",
        )
    assert heard[0]["alerts"][0]["labels"]["model"] == "fraud"
    assert heard[0]["alerts"][0]["status"] == "firing"


def test_an_event_of_yesterday_raises_no_alert(tmp_path: Path) -> None:
    old = to_text(datetime.now(UTC) - timedelta(days=1))
    event = Event(type="trigger_alert", time=old, model="fraud")
    with web_server() as web, prometheus.alertmanager(tmp_path, web.url) as url:
        alertmanager.send(Alertmanager(url), event, {}, 5.0)
        assert _alerts(url) == []
        with pytest.raises(OutsideError, match="404"):
            alertmanager.send(Alertmanager(f"{url}/elsewhere"), event, {}, 5.0)
