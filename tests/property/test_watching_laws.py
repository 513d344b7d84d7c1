"""Laws of watching, over whatever sources say and whatever happens meanwhile.

The simulation keeps true time beside the clock on the wall, and the log of a registry;
each law looks at these, not at what the watcher remembers.
"""

from __future__ import annotations

import copy
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitmodel.domain.watch_memory import read_state, state_json
from tests.support.watch_simulation import (
    ERROR,
    HOUR,
    MINUTE,
    NO_DATA,
    Watched,
    metric,
    trigger,
)

if TYPE_CHECKING:
    import datetime as dt

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.watch_event import Decision
    from gitmodel.domain.watching import Step

GOOD, BAD = 0.95, 0.5
DRASTIC = {"rollback", "emergency"}
COOLDOWN = 20 * MINUTE
WINDOW = 6 * HOUR

values = st.sampled_from(
    [GOOD, GOOD, BAD, BAD, BAD, NO_DATA, ERROR, math.nan, [BAD, math.nan], "x", None]
)
#: What is no value at all, in its many forms.
nothings = st.sampled_from(
    [NO_DATA, ERROR, math.nan, [math.nan], [], None, "0.1", True, {}, 10**400]
)
measures = st.tuples(st.just("look"), values, values)
#: A bad day, on which automation comes to its limits.
failures = st.tuples(
    st.just("look"), st.sampled_from([BAD, BAD, BAD, BAD, GOOD, ERROR]), st.just(BAD)
)
waits = st.tuples(st.just("wait"), st.sampled_from([1, 5, 30, 90, 400, 2000]))
promotions = st.tuples(st.just("promote"), st.integers(0, 4))
restarts = st.just(("restart",))
amnesias = st.just(("amnesia",))
jumps = st.tuples(
    st.just("jump"), st.sampled_from([-100_000, -600, -30, -2, 2, 30, 600, 100_000])
)
configurations = st.fixed_dictionaries(
    {
        "failureLimit": st.integers(1, 3),
        "consecutiveSuccessLimit": st.integers(1, 2),
        "onNoData": st.sampled_from(["ignore", "alert", "fail"]),
        "initialDelay": st.sampled_from(["1m", "3m"]),
    }
)
limits = st.fixed_dictionaries(
    {
        "maxRollbacks": st.integers(0, 3),
        "cooldown": st.just("20m"),
        "window": st.just("6h"),
        "hysteresis": st.sampled_from([0, 0.04]),
    }
)


def stories(
    *more: st.SearchStrategy[Any], seen: st.SearchStrategy[Any] = measures
) -> st.SearchStrategy[list[Any]]:
    """Return sequences of what may happen; measurements more often than the rest."""
    several = st.lists(seen, min_size=1, max_size=4)
    other = st.lists(st.one_of(waits, promotions, *more), max_size=1)
    return st.lists(st.tuples(several, other), max_size=15).map(
        lambda parts: [one for some, rest in parts for one in (*some, *rest)]
    )


@dataclass
class Story:
    """A simulation that writes down what truly happened."""

    watched: Watched
    done: list[tuple[dt.timedelta, Decision]] = field(default_factory=list)
    bad: dict[str, int] = field(default_factory=dict)
    good: set[tuple[Digest, str]] = field(default_factory=set)
    drift: int = 0
    automated: list[Digest] = field(default_factory=list)

    def happen(self, what: tuple[Any, ...]) -> Step | None:
        """Let one thing happen."""
        name, *rest = what
        if name == "wait":
            self.watched.wait(rest[0] * MINUTE)
        elif name == "promote":
            self.watched.promote(rest[0])
            self._anew()
            self.automated.clear()
        elif name == "restart":
            self.watched.restart()
        elif name == "amnesia":
            self.watched.restart(keep=False)
        elif name == "jump":
            self.drift += rest[0]
            self.watched.set_clock(rest[0] * MINUTE)
        else:
            return self._look(*rest)
        return None

    def _anew(self) -> None:
        self.bad.clear()

    def _look(self, one: Any, two: Any) -> Step:
        live = self.watched.wait().registry.history.current
        assert live
        for name, value in (("m", one), ("n", two)):
            if _is_bad(value):
                self.bad[name] = self.bad.get(name, 0) + 1
            if value == GOOD:
                self.good.add((live.manifest, name))
        knows = self.watched.looked is not None
        found = self.watched.look(m=one, n=two)
        clock = [event for event in found.events if event.kind == "clock"]
        if knows:
            assert bool(clock) == bool(self.drift), "a jump is noticed"
        if clock:
            assert found.decisions == (), "a clock that jumps decides nothing"
        self.drift = 0
        for decision in found.decisions:
            assert decision.manifest == live.manifest, "the version that is live"
        for decision in self.watched.obey(found):
            self.done.append((self.watched.passed, decision))
            target = self.watched.registry.history.current
            assert target
            assert target.manifest != decision.manifest
            self.automated.append(target.manifest)
            self._anew()
        return found


def _is_bad(value: Any) -> bool:
    return value == BAD or (isinstance(value, list) and BAD in value)


def begin(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], **spec: Any
) -> Story:
    """Begin with five versions that were live, one after the other."""
    found = Watched(
        trigger(metric("m", **one), metric("n", **two), safety=safety, **spec)
    )
    for number in range(5):
        found.promote(number).wait(HOUR)
    return Story(found)


