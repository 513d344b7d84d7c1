from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.watch_event import one_line
from gitmodel.domain.watch_memory import read_state, restore, state_json
from gitmodel.domain.watch_metric import Reading, is_due
from gitmodel.domain.watching import void
from tests.support.watch_simulation import (
    ERROR,
    HOUR,
    MINUTE,
    NO_DATA,
    STAGE,
    START,
    Watched,
    kinds,
    measured,
    metric,
    release,
    trigger,
)

if TYPE_CHECKING:
    import datetime as dt

    from gitmodel.domain.trigger import RollbackTrigger

GOOD, BAD, NAN = 0.95, 0.5, math.nan
DAY = 24 * HOUR


def watched(*metrics: dict[str, Any], **spec: Any) -> Watched:
    """Return a watched stage that came from version 0 to version 1, an hour ago."""
    found = Watched(trigger(*metrics, **spec)).promote(0).wait(HOUR).promote(1)
    return found.wait(HOUR)


def test_three_failures_in_a_row_decide_a_rollback_of_what_is_live() -> None:
    one = watched()
    assert one.rounds(GOOD, BAD, BAD) == []
    assert one.phase() == "suspect"
    assert kinds(one.rounds(BAD)) == ["rollback"]
    assert one.phase() == "acted"
    assert one.last
    [decision] = one.last.decisions
    assert decision.manifest == release(1).manifest
    assert decision.reason == ("m (critical): 0.5 is less than 0.9 (3 times in a row)")
    assert not decision.dry_run
    assert one.rounds(BAD, BAD, BAD, BAD) == []


@pytest.mark.parametrize(
    ("severity", "done"),
    [
        ("low", "alert"),
        ("medium", "alert"),
        ("high", "propose"),
        ("critical", "rollback"),
    ],
)
def test_severity_decides_what_is_done(severity: str, done: str) -> None:
    one = watched(metric(severity=severity))
    assert kinds(one.rounds(BAD, BAD, BAD)) == [done]
    assert one.last
    assert [d.action for d in one.last.decisions] == [done] * (done != "alert")


def test_an_emergency_happens_only_where_it_is_asked_for() -> None:
    one = watched(action={"critical": "emergency"})
    assert kinds(one.rounds(BAD, BAD, BAD)) == ["emergency"]


def test_flapping_never_fires() -> None:
    assert watched().rounds(*[BAD, BAD, GOOD] * 30) == []


def test_a_row_may_take_more_than_one_success_to_end() -> None:
    one = watched(metric(consecutiveSuccessLimit=2))
    assert one.rounds(BAD, GOOD, BAD, GOOD) == []
    assert kinds(one.rounds(BAD)) == ["rollback"]
    other = watched(metric(consecutiveSuccessLimit=2))
    assert other.rounds(BAD, BAD, GOOD, GOOD, BAD, BAD) == []


def test_hysteresis_keeps_a_failure_until_the_bound_is_met_by_more() -> None:
    one = watched(safety={"hysteresis": 0.02})
    assert one.rounds(0.91) == []
    assert one.phase() == "healthy"  # nothing had failed
    assert one.rounds(BAD, 0.91, BAD, 0.91) == []
    assert one.phase() == "suspect"
    assert kinds(one.rounds(BAD)) == ["rollback"]
    two = watched(safety={"hysteresis": 0.02})
    assert two.rounds(BAD, BAD, 0.93, BAD, BAD) == []


@pytest.mark.parametrize("nothing", [ERROR, NO_DATA, NAN, [NAN], "text", None, []])
@pytest.mark.parametrize("on_no_data", ["ignore", "alert"])
def test_nothing_measured_is_never_bad_and_never_healthy(
    nothing: Any, on_no_data: str
) -> None:
    one = watched(metric(onNoData=on_no_data))
    events = one.rounds(*[nothing] * 40)
    assert set(kinds(events)) <= {"broken", "no_data"}
    assert len(events) <= 1
    assert one.phase() == "unknown"


