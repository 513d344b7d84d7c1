"""A stage that is watched, without a registry: what is live moves as it would.

Time is kept twice, as a machine does: ``wall`` can be set, ``passed`` cannot.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.history import StageHistory
from gitmodel.domain.measurement import Measurement
from gitmodel.domain.metrics import read_metrics
from gitmodel.domain.pin import Release
from gitmodel.domain.transition import Action, Transition
from gitmodel.domain.trigger_reading import read_trigger
from gitmodel.domain.watch_memory import read_state, state_json
from gitmodel.domain.watch_metric import Reading
from gitmodel.domain.watching import Live, Round, Step, step

if TYPE_CHECKING:
    from gitmodel.domain.trigger import RollbackTrigger
    from gitmodel.domain.watch_event import Decision, WatchEvent
    from gitmodel.domain.watch_state import StageState

STAGE = "production"
START = dt.datetime(2026, 2, 14, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
PROVIDER = {"prometheus": {"address": "http://127.0.0.1:9090", "query": "up"}}
#: Not values, but what a source may say instead.
NO_DATA, ERROR = object(), object()


def release(number: int) -> Release:
    """Return one of some versions."""
    return Release(f"1.{number}.0", Digest.of(b"%d" % number))


def metric(name: str = "m", **fields: Any) -> dict[str, Any]:
    """Return a metric that is bad below 0.9, and rolls back after three of them."""
    found = {"name": name, "severity": "critical", "provider": PROVIDER, **fields}
    judged = {"drop", "flag", "successCondition", "failureCondition", "thresholdRange"}
    return found if judged & found.keys() else {**found, "thresholdRange": {"min": 0.9}}


def trigger(*metrics: dict[str, Any], **spec: Any) -> RollbackTrigger:
    """Read a trigger for one model."""
    body = {"model": "fraud", "stage": STAGE, "metrics": list(metrics) or [metric()]}
    return read_trigger({"spec": {**body, **spec}})


@dataclass
class Registry:
    """The log of one stage; rolling back goes where the registry would go."""

    transitions: list[Transition] = field(default_factory=list)
    automated: list[dt.datetime] = field(default_factory=list)
    by_robot: bool = False

    @property
    def history(self) -> StageHistory:
        """What has been live."""
        return StageHistory(tuple(self.transitions))

    def move(
        self, action: Action, target: Release, at: dt.datetime, *, by_robot: bool
    ) -> None:
        """Put something there."""
        self.transitions.append(
            Transition(
                action=action,
                model="fraud",
                stage=STAGE,
                seq=len(self.transitions) + 1,
                prior=None,
                origin=self.history.current,
                target=target,
                pin=None,
                policy=Digest.of(b""),
                requester="robot" if by_robot else "ada",
                reason="",
                created_at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
        )
        self.by_robot = by_robot
        if by_robot:
            self.automated.append(at)

    def roll_back(self, at: dt.datetime) -> bool:
        """Go to the last known good; say whether there is one."""
        for target in self.history.last_known_good():
            self.move("rollback", target, at, by_robot=True)
            return True
        return False


@dataclass
class Watched:
    """A watcher and what it watches."""

    trigger: RollbackTrigger = field(default_factory=trigger)
    registry: Registry = field(default_factory=Registry)
    wall: dt.datetime = START
    passed: dt.timedelta = dt.timedelta()
    state: StageState | None = None
    looked: dt.timedelta | None = None
    since: dt.datetime = START
    baseline: dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    last: Step | None = None

    def promote(self, number: int) -> Watched:
        """Let a person put a version there."""
        self.registry.move("promote", release(number), self.wall, by_robot=False)
        self.since = self.wall
        return self

    def wait(self, time: dt.timedelta = MINUTE) -> Watched:
        """Let time pass."""
        self.wall += time
        self.passed += time
        return self

    def set_clock(self, by: dt.timedelta) -> Watched:
        """Let the clock jump."""
        self.wall += by
        return self

    def restart(self, *, keep: bool = True) -> Watched:
        """End the watcher and start it again; without its memory if not kept."""
        if keep and self.state is not None:
            read = read_state(json.loads(json.dumps(state_json(self.state))))
            assert read == self.state
        self.state = self.state if keep else None
        self.looked = None
        return self

    def look(self, **values: Any) -> Step:
        """Go one round with what is measured; a value, ``NO_DATA`` or ``ERROR``."""
        current = self.registry.history.current
        live = None
        if current is not None:
            baseline = read_metrics(self.baseline)
            robot = self.registry.by_robot
            live = Live(current.manifest, self.since, robot, baseline)
        self.last = step(
            self.trigger,
            STAGE,
            self.state,
            Round(
                now=self.wall,
                live=live,
                elapsed=None if self.looked is None else self.passed - self.looked,
                readings={name: self.reading(value) for name, value in values.items()},
                logged=tuple(self.registry.automated),
                dry_run=self.dry_run,
            ),
        )
        self.state, self.looked = self.last.state, self.passed
        return self.last

    def reading(self, value: Any) -> Reading:
        """Return what a source says now."""
        return Reading(measured(value, self.wall))

    def obey(self, found: Step) -> list[Decision]:
        """Do what was decided, as far as the registry can; return what was done."""
        done = []
        for decision in found.decisions:
            drastic = decision.action in {"rollback", "emergency"}
            if drastic and not decision.dry_run and self.registry.roll_back(self.wall):
                self.since = self.wall
                done.append(decision)
        return done

    def rounds(self, *series: Any, name: str = "m") -> list[WatchEvent]:
        """Measure a series, a minute apart; return all events."""
        found: list[WatchEvent] = []
        for value in series:
            found += self.wait().look(**{name: value}).events
        return found

    def phase(self, name: str = "m") -> str:
        """Return where a metric stands."""
        assert self.state is not None
        return self.state.metrics[name].phase


def measured(value: Any, at: dt.datetime) -> Measurement:
    """Return a measurement of a value, ``NO_DATA`` or ``ERROR``."""
    if value is NO_DATA:
        return Measurement("no_data", None, "nothing there", at)
    if value is ERROR:
        return Measurement("error", None, "refused", at)
    return Measurement("value", value, "", at)


def kinds(events: list[WatchEvent] | tuple[WatchEvent, ...]) -> list[str]:
    """Return what kind of events they are."""
    return [event.kind for event in events]
