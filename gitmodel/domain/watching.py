"""One stage, one round further: what was measured becomes events and decisions.

A pure function of what is remembered, what was measured, what is live and what time
it is. What holds of it, whatever comes in (R164, R170, R171):

1. errors, no data and NaN never decide a rollback, and never make a metric healthy;
2. a decision names the manifest that it is about, so that it is void once another is
   live; another manifest begins with ``warmup``;
3. automation rolls back at most ``maxRollbacks`` times per window, by its own memory
   and by the registry's log; then it is frozen until a person has moved the stage;
4. what it rolled back from is condemned: should automation ever bring it back, it is
   frozen, so that two bad versions cannot take turns;
5. a measurement counts once, and only for the version that it was taken of;
6. when the clock jumps, counting begins anew, and what is remembered moves with it;
7. no metric keeps another from being judged;
8. a dry run says the same, and has a ledger of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from gitmodel.domain.digest import Digest
from gitmodel.domain.trigger import ACTIONS, SEVERITIES
from gitmodel.domain.watch_event import Decision, Level, WatchEvent, one_line
from gitmodel.domain.watch_limits import leave_to
from gitmodel.domain.watch_metric import Reading, Span, Stepped, step_metric
from gitmodel.domain.watch_state import Ledger, MetricState, StageState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitmodel.domain.conditions import Baseline
    from gitmodel.domain.trigger import Action, RollbackTrigger, WatchedMetric
    from gitmodel.domain.watch_event import Kind

#: Two clocks of one machine may differ by that much before one of them jumped.
_JUMP = timedelta(minutes=1)
_LEVELS: Mapping[str, Level] = {
    "low": "info",
    "medium": "warning",
    "high": "warning",
    "critical": "critical",
}
_TOLD: Mapping[str, Level] = {
    "broken": "warning",
    "restored": "info",
    "no_data": "warning",
    "undecided": "warning",
    "recovered": "info",
}


@dataclass(frozen=True, slots=True)
class Live:
    """What a stage holds.

    Attributes:
        since: When it came in, by whoever says so.
        automated: Whether automation put it there.
        baseline: The metrics of its manifest.
    """

    manifest: Digest
    since: datetime
    automated: bool
    baseline: Baseline = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came in.

    Attributes:
        now: The time, after everything was measured.
        elapsed: Time since the last round, by a clock that nobody sets; None after a
            restart.
        live: What the stage holds; None for nothing.
        readings: What was measured, by metric; none of those that were not due.
        logged: When automation rolled the stage back, by the registry's log.
        dry_run: Whether nothing is to come of it.
    """

    now: datetime
    live: Live | None
    elapsed: timedelta | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict)
    logged: tuple[datetime, ...] = ()
    dry_run: bool = False


class Step(NamedTuple):
    """What came out; at most one decision, and one of a dry run."""

    state: StageState
    events: tuple[WatchEvent, ...]
    decisions: tuple[Decision, ...]


def step(
    trigger: RollbackTrigger, stage: str, state: StageState | None, given: Round
) -> Step:
    """Go one round further.

    Args:
        trigger: What is watched.
        stage: Of which stage.
        state: What was remembered; None at the beginning.
        given: What came in.
    """
    found = _Step(trigger, stage, state, given)
    jumped = found.follow_clock(first=state is None)
    found.miss()
    found.follow_live()
    failing = found.measure({} if jumped else given.readings)
    for metric, stepped in sorted(failing, key=found.urgency, reverse=True):
        found.act(metric, stepped)
    return Step(found.state, tuple(found.events), tuple(found.decisions))


def void(state: StageState, decision: Decision) -> StageState:
    """Return what is remembered without a decision that came to nothing.

    Somebody was faster, or at work: then nothing is spent, and the metrics may act.
    """
    metrics = {
        name: replace(metric, phase="firing", acted=None, acted_at=None)
        if metric.acted_at == decision.at
        else metric
        for name, metric in state.metrics.items()
    }
    ledger = state.real.without(decision.at, decision.manifest)
    return replace(state, metrics=metrics, real=ledger)