def test_a_source_that_breaks_is_told_once_and_its_return_too() -> None:
    one = watched()
    assert one.rounds(GOOD, ERROR, ERROR, ERROR) == []
    assert one.phase() == "healthy"
    [broken] = one.rounds(ERROR, ERROR, ERROR)
    assert (broken.kind, broken.text) == ("broken", "4 errors in a row: refused")
    assert one.phase() == "unknown"
    assert kinds(one.rounds(GOOD, GOOD)) == ["restored"]
    assert one.phase() == "healthy"


def test_what_was_seen_before_a_source_broke_is_in_no_row_with_what_comes_after() -> (
    None
):
    assert kinds(watched().rounds(BAD, BAD, *[ERROR] * 3, BAD)) == ["rollback"]
    one = watched()
    assert kinds(one.rounds(BAD, BAD, *[ERROR] * 4, BAD)) == ["broken", "restored"]
    assert one.phase() == "suspect"


def test_no_data_as_failure_proposes_at_most() -> None:
    one = watched(metric(onNoData="fail"))
    assert kinds(one.rounds(NO_DATA, NO_DATA, NO_DATA)) == ["propose"]
    assert one.last
    assert [d.action for d in one.last.decisions] == ["propose"]
    mixed = watched(metric(onNoData="fail"))
    assert kinds(mixed.rounds(BAD, BAD, NO_DATA)) == ["propose"]
    alert = watched(metric(onNoData="fail"), action={"critical": "alert"})
    assert kinds(alert.rounds(NO_DATA, NO_DATA, NO_DATA)) == ["alert"]


def test_a_proposal_for_want_of_data_does_not_stand_in_for_a_rollback() -> None:
    """The metric that proposed has acted; another one still may roll back."""
    one = watched(metric("gone", onNoData="fail"), metric("m"))
    assert kinds(one.rounds(*[NO_DATA] * 3, name="gone")) == ["propose"]
    assert kinds(one.rounds(BAD, BAD, BAD)) == ["rollback"]


def test_what_decides_nothing_is_told_after_a_while() -> None:
    both = {"successCondition": "result > 0.9", "failureCondition": "result < 0.5"}
    one = watched(metric(**both, inconclusiveLimit=3))
    assert kinds(one.rounds(0.7, 0.7)) == []
    assert kinds(one.rounds(0.7, 0.7, 0.7)) == ["undecided"]
    assert one.phase() == "unknown"
    one.rounds(0.95)
    assert one.phase() == "healthy"


def test_too_few_samples_decide_nothing() -> None:
    one = watched(metric(minSamples={"query": "n", "min": 200}))

    def look(samples: Any) -> list[str]:
        one.wait()
        seen = measured(samples, one.wall)
        reading = Reading(measured(BAD, one.wall), seen)
        one.reading = lambda _: reading  # type: ignore[method-assign,assignment]
        return kinds(one.look(m=BAD).events)

    for few in (199, [0], NO_DATA, NAN):
        assert look(few) == []
    assert one.phase() == "unknown"
    for strange in (ERROR, "many", True):
        assert look(strange) == []
    assert look([1, 2]) == ["broken"]
    assert [look(200), look([250]), look(200.0)] == [["restored"], [], ["rollback"]]


def test_warmup_waits_for_what_is_live_and_again_for_the_next() -> None:
    one = Watched(trigger(metric(initialDelay="10m", failureLimit=1))).promote(0)
    assert one.rounds(*[BAD] * 9) == []
    assert one.phase() == "warmup"
    one.promote(1)
    assert one.rounds(*[BAD] * 9) == []
    assert kinds(one.rounds(BAD)) == ["rollback"]


def test_a_start_in_the_future_is_no_way_never_to_be_watched() -> None:
    one = Watched(trigger(metric(initialDelay="10m", failureLimit=1))).promote(0)
    one.since = START + 1000 * DAY
    one.look()
    assert one.rounds(*[BAD] * 9) == []
    assert kinds(one.rounds(BAD)) == ["rollback"]


