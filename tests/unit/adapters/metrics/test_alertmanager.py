from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmodel.adapters.metrics import alertmanager
from gitmodel.adapters.metrics.alertmanager import (
    FullInboxError,
    Inbox,
    parse_notification,
)
from gitmodel.domain.alert import Alert
from gitmodel.errors import InputError

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def alert(
    fingerprint: str = "f",
    status: Literal["firing", "resolved"] = "firing",
    minute: int = 0,
) -> Alert:
    labels = {"alertname": "Low", "gitmodel_model": "fraud"}
    return Alert(status, labels, {}, AT + timedelta(minutes=minute), fingerprint)


def body(**changes: Any) -> dict[str, Any]:
    """Return an alert as Alertmanager 0.25 sends it."""
    return {
        "status": "firing",
        "labels": {"alertname": "Low", "gitmodel_model": "fraud"},
        "annotations": {"summary": "it is 0.7"},
        "startsAt": "2026-03-01T13:00:00.123456789+01:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "d6bf1e2bfe6a5f3b",
    } | changes


def sent(*alerts: Any, **changes: Any) -> bytes:
    return json.dumps({"version": "4", "alerts": list(alerts)} | changes).encode()


def test_what_alertmanager_sends() -> None:
    [found] = parse_notification(sent(body()))

    assert found.status == "firing"
    assert found.labels == {"alertname": "Low", "gitmodel_model": "fraud"}
    assert found.annotations == {"summary": "it is 0.7"}
    assert found.starts_at == AT.replace(microsecond=123456)
    assert found.starts_at.tzinfo is UTC
    assert found.fingerprint == "d6bf1e2bfe6a5f3b"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"[]", "version 4"),
        (sent(version="3"), "version 4"),
        (sent(version=4), "version 4"),
        (sent(alerts={}), "no list"),
        (sent(*[body()] * 1001), "1,000"),
        (sent("alert"), "no object"),
        (sent(body(status="odd")), "neither"),
        (sent(body(status=["firing"])), "neither"),
        (sent(body(fingerprint="")), "no fingerprint"),
        (sent(body(fingerprint=7)), "no fingerprint"),
        (sent(body(fingerprint="f" * 101)), "no fingerprint"),
        (sent(body(labels=None)), "labels"),
        (sent(body(labels={"a": 1})), "labels"),
        (sent(body(labels={"a": "b" * 5000})), "labels"),
        (sent(body(labels={str(n): "" for n in range(101)})), "labels"),
        (sent(body(annotations=[])), "annotations"),
        (sent(body(startsAt=None)), "startsAt"),
        (sent(body(startsAt="yesterday")), "startsAt"),
        (sent(body(startsAt="2026-03-01T12:00:00")), "startsAt"),
        (sent(body(startsAt="0001-01-01T00:00:00+14:00")), "startsAt"),
        (b"[" * 100_000, "deep"),
    ],
)
def test_what_it_does_not_send(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_notification(data)


def test_each_state_of_an_alert_is_handed_on_once() -> None:
    inbox = Inbox()

    assert inbox.put([alert(), alert()]) == 1
    assert inbox.take() == [alert()]
    assert inbox.put([alert()]) == 0
    assert inbox.put([alert(status="resolved")]) == 1
    assert inbox.put([alert(status="resolved")]) == 0
    assert inbox.take() == [alert(status="resolved")]
    assert inbox.take() == []


def test_what_has_ended_does_not_fire_again_unless_it_begins_again() -> None:
    inbox = Inbox()
    inbox.put([alert(), alert(status="resolved")])

    assert inbox.put([alert()]) == 0
    assert inbox.firing("Low", {}) == []
    assert inbox.put([alert(minute=5)]) == 1
    assert inbox.firing("Low", {}) == [alert(minute=5)]


def test_alerts_are_found_by_name_and_labels() -> None:
    inbox = Inbox()
    inbox.put([alert()])

    assert inbox.firing("Low", {"gitmodel_model": "fraud"}) == [alert()]
    assert inbox.firing("Low", {"gitmodel_model": "churn"}) == []
    assert inbox.firing("Low", {"gitmodel_stage": "production"}) == []
    assert inbox.firing("High", {}) == []


def test_an_empty_message_has_been_heard() -> None:
    inbox = Inbox()

    assert not inbox.has_heard
    assert inbox.put([]) == 0
    assert inbox.has_heard


def test_who_waits_is_woken() -> None:
    inbox = Inbox()
    found: list[list[Alert]] = []
    thread = threading.Thread(target=lambda: found.append(inbox.take(20)))
    thread.start()
    inbox.put([alert()])
    thread.join(20)

    assert found == [[alert()]]


def test_a_full_inbox_takes_all_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alertmanager, "_REMEMBERED", 3)
    inbox = Inbox()
    inbox.put(map(alert, "ab"))

    with pytest.raises(FullInboxError):
        inbox.put(map(alert, "cd"))

    assert [each.fingerprint for each in inbox.take()] == ["a", "b"]
    assert inbox.put(map(alert, "cd")) == 2


def test_what_has_ended_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alertmanager, "_REMEMBERED", 3)
    inbox = Inbox()
    inbox.put([alert("a"), alert("b"), alert("b", "resolved")])
    inbox.take()
    inbox.put([alert("c"), alert("d")])

    assert [each.fingerprint for each in inbox.firing("Low", {})] == ["a", "c", "d"]


tellings = st.lists(
    st.builds(
        alert,
        st.sampled_from("abc"),
        st.sampled_from(["firing", "resolved"]),
        st.integers(0, 2),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(tellings, st.randoms(use_true_random=False))
def test_saying_things_again_changes_nothing(told: list[Alert], random: Any) -> None:
    once, often = Inbox(), Inbox()
    once.put(told)
    for place, each in enumerate(told):
        often.put([each])
        often.put(random.sample(told[: place + 1], random.randint(0, place + 1)))

    heard = often.take()
    assert len(heard) == len({(each.identity, each.status) for each in heard})
    ended = {each.identity for each in told if each.status == "resolved"}
    fired = {each.identity for each in told} - ended
    for inbox in (once, often):
        assert {each.identity for each in inbox.firing("Low", {})} == fired
