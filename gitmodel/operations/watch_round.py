"""One round of watching: look, measure, decide, do, tell, remember.

Any round may be the last one: what was done is remembered by the registry's log, and
what was not is decided again.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.domain.problem import Problem
from gitmodel.domain.watch_event import WatchEvent, one_line
from gitmodel.domain.watch_memory import restore, state_json
from gitmodel.domain.watch_metric import is_due, judge_reading
from gitmodel.domain.watching import Round, step, void
from gitmodel.errors import GitmodelError, OutsideError
from gitmodel.operations.notify import begin
from gitmodel.operations.sync import sync
from gitmodel.operations.watch_acting import PATIENCE, Acted, act
from gitmodel.operations.watch_measuring import Due, measure_all
from gitmodel.operations.watch_scene import Scene, read_scene, rights_problems
from gitmodel.registry import layout
from gitmodel.registry.watch_store import Heartbeat, Memory, WatchStore

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from gitmodel.adapters.metrics.alertmanager import Inbox
    from gitmodel.domain.event import EventType
    from gitmodel.domain.watch_metric import Reading
    from gitmodel.domain.watch_state import StageState
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.watch_scene import Place
    from gitmodel.registry.handle import RegistryHandle

_TYPES: Mapping[str, EventType] = {
    "propose": "trigger_fired",
    "rollback": "trigger_fired",
    "emergency": "trigger_fired",
    "frozen": "trigger_frozen",
}
#: Problems, or events of one place, that people hear of one by one in a round: who can
#: push could else drown what matters.
_MOST_HEARD = 20
_MOST_TOLD = 100_000
_LEVELS = ("critical", "warning", "info")
#: How much longer than planned a round may take before somebody should worry.
_LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to watch.

    Attributes:
        fetch: Synchronise with the remote before each round.
        push: Push what is done.
        dry_run: Do nothing, tell nobody, and remember apart.
        interval: Time between two rounds; None for one round only.
    """

    fetch: bool = False
    push: bool = False
    dry_run: bool = False
    interval: timedelta | None = None

    @property
    def patience(self) -> float:
        """Seconds without a sign of life after which somebody should worry."""
        return (3 * (self.interval or timedelta()) + _LATE).total_seconds()