def test_a_person_who_moves_the_stage_begins_everything_anew() -> None:
    one = watched()
    one.rounds(BAD, BAD)
    one.promote(2)
    assert one.rounds(BAD, BAD) == []
    assert kinds(one.rounds(BAD)) == ["rollback"]
    assert one.last
    assert one.last.decisions[0].manifest == release(2).manifest


def test_the_same_version_once_more_begins_anew() -> None:
    one = watched()
    one.rounds(BAD, BAD)
    one.promote(1)
    assert one.rounds(BAD, BAD) == []
    assert one.phase() == "suspect"


def test_what_was_measured_of_another_version_does_not_count() -> None:
    one = watched(metric(failureLimit=1))
    one.look()
    early = one.wait().reading(BAD)
    one.wait().promote(2)
    one.reading = lambda _: early  # type: ignore[method-assign,assignment]
    assert one.look(m=BAD).events == ()
    assert one.wait().look(m=BAD).events == ()


def test_a_copy_of_a_measurement_does_not_count() -> None:
    one = watched()
    one.wait()
    copy = one.reading(BAD)
    one.reading = lambda _: copy  # type: ignore[method-assign,assignment]
    for _ in range(10):
        assert one.wait().look(m=BAD).events == ()
    assert one.state
    assert one.state.metrics["m"].failures == 1


def test_looking_more_often_makes_no_row_longer() -> None:
    one = watched(metric(interval="10m"))
    for _ in range(20):
        one.wait(MINUTE / 2).look(m=BAD)
    assert one.state
    assert one.state.metrics["m"].failures == 2


def test_an_empty_stage_is_not_watched() -> None:
    one = Watched()
    assert one.look(m=BAD).state.metrics == {}
    assert one.promote(0).rounds(BAD, BAD) == []


def test_one_metric_acts_for_all_that_fail_with_it() -> None:
    one = watched(metric("a", severity="high"), metric("b"), metric("c"))
    for _ in range(2):
        assert one.wait().look(a=BAD, b=BAD, c=BAD).events == ()
    found = one.wait().look(a=BAD, b=BAD, c=BAD)
    assert [(d.action, d.metric) for d in found.decisions] == [("rollback", "b")]
    assert sorted(kinds(found.events)) == ["joined", "joined", "rollback"]


def test_a_proposal_does_not_stand_in_the_way_of_a_rollback() -> None:
    one = watched(metric("a", severity="high"), metric("b"))
    assert kinds(one.rounds(BAD, BAD, BAD, name="a")) == ["propose"]
    assert kinds(one.rounds(BAD, BAD, BAD, name="b")) == ["rollback"]


def test_after_a_rollback_the_next_waits_for_the_cooldown() -> None:
    one = watched(metric(failureLimit=1), safety={"cooldown": "30m"})
    one.promote(2)
    assert one.obey(one.wait().look(m=BAD))
    [held] = one.rounds(*[BAD] * 29)
    assert held.kind == "held"
    assert held.level == "critical"
    assert "no rollback now: the last action was at 2026-02-14T14:01:00Z" in held.text
    assert one.phase() == "firing"
    assert kinds(one.rounds(BAD)) == ["rollback"]


def test_what_recovers_is_told_and_armed_again_after_the_cooldown() -> None:
    one = watched(metric(severity="medium"), safety={"cooldown": "30m"})
    assert kinds(one.rounds(BAD, BAD, BAD, GOOD)) == ["alert", "recovered"]
    assert one.phase() == "cooldown"
    assert one.rounds(*[BAD] * 27) == []
    assert kinds(one.rounds(BAD, BAD, BAD)) == ["alert"]


