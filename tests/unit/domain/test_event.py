"""Events: what receivers can rely on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gitmodel.domain.event import EVENT_TYPES, SEVERITIES, Event

ROLLBACK = Event(
    type="rollback_completed",
    time="2026-02-14T14:03:00Z",
    reason="accuracy fell",
    actor="ada",
    model="fraud",
    stage="production",
    origin="1.2.0",
    target="1.1.0",
    incident="INC-7",
    commit="c0ffee" + "0" * 34,
    details={"milliseconds": 412},
    registry="sha256:" + "a" * 64,
)


def test_an_event_is_a_cloudevent() -> None:
    found = ROLLBACK.to_cloudevent()
    assert json.loads(json.dumps(found)) == found
    assert found["specversion"] == "1.0"
    assert found["type"] == "dev.gitmodel.rollback.completed"
    assert found["source"] == "gitmodel:sha256:" + "a" * 64
    assert found["subject"] == "production/fraud"
    assert found["time"] == "2026-02-14T14:03:00Z"
    assert found["severity"] == "warning"
    assert found["data"]["from"] == "1.2.0"
    assert found["data"]["to"] == "1.1.0"
    assert found["data"]["incident"] == "INC-7"
    assert found["data"]["details"] == {"milliseconds": 412}
    names = {key for key in found if not key.isalnum() or key != key.lower()}
    assert names == set()


def test_every_type_has_a_name_and_an_urgency_of_its_own() -> None:
    events = [Event(type=name, time="2026-02-14T14:03:00Z") for name in EVENT_TYPES]
    assert len({event.name for event in events}) == len(EVENT_TYPES)
    assert {event.urgency for event in events} == set(SEVERITIES)
    for event in events:
        assert event.name.startswith("dev.gitmodel.")
        assert "subject" not in event.to_cloudevent()


def test_what_made_a_commit_has_one_id_whenever_it_is_told() -> None:
    again = replace(ROLLBACK, time="2026-02-15T00:00:00Z", reason="told again")
    assert again.id == ROLLBACK.id
    assert again.to_cloudevent()["id"] == ROLLBACK.id


@pytest.mark.parametrize(
    "other",
    [
        {"commit": "d" * 40},
        {"type": "rollback_failed"},
        {"model": "risk"},
        {"stage": "staging"},
        {"target": "1.0.0"},
        {"incident": None},
        {"dry_run": True},
        {"registry": None},
    ],
    ids=str,
)
def test_another_event_has_another_id(other: dict[str, object]) -> None:
    assert replace(ROLLBACK, **other).id != ROLLBACK.id  # type: ignore[arg-type]


def test_without_a_commit_time_and_reason_tell_events_apart() -> None:
    alert = Event(type="trigger_alert", time="2026-02-14T14:03:00Z", reason="a")
    later = replace(alert, time="2026-02-14T14:04:00Z")
    assert len({alert.id, later.id, replace(alert, reason="b").id}) == 3
    assert replace(alert).id == alert.id


def test_the_text_is_one_line_that_says_everything() -> None:
    assert ROLLBACK.text() == (
        "WARNING: rollback completed: fraud in production 1.2.0 → 1.1.0 "
        "(by ada, incident INC-7, commit c0ffee000000): accuracy fell"
    )
    assert replace(ROLLBACK, dry_run=True).text().startswith("[dry run] WARNING")
    bare = Event(type="notify_test", time="2026-02-14T14:03:00Z")
    assert bare.text() == "INFO: notify test"


def test_the_text_moves_no_cursor_and_has_an_end() -> None:
    nasty = replace(ROLLBACK, reason="a\r\nBcc: x\x1b[2J\u202e" + "y" * 5000)
    text = nasty.text()
    assert len(text) == 500
    assert text.isprintable()


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ({"info"}, True),
        ({"warning"}, True),
        ({"critical"}, False),
        ({"rollback_completed"}, True),
        ({"rollback_failed"}, False),
        ({"critical", "rollback_completed"}, True),
        (set(), False),
    ],
)
def test_types_and_least_severities_choose(wanted: set[str], heard: bool) -> None:
    assert ROLLBACK.is_heard(frozenset(wanted)) is heard


def test_an_event_may_be_more_urgent_than_usual() -> None:
    emergency = replace(ROLLBACK, severity="critical")
    assert emergency.is_heard(frozenset({"critical"}))
    assert emergency.to_cloudevent()["data"]["severity"] == "critical"