@dataclass(frozen=True, slots=True)
class MetricReport:
    """Where a metric stands; ``outcome`` is empty if it was not measured now."""

    name: str
    severity: str
    phase: str
    outcome: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StageReport:
    """Where a model stands in a stage."""

    model: str
    stage: str
    version: str | None
    metrics: tuple[MetricReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundResult:
    """What came of one round.

    Attributes:
        problems: What could not be watched, and why.
        commit: What was looked at.
    """

    commit: str
    stages: tuple[StageReport, ...]
    events: tuple[WatchEvent, ...]
    acted: tuple[Acted, ...]
    problems: tuple[Problem, ...]
    dry_run: bool

    @property
    def broken(self) -> tuple[str, ...]:
        """The metrics whose source did not answer, as ``STAGE/MODEL: METRIC``."""
        return tuple(
            f"{stage.stage}/{stage.model}: {metric.name}"
            for stage in self.stages
            for metric in stage.metrics
            if metric.outcome == "error"
        )


class OneRound:
    """One round in the making."""

    def __init__(
        self,
        options: Options,
        handle: RegistryHandle,
        stepped: dict[str, float],
        unwritten: Memory | None = None,
    ) -> None:
        self.options = options
        self.handle = handle
        self.stepped = stepped
        self.store = WatchStore(handle.repository, dry_run=options.dry_run)
        self.memory = unwritten or self.store.recall()
        #: What the clone could not keep, as on a full disk; the process still knows it.
        self.unwritten: Memory | None = None
        # What is not reached, or not watched any more, stays as it was: what goes and
        # comes back has not lost count.
        self.states: dict[str, object] = dict(self.memory.stages)
        self.said: set[str] = set()
        self.reports: dict[str, StageReport] = {}
        self.events: list[WatchEvent] = []
        self.acted: list[Acted] = []
        self.problems: list[Problem] = []
        self.waits: list[Callable[[], tuple[Delivery, ...]]] = []
        self.scene: Scene | None = None

    def take_in(self) -> None:
        """Take in what others have pushed, if that is wanted; without, go on."""
        if not self.options.fetch or self.options.dry_run:
            return
        try:
            sync(self.handle, patience=PATIENCE)
        except GitmodelError as error:
            self.problems.append(Problem(error.code, error.message))

    def watch(
        self, inbox: Inbox | None, stop: threading.Event, known: Scene | None = None
    ) -> None:
        """Measure, decide and act, place by place.

        Args:
            inbox: What Alertmanager has sent; None if nobody listens.
            stop: Once set, no source is waited for any more.
            known: What the round before saw; it is good for the same commit.
        """
        self.scene = self._look(known)
        self.problems += self.scene.problems
        if self.scene.commit:
            self._miss(self.scene)
        every = list(self._due(self.scene))
        for place, readings in measure_all(self.handle, every, inbox=inbox, stop=stop):
            self._step(place, readings)

    def _look(self, known: Scene | None) -> Scene:
        try:
            view = self.handle.view()
            if known is not None and known.commit == str(view.commit):
                if not known.lacking:
                    return known
                scene = known
            else:
                scene = read_scene(view)
            if self.options.dry_run:
                return scene
            lacking = rights_problems(self.handle, view, scene.places.values())
            return replace(scene, lacking=tuple(lacking))
        except GitmodelError as error:
            # Whoever begins hears it at once. Who has watched must not end by a push.
            if not self.memory.stages:
                raise
            return Scene("", unsound=(Problem(error.code, error.message),))

    def _miss(self, scene: Scene) -> None:
        """Tell, once, of what was watched and is not any more."""
        bad = {problem.path for problem in scene.problems}
        for key in self.memory.stages.keys() - scene.places.keys():
            stage, _, model = key.partition("/")
            if bad & {layout.trigger_path(model), layout.pin_path(stage, model)}:
                continue
            self.said.add(f"gone {key}")
            if f"gone {key}" not in self.memory.told:
                event = WatchEvent(
                    kind="gone",
                    level="critical",
                    at=self._now(),
                    model=model,
                    stage=stage,
                    metric=None,
                    manifest=None,
                    text=f"{model} in {stage} is no longer watched: no trigger says so",
                )
                self._tell([event])

    def finish(self) -> RoundResult:
        """Remember, look after what was done, tell of what cannot be watched."""
        self._complain(self.problems)
        known = len(self.problems)
        self._remember(self.said)
        # Every commit has landed by now: nobody waits for who is told, or for checks.
        self.acted = [one.rest() if one.rest else one for one in self.acted]
        self._complain(self.problems[known:])
        for wait in self.waits:
            wait()
        with suppress(OutsideError):  # then it is missed, which is right
            self._beat()
        return RoundResult(
            commit=self.scene.commit if self.scene else "",
            stages=tuple(self.reports[key] for key in sorted(self.reports)),
            events=tuple(self.events),
            acted=tuple(self.acted),
            problems=tuple(self.problems),
            dry_run=self.options.dry_run,
        )

    def _remember(self, told: Collection[str]) -> None:
        """Keep what is known so far, and what people have heard of."""
        memory = Memory(self.states, frozenset(sorted(told)[:_MOST_TOLD]))
        try:
            self.store.remember(memory)
            self.unwritten = None
        except OutsideError as error:  # the others are to be watched all the same
            self.problems.append(Problem(error.code, error.message))
            self.unwritten = replace(
                memory, told=memory.told | {_mark(self.problems[-1])}
            )

    def _complain(self, problems: Sequence[Problem]) -> None:
        """Tell of problems that nobody has heard of: first of what was watched."""
        known = {layout.trigger_path(key.partition("/")[2]) for key in self.states}
        fresh = [one for one in problems if _mark(one) not in self.memory.told]
        self.said.update(map(_mark, problems))
        fresh.sort(key=lambda problem: problem.path not in known)
        told = [f"not watched: {problem}" for problem in fresh[:_MOST_HEARD]]
        if more := len(fresh) - len(told):
            told.append(f"not watched: {more:,} more; gitmodel watch --once  shows all")
        for reason in told:
            self._notify(
                Event(
                    type="trigger_alert",
                    time=to_text(self._now()),
                    reason=one_line(reason),
                    severity="critical",
                )
            )

    def _now(self) -> datetime:
        return self.handle.context.clock.now()

    def _due(self, scene: Scene) -> Iterator[Due]:
        now = self._now()
        for key, place in scene.places.items():
            state = self._restored(key, place, quiet=True)
            same = (
                state is not None
                and place.live is not None
                and (state.manifest, state.since)
                == (place.live.manifest, place.live.since)
            )
            began = min(place.live.since, now) if place.live else now
            if state and same:
                began = state.began
            metrics = [
                metric
                for metric in place.trigger.of_stage(place.stage)
                if place.live is not None
                and is_due(
                    metric,
                    state.metrics.get(metric.name) if state and same else None,
                    began,
                    now,
                )
            ]
            yield Due(place, metrics, began)

    def _restored(self, key: str, place: Place, *, quiet: bool) -> StageState | None:
        found = "unreadable" if self.memory.broken else self.memory.stages.get(key)
        state, events = restore(found, place.model, place.stage, self._now())
        if not quiet:
            self._tell(events)
        return state

    def _step(self, place: Place, readings: Mapping[str, Reading]) -> None:
        state = self._restored(place.key, place, quiet=False)
        monotonic, last = time.monotonic(), self.stepped.get(place.key)
        self.stepped[place.key] = monotonic
        found = step(
            place.trigger,
            place.stage,
            state,
            Round(
                now=self._now(),
                elapsed=None if last is None else timedelta(seconds=monotonic - last),
                live=place.live,
                readings=readings,
                logged=place.logged,
                dry_run=self.options.dry_run,
            ),
        )
        self._tell(found.events)
        state = found.state
        for decision in found.decisions:
            acted = act(self.handle, decision, push=self.options.push)
            self.acted.append(acted)
            if acted.status in {"void", "postponed"}:
                state = void(state, decision)
        if state.is_worth_keeping:
            self.states[place.key] = state_json(state)
        if found.decisions:
            self._remember({*self.memory.told, *self.said})
        self.reports[place.key] = _report(place, state, readings)

    def _tell(self, events: Sequence[WatchEvent]) -> None:
        """Keep events in the clone, and tell people unless this is a rehearsal."""
        self.events += events
        try:
            self.store.keep(event.to_dict() for event in events)
        except OutsideError as error:  # what is to be done matters more
            self.problems.append(Problem(error.code, error.message))
        urgent = sorted(events, key=lambda event: _LEVELS.index(event.level))
        for event in urgent[:_MOST_HEARD]:
            self._notify(_event(event))
        if rest := urgent[_MOST_HEARD:]:
            text = f"{len(rest)} more events; .git/gitmodel/watch/events.jsonl has them"
            self._notify(_event(replace(rest[0], metric=None, text=text)))

    def _notify(self, event: Event) -> None:
        if not self.options.dry_run:
            self.waits.append(begin(self.handle, event))

    def _beat(self) -> None:
        now, until = self._now(), None
        if self.options.interval is not None:
            until = now + timedelta(seconds=self.options.patience)
        self.store.beat(Heartbeat(now, until, os.getpid()))


def _mark(problem: Problem) -> str:
    """Return what stands for a problem among those that people have heard of."""
    said = f"{problem.code} {problem.path} {problem.message}"
    return Digest.of(said.encode("utf-8", "backslashreplace")).hex[:16]


def _event(event: WatchEvent) -> Event:
    text = f"{event.metric}: {event.text}" if event.metric else event.text
    return Event(
        type=_TYPES.get(event.kind, "trigger_alert"),
        time=to_text(event.at),
        reason=text,
        model=event.model,
        stage=event.stage,
        dry_run=event.dry_run,
        severity=event.level,
        details={"kind": event.kind, "manifest": str(event.manifest)},
    )


def _report(
    place: Place, state: StageState, readings: Mapping[str, Reading]
) -> StageReport:
    metrics = []
    for metric in place.trigger.of_stage(place.stage):
        found = state.metrics.get(metric.name)
        report = MetricReport(
            metric.name, metric.severity, found.phase if found else "unknown"
        )
        if metric.name in readings and place.live is not None:
            verdict = judge_reading(
                metric, readings[metric.name], place.live.baseline, 0.0
            )
            report = replace(report, outcome=verdict.outcome, detail=verdict.reason)
        metrics.append(report)
    return StageReport(place.model, place.stage, place.version, tuple(metrics))