def test_automation_stops_after_so_many_rollbacks_until_a_person_comes() -> None:
    one = watched(metric(failureLimit=1), safety={"cooldown": "1m", "maxRollbacks": 2})
    one.promote(2).wait().promote(3)
    for _ in range(2):
        assert one.obey(one.wait(2 * MINUTE).look(m=BAD))
    frozen = one.wait(2 * MINUTE).look(m=BAD)
    [event] = frozen.events
    assert (event.kind, event.level) == ("frozen", "critical")
    assert "2 rollbacks without a person, where 2 are allowed in 1 day" in event.text
    assert frozen.decisions == ()
    assert one.rounds(*[BAD] * 60) == []
    one.wait(2 * DAY)  # it does not thaw by itself
    assert kinds(one.rounds(BAD)) == []
    one.promote(4)
    assert kinds(one.rounds(BAD)) == ["rollback"]


def test_the_log_counts_where_the_memory_is_lost() -> None:
    one = watched(metric(failureLimit=1), safety={"cooldown": "1m"})
    one.promote(2).wait().promote(3)
    for _ in range(2):
        assert one.obey(one.wait(2 * MINUTE).look(m=BAD))
        one.restart(keep=False)
    assert kinds(one.wait(2 * MINUTE).look(m=BAD).events) == ["frozen"]


def test_a_person_does_not_refill_what_automation_has_spent() -> None:
    one = watched(metric(failureLimit=1), safety={"cooldown": "1m", "maxRollbacks": 1})
    assert one.obey(one.wait().look(m=BAD))
    one.wait(HOUR).promote(2)
    assert kinds(one.rounds(BAD)) == ["frozen"]


def test_no_rollback_at_all_is_a_limit_too() -> None:
    one = watched(safety={"maxRollbacks": 0})
    assert kinds(one.rounds(BAD, BAD, BAD)) == ["frozen"]


def test_in_a_freeze_there_are_alerts_only() -> None:
    freeze = {
        "from": "2026-02-14T00:00:00Z",
        "until": "2026-02-15T00:00:00Z",
        "reason": "nobody is there",
    }
    one = watched(safety={"freeze": [freeze]})
    [held] = one.rounds(BAD, BAD, BAD, BAD)
    assert held.kind == "held"
    assert "frozen until 2026-02-15T00:00:00Z: nobody is there" in held.text
    one.wait(10 * HOUR)
    assert kinds(one.rounds(BAD)) == ["rollback"]


def test_what_automation_condemned_it_never_takes_back() -> None:
    one = watched(metric(failureLimit=1), safety={"cooldown": "1m"})
    assert one.obey(one.wait().look(m=BAD))
    one.wait(HOUR).look(m=GOOD)
    # A registry would not do this. Should something do it all the same:
    one.registry.move("rollback", release(1), one.wall, by_robot=True)
    one.since = one.wall
    found = one.wait(MINUTE).look(m=BAD)
    assert kinds(found.events) == ["frozen", "held"]
    assert found.decisions == ()


def test_a_person_may_bring_back_what_was_condemned() -> None:
    one = watched(metric(failureLimit=1), safety={"cooldown": "1m"})
    assert one.obey(one.wait().look(m=BAD))
    one.wait(HOUR).promote(1)
    assert kinds(one.rounds(GOOD)) == []
    assert kinds(one.rounds(BAD)) == ["rollback"]


@pytest.mark.parametrize("jump", [-DAY, -HOUR, 2 * MINUTE, HOUR, 400 * DAY])
def test_a_clock_that_jumps_begins_counting_anew(jump: dt.timedelta) -> None:
    one = watched()
    one.rounds(GOOD, BAD, BAD)
    found = one.wait().set_clock(jump).look(m=BAD)
    assert kinds(found.events) == ["clock"]
    assert one.phase() == "unknown"
    assert one.rounds(BAD, BAD) == []
    assert kinds(one.rounds(BAD)) == ["rollback"]


@pytest.mark.parametrize("jump", [HOUR, 400 * DAY])
def test_a_clock_that_jumps_ends_no_warmup_and_no_cooldown(jump: dt.timedelta) -> None:
    delay = {"initialDelay": "10m"}
    one = watched(metric(failureLimit=1, **delay), safety={"cooldown": "2h"})
    one.promote(2).wait(10 * MINUTE)
    assert one.obey(one.look(m=BAD))
    one.wait().look()
    one.set_clock(jump)
    assert kinds(one.rounds(*[BAD] * 8)) == ["clock"]
    assert one.phase() == "warmup"
    assert kinds(one.rounds(*[BAD] * 100)) == ["held"]
    assert kinds(one.rounds(*[BAD] * 20)) == ["rollback"]