class _Step:
    """One step in the making."""

    def __init__(
        self,
        trigger: RollbackTrigger,
        stage: str,
        state: StageState | None,
        given: Round,
    ) -> None:
        self.trigger = trigger
        self.stage = stage
        self.given = given
        self.now = given.now
        self.state = state or StageState(
            manifest=None, since=None, began=given.now, stepped=given.now
        )
        self.events: list[WatchEvent] = []
        self.decisions: list[Decision] = []

    def follow_clock(self, *, first: bool) -> bool:
        """Note what time it is; say whether the clock jumped since the last round."""
        passed = self.now - self.state.stepped
        drift = passed - self.given.elapsed if self.given.elapsed is not None else None
        if drift is None:
            drift = min(passed, timedelta())  # after a restart, only back is certain
        jumped = not first and abs(drift) > _JUMP
        if jumped:
            self.state = self.state.moved(drift)
            self._tell("clock", "warning", f"the clock jumped by {drift}")
        self.state = replace(self.state, stepped=self.now)
        return jumped

    def miss(self) -> None:
        """Tell of metrics that are not watched any more: somebody took them out."""
        known = {metric.name for metric in self.trigger.of_stage(self.stage)}
        for name in sorted(self.state.metrics.keys() - known):
            self._tell("gone", "warning", f"the metric {name} is no longer watched")

    def follow_live(self) -> None:
        """Begin anew if something else is live, or the same once more."""
        live, state = self.given.live, self.state
        if live is None:
            self.state = replace(state, manifest=None, since=None, metrics={})
            return
        if (live.manifest, live.since) == (state.manifest, state.since):
            return
        self.state = StageState(
            manifest=live.manifest,
            since=live.since,
            # A time to come would be a way never to be watched.
            began=min(live.since, self.now),
            stepped=self.now,
            real=state.real,
            rehearsal=state.rehearsal,
        )
        if not live.automated:
            self.state = replace(
                self.state,
                real=state.real.released(live.manifest),
                rehearsal=state.rehearsal.released(live.manifest),
            )
        elif live.manifest in state.real.condemned and not state.real.frozen:
            self._set_ledger(replace(state.real, frozen=True), dry=False)
            text = "automation brought back what it had rolled back from"
            self._tell("frozen", "critical", f"{text}; a person must look at it")

    def measure(
        self, readings: Mapping[str, Reading]
    ) -> list[tuple[WatchedMetric, Stepped]]:
        """Take in what was measured; return the metrics that fail often enough."""
        live = self.given.live
        if live is None:
            return []
        span = Span(self.state.began, self.now)
        metrics, failing = {}, []
        for metric in self.trigger.of_stage(self.stage):
            stepped = step_metric(
                metric,
                self._known(metric),
                readings.get(metric.name),
                span,
                live.baseline,
                self.trigger.safety,
            )
            metrics[metric.name] = stepped.state
            for kind, text in stepped.tellings:
                self._tell(kind, _TOLD[kind], text, metric)
            if stepped.failing:
                failing.append((metric, stepped))
        self.state = replace(self.state, metrics=metrics)
        return failing

    def _known(self, metric: WatchedMetric) -> MetricState:
        """Return what is remembered of a metric, as long as it is the same metric.

        What was done as a rehearsal, or by other bounds, must not keep it from acting.
        """
        wish = (metric, self.trigger.action_of(metric), self._is_dry(metric))
        of = Digest.of(repr(wish).encode()).hex[:16]
        found = self.state.metrics.get(metric.name)
        if found is None or found.of != of:
            return MetricState(of=of, measured_at=found.measured_at if found else None)
        return found

    def urgency(self, failing: tuple[WatchedMetric, Stepped]) -> tuple[int, int]:
        """Return how much a failing metric asks for, for sorting."""
        metric, stepped = failing
        wanted = ACTIONS.index(self._wanted(metric, stepped))
        return wanted, SEVERITIES.index(metric.severity)

    def act(self, metric: WatchedMetric, stepped: Stepped) -> None:
        """Do what a failing metric asks for, or say why not."""
        wanted = self._wanted(metric, stepped)
        level = _LEVELS[metric.severity]
        if wanted == "alert":
            self._tell("alert", level, stepped.reason, metric)
            self._acted(metric, wanted)
        elif (done := self._done(metric, wanted)) is not None:
            text = f"{stepped.reason}; {done} has led to the same or more already"
            self._tell("joined", level, text, metric)
            self._acted(metric, wanted)
        else:
            self._act_or_hold(metric, wanted, stepped.reason)

    def _act_or_hold(self, metric: WatchedMetric, wanted: Action, reason: str) -> None:
        dry = self._is_dry(metric)
        ledger = self.state.rehearsal if dry else self.state.real
        leave = leave_to(
            wanted, ledger, self.trigger.safety, self.now, self.given.logged
        )
        if leave.bar == "budget":
            self._set_ledger(replace(ledger, frozen=True), dry=dry)
            self._tell("frozen", "critical", f"{reason}; {leave.reason}", metric)
            self._hear(metric, "held:frozen")
        elif leave.bar:
            if self._hear(metric, f"held:{leave.bar}"):
                text = f"{reason}; no {wanted} now: {leave.reason}"
                level: Level = "critical" if wanted != "propose" else "warning"
                self._tell("held", level, text, metric)
        else:
            self._decide(metric, wanted, reason, ledger)

    def _decide(
        self, metric: WatchedMetric, wanted: Action, reason: str, ledger: Ledger
    ) -> None:
        manifest, dry = self.state.manifest, self._is_dry(metric)
        if manifest is None:
            return
        self.decisions.append(
            Decision(
                action=wanted,
                model=self.trigger.model,
                stage=self.stage,
                manifest=manifest,
                metric=metric.name,
                reason=one_line(f"{metric.name} ({metric.severity}): {reason}"),
                at=self.now,
                dry_run=dry,
            )
        )
        if wanted == "propose":
            ledger = replace(ledger, proposed_at=self.now)
        else:
            ledger = ledger.with_rollback(self.now, manifest)
        self._set_ledger(ledger, dry=dry)
        level: Level = "warning" if wanted == "propose" else "critical"
        self._tell(wanted, level, reason, metric)
        self._acted(metric, wanted)

    def _wanted(self, metric: WatchedMetric, stepped: Stepped) -> Action:
        wanted = self.trigger.action_of(metric)
        if stepped.failing == "fully":
            return wanted
        return min(wanted, "propose", key=ACTIONS.index)  # no data proves nothing

    def _is_dry(self, metric: WatchedMetric) -> bool:
        return self.given.dry_run or self.trigger.safety.dry_run or metric.dry_run

    def _done(self, metric: WatchedMetric, wanted: Action) -> str | None:
        """Return another metric that had as much done about this version."""
        for other in self.trigger.of_stage(self.stage):
            found = self.state.metrics[other.name]
            if (
                found.phase == "acted"
                and found.acted is not None
                and ACTIONS.index(found.acted) >= ACTIONS.index(wanted)
                and self._is_dry(other) == self._is_dry(metric)
            ):
                return other.name
        return None

    def _acted(self, metric: WatchedMetric, action: Action) -> None:
        found = self.state.metrics[metric.name]
        self._set_metric(
            metric, replace(found, phase="acted", acted=action, acted_at=self.now)
        )

    def _hear(self, metric: WatchedMetric, what: str) -> bool:
        """Note that people hear this; say whether they had not."""
        found = self.state.metrics[metric.name]
        self._set_metric(metric, replace(found, told=found.told | {what}))
        return what not in found.told

    def _set_metric(self, metric: WatchedMetric, state: MetricState) -> None:
        metrics = {**self.state.metrics, metric.name: state}
        self.state = replace(self.state, metrics=metrics)

    def _set_ledger(self, ledger: Ledger, *, dry: bool) -> None:
        if dry:
            self.state = replace(self.state, rehearsal=ledger)
        else:
            self.state = replace(self.state, real=ledger)

    def _tell(
        self, kind: Kind, level: Level, text: str, metric: WatchedMetric | None = None
    ) -> None:
        self.events.append(
            WatchEvent(
                kind=kind,
                level=level,
                at=self.now,
                model=self.trigger.model,
                stage=self.stage,
                metric=metric.name if metric else None,
                manifest=self.state.manifest,
                text=one_line(text),
                dry_run=self._is_dry(metric) if metric else self.given.dry_run,
            )
        )