@given(
    configurations,
    configurations,
    limits,
    stories(restarts, jumps, seen=measures | failures),
)
@settings(max_examples=200)
def test_automation_keeps_its_limits_in_true_time(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    told = begin(one, two, safety)
    for what in _jumps_while_it_runs(story):
        told.happen(what)
    times = [time for time, _ in told.done]
    for index, time in enumerate(times):
        near = [other for other in times[: index + 1] if time - other < WINDOW]
        assert len(near) <= safety["maxRollbacks"]
        assert all(time - other >= COOLDOWN for other in times[:index])


def _jumps_while_it_runs(story: list[Any]) -> list[Any]:
    """Leave out restarts around which the clock jumps: nobody can notice."""
    found: list[Any] = []
    for what in story:
        if what[0] == "restart" and found and found[-1][0] == "jump":
            continue
        if what[0] == "jump" and found and found[-1][0] == "restart":
            continue
        found.append(what)
    return found


@given(
    configurations,
    configurations,
    limits,
    stories(amnesias, amnesias, seen=failures),
)
@settings(max_examples=200)
def test_a_memory_that_is_lost_loosens_no_limit(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    told = begin(one, two, safety)
    for what in story:
        told.happen(what)
    times = [time for time, _ in told.done]
    for index, time in enumerate(times):
        near = [other for other in times[: index + 1] if time - other < WINDOW]
        assert len(near) <= safety["maxRollbacks"]
        assert all(time - other >= COOLDOWN for other in times[:index])


@given(configurations, configurations, limits, stories(restarts, jumps, amnesias))
@settings(max_examples=150)
def test_only_failures_that_were_measured_lead_to_a_rollback(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    told = begin(one, two, safety)
    limit = {"m": one["failureLimit"], "n": two["failureLimit"]}
    for what in story:
        before = dict(told.bad)
        live = told.watched.registry.history.current
        found = told.happen(what)
        if found is None:
            continue
        for decision in found.decisions:
            value = what[1] if decision.metric == "m" else what[2]
            if decision.action in DRASTIC:
                assert _is_bad(value), "what was just measured is bad"
                seen = before.get(decision.metric, 0) + 1
                assert seen >= limit[decision.metric]
        assert live
        for name, state in found.state.metrics.items():
            if state.phase == "healthy":
                assert (live.manifest, name) in told.good, "healthy was measured"


@given(configurations, st.lists(nothings, max_size=60), st.data())
def test_nothing_that_is_measured_is_neither_bad_nor_good(
    one: dict[str, Any], series: list[Any], data: st.DataObject
) -> None:
    action = data.draw(st.sampled_from(["propose", "rollback", "emergency"]))
    told = begin(one, one, {"cooldown": "1m"}, action={"critical": action})
    for value in series:
        found = told.watched.wait().look(m=value, n=value)
        assert not any(decision.action in DRASTIC for decision in found.decisions)
        assert all(s.phase != "healthy" for s in found.state.metrics.values())


@given(configurations, configurations, limits, stories(restarts))
@settings(max_examples=100)
def test_two_bad_versions_cannot_take_turns(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    """Between two moves by people, automation goes to no version twice."""
    told = begin(one, two, {**safety, "maxRollbacks": 100, "cooldown": "1m"})
    for what in story:
        told.happen(what)
        assert len(set(told.automated)) == len(told.automated)


@given(configurations, configurations, limits, stories())
@settings(max_examples=80)
def test_a_restart_between_any_two_rounds_changes_nothing(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    steady, shaky = begin(one, two, safety), begin(one, two, safety)
    for what in story:
        found, other = steady.happen(what), shaky.happen(what)
        assert found == other
        if shaky.watched.state is not None:
            text = json.dumps(state_json(shaky.watched.state))
            shaky.watched.state = read_state(json.loads(text))
            shaky.watched.looked = None


@given(configurations, limits, stories(restarts))
@settings(max_examples=80)
def test_a_metric_whose_source_is_broken_does_not_change_another(
    one: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    alone, beside = begin(one, one, safety), begin(one, one, safety)
    for what in story:
        if what[0] == "look":
            found = alone.watched.wait().look(m=what[1])
            other = beside.watched.wait().look(m=what[1], n=ERROR)
            assert found.decisions == other.decisions
            assert list(found.events) == [e for e in other.events if e.metric != "n"]
        else:
            alone.happen(what)
            beside.happen(what)


@given(configurations, configurations, limits, stories(restarts, jumps))
@settings(max_examples=80)
def test_a_dry_run_says_what_would_be_done(
    one: dict[str, Any], two: dict[str, Any], safety: dict[str, Any], story: list[Any]
) -> None:
    real, dry = begin(one, two, safety), begin(one, two, safety)
    dry.watched.dry_run = True
    for what in story:
        if what[0] != "look":
            real.happen(what)
            dry.happen(what)
            continue
        found = real.watched.wait().look(m=what[1], n=what[2])
        other = dry.watched.wait().look(m=what[1], n=what[2])
        said = [(e.kind, e.level, e.metric, e.text) for e in found.events]
        assert said == [(e.kind, e.level, e.metric, e.text) for e in other.events]
        assert all(decision.dry_run for decision in other.decisions)
        assert dry.watched.obey(other) == []


@given(configurations, limits, st.lists(st.tuples(values, values), max_size=20))
def test_a_copy_of_what_was_measured_changes_nothing(
    one: dict[str, Any], safety: dict[str, Any], series: list[Any]
) -> None:
    told = begin(one, one, safety)
    for m, n in series:
        told.watched.wait().look(m=m, n=n)
        again = copy.copy(told.watched)
        found = again.look(m=m, n=n)
        assert found.events == ()
        assert found.decisions == ()
        assert found.state == told.watched.state