def test_a_clock_that_was_set_back_during_a_restart_is_noticed() -> None:
    one = watched()
    one.rounds(BAD, BAD)
    found = one.wait().restart().set_clock(-HOUR).look(m=BAD)
    assert kinds(found.events) == ["clock"]


def test_failures_before_a_long_pause_are_in_no_row_with_those_after() -> None:
    one = watched()
    one.rounds(BAD, BAD)
    one.restart().wait(25 * HOUR)
    assert one.rounds(BAD, BAD) == []
    hourly = watched(metric(interval="12h"))
    for _ in range(2):
        assert hourly.wait(12 * HOUR).look(m=BAD).events == ()
    assert kinds(hourly.wait(30 * HOUR).look(m=BAD).events) == ["rollback"]


@pytest.mark.parametrize("where", ["round", "safety", "metric"])
def test_a_dry_run_says_the_same_and_spends_nothing(where: str) -> None:
    one = watched(
        metric(failureLimit=1, dryRun=where == "metric"),
        metric("other", failureLimit=1),
        safety={"maxRollbacks": 1, "dryRun": where == "safety"},
    )
    one.dry_run = where == "round"
    [event] = one.rounds(BAD)
    assert (event.kind, event.dry_run) == ("rollback", True)
    assert one.last
    assert [d.dry_run for d in one.last.decisions] == [True]
    assert one.state
    assert one.state.real.rollbacks == ()
    assert one.state.rehearsal.rollbacks
    if where == "metric":
        assert [e.dry_run for e in one.rounds(BAD, name="other")] == [False]


def test_a_rollback_that_somebody_was_faster_than_is_not_spent() -> None:
    one = watched(metric(failureLimit=1), safety={"maxRollbacks": 1})
    [decision] = one.wait().look(m=BAD).decisions
    assert one.state
    one.state = void(one.state, decision)
    one.promote(2)
    assert kinds(one.rounds(BAD)) == ["rollback"]


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_what_was_postponed_is_decided_again(severity: str) -> None:
    one = watched(metric(failureLimit=1, severity=severity))
    [decision] = one.wait().look(m=BAD).decisions
    assert one.state
    one.state = void(one.state, decision)
    assert one.phase() == "firing"
    [again] = one.wait().look(m=BAD).decisions
    assert (again.action, again.manifest) == (decision.action, decision.manifest)
    assert one.rounds(BAD, BAD) == []


def test_a_metric_that_is_watched_no_more_is_forgotten() -> None:
    one = watched(metric("a"), metric("b"))
    one.wait().look(a=BAD, b=BAD)
    one.trigger = trigger(metric("b"))
    assert list(one.wait().look(b=BAD).state.metrics) == ["b"]


@pytest.mark.parametrize(
    "then",
    [
        trigger(metric(severity="critical")),
        trigger(metric(severity="medium", thresholdRange={"min": 0.8})),
        trigger(metric(severity="medium", failureLimit=1)),
    ],
)
def test_a_metric_that_is_defined_anew_is_armed_anew(then: RollbackTrigger) -> None:
    one = watched(metric(severity="medium"))
    assert kinds(one.rounds(BAD, BAD, BAD)) == ["alert"]
    one.trigger = then
    assert one.rounds(*[BAD] * 2) or kinds(one.rounds(BAD))
    assert one.phase() == "acted"


def test_a_rehearsal_does_not_disarm_what_is_meant() -> None:
    one = watched(metric(dryRun=True))
    assert [e.dry_run for e in one.rounds(BAD, BAD, BAD)] == [True]
    one.trigger = trigger()
    assert [e.dry_run for e in one.rounds(BAD, BAD, BAD)] == [False]


def test_no_data_after_failures_that_were_held_back_proves_nothing() -> None:
    freeze = {"from": "2026-02-14T00:00:00Z", "until": "2026-02-14T14:05:00Z"}
    one = watched(metric(onNoData="fail"), safety={"freeze": [freeze]})
    assert kinds(one.rounds(BAD, BAD, BAD, BAD)) == ["held"]
    assert kinds(one.rounds(NO_DATA)) == ["propose"]


def test_measuring_is_due_after_warmup_and_then_at_intervals() -> None:
    one = watched(metric(interval="10m", initialDelay="1h"))
    [watch] = one.trigger.metrics
    assert not is_due(watch, None, START, START + 59 * MINUTE)
    assert is_due(watch, None, START, START + HOUR)
    state = one.look(m=GOOD).state.metrics["m"]
    assert not is_due(watch, state, START, one.wall + 5 * MINUTE)
    assert is_due(watch, state, START, one.wall + 10 * MINUTE)


def broken_states() -> list[Any]:
    one = watched()
    one.rounds(BAD, BAD)
    assert one.state
    good = state_json(one.state)
    assert read_state(good) == one.state

    def but(**changes: Any) -> dict[str, Any]:
        return {**good, **changes}

    def metric_but(**changes: Any) -> dict[str, Any]:
        return but(metrics={"m": {**good["metrics"]["m"], **changes}})

    return [
        {},
        [],
        "x",
        7,
        but(version=2),
        but(version=True),
        but(version="1"),
        but(manifest="sha256:0"),
        but(manifest=7),
        but(began=None),
        but(began="2026-02-14T12:00:00"),
        but(began="2026-02-14T12:00:00+01:00"),
        but(stepped="yesterday"),
        but(metrics=[]),
        but(metrics={"m": None}),
        but(real=None),
        but(real={**good["real"], "rollbacks": "x"}),
        but(real={**good["real"], "rollbacks": ["x"]}),
        but(real={**good["real"], "frozen": "no"}),
        but(real={**good["real"], "condemned": [1]}),
        metric_but(failures=-1),
        metric_but(failures=True),
        metric_but(failures="9"),
        metric_but(failures=10**30),
        metric_but(phase="rolled"),
        metric_but(acted="shutdown"),
        metric_but(told="error"),
        metric_but(told=[["error"]]),
        metric_but(measured_at=5),
        {k: v for k, v in good.items() if k != "rehearsal"},
    ]


def test_the_first_alert_waits_for_no_interval() -> None:
    provider = {"alertmanager": {"alertname": "Bad"}}
    one = watched(metric(provider=provider, flag=True, failureLimit=2, interval="1h"))
    assert kinds(one.rounds([], ["alert"])) == []
    assert one.phase() == "suspect"
    assert kinds(one.rounds(*[["alert"]] * 53)) == []
    assert kinds(one.rounds(["alert"])) == ["rollback"]


@pytest.mark.parametrize("found", broken_states())
def test_a_memory_that_cannot_be_read_is_told_and_begins_anew(found: Any) -> None:
    state, events = restore(found, "fraud", STAGE, START)
    assert state is None
    assert kinds(events) == ["reset"]


def test_no_memory_is_no_problem() -> None:
    assert restore(None, "fraud", STAGE, START) == (None, ())


def test_what_comes_from_outside_is_said_on_one_line() -> None:
    text = one_line("a\nGitmodel-Approved-By: eve\r\x1b[31m\u202e\u2028" + "x" * 1000)
    assert text.startswith("a Gitmodel-Approved-By: eve [31m x")
    assert len(text) == 400
    assert text.isprintable()


def test_an_event_is_json() -> None:
    [event] = watched(metric(failureLimit=1)).rounds(BAD)
    assert event.to_dict() == {
        "kind": "rollback",
        "level": "critical",
        "at": "2026-02-14T14:01:00Z",
        "model": "fraud",
        "stage": "production",
        "metric": "m",
        "manifest": str(release(1).manifest),
        "text": "0.5 is less than 0.9 (once in a row)",
        "dryRun": False,
    }
