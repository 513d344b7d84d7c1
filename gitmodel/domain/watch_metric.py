"""One metric, one measurement further: what is counted, and what people are told.

warmup → unknown → healthy ↔ suspect → firing → acted → cooldown → healthy

- Only what was measured counts: errors and no data end a row of failures once people
  are told of them, and never add to it. With ``onNoData: fail`` no data does add, but
  a row that needs it never does more than propose.
- A row of failures ends with ``consecutiveSuccessLimit`` successes in a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from gitmodel.domain.conditions import Verdict, judge_value
from gitmodel.domain.expression_values import UndecidedError, number
from gitmodel.domain.sources import AlertmanagerSource

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.domain.conditions import Baseline
    from gitmodel.domain.measurement import Measurement
    from gitmodel.domain.trigger import Safety, WatchedMetric
    from gitmodel.domain.watch_event import Kind
    from gitmodel.domain.watch_state import MetricState, Phase

#: A measurement may be that much later than the round that it belongs to.
_AHEAD = timedelta(minutes=1)
#: No two count that are nearer to each other; a little, as rounds are not punctual.
_PUNCTUAL = 0.9
_FORGOTTEN = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured of a metric in one round.

    Attributes:
        samples: How much was seen, where ``minSamples`` asks for it.
    """

    measurement: Measurement
    samples: Measurement | None = None


class Span(NamedTuple):
    """Since when a version is live, and what time it is."""

    began: datetime
    now: datetime


class Telling(NamedTuple):
    """Something to tell people of one metric."""

    kind: Kind
    text: str


class Stepped(NamedTuple):
    """A metric after a measurement.

    Attributes:
        failing: Whether it just failed, often enough to act; ``gap``: only if
            missing data is counted.
    """

    state: MetricState
    tellings: tuple[Telling, ...] = ()
    failing: Literal["", "gap", "fully"] = ""
    reason: str = ""


def is_warm(metric: WatchedMetric, began: datetime, now: datetime) -> bool:
    """Say whether what is live has been so for long enough to be measured."""
    return now - began >= metric.initial_delay


def is_due(
    metric: WatchedMetric, state: MetricState | None, began: datetime, now: datetime
) -> bool:
    """Say whether it is time to measure; alerts have come by themselves."""
    if not is_warm(metric, began, now):
        return False
    if isinstance(metric.source, AlertmanagerSource):
        return True
    last = state.measured_at if state else None
    return last is None or now - last >= _PUNCTUAL * metric.interval


def judge_reading(
    metric: WatchedMetric, reading: Reading, baseline: Baseline, slack: float
) -> Verdict:
    """Say what a reading means; only a value that enough was seen for means much."""
    taken = reading.measurement
    if taken.status != "value":
        return Verdict(taken.status, taken.detail)
    if metric.samples is not None:
        few = _too_few(metric.samples.minimum, reading.samples)
        if few is not None:
            return few
    return judge_value(metric.judge, taken.value, baseline, slack)


def step_metric(
    metric: WatchedMetric,
    state: MetricState,
    reading: Reading | None,
    span: Span,
    baseline: Baseline,
    safety: Safety,
) -> Stepped:
    """Take in a reading, or only that time has passed.

    Args:
        metric: The metric.
        state: What was known of it.
        reading: What was measured; None for nothing.
        span: Since when this is live, and what time it is.
        baseline: The metrics of the manifest.
        safety: The limits.
    """
    if not is_warm(metric, span.began, span.now):
        return Stepped(replace(state, phase="warmup"))
    state = _rearmed(state, span.now, safety)
    if reading is None:
        return Stepped(state)
    taken = reading.measurement.taken_at
    if not _counts(metric, state, reading.measurement, span):
        return Stepped(state)
    last, gap = state.measured_at, max(safety.window, _FORGOTTEN * metric.interval)
    if last is not None and taken - last > gap:
        state = state.anew()  # what failed days ago is in no row with this
    state = replace(state, measured_at=taken)
    verdict = judge_reading(metric, reading, baseline, safety.hysteresis)
    match verdict.outcome:
        case "error":
            return _error(metric, state, verdict)
        case "no_data":
            return _no_data(metric, state, verdict)
        case "inconclusive":
            return _inconclusive(metric, state, verdict)
        case "failed":
            state, tellings = _answered(state)
            state = replace(state, failures=state.failures + 1, undecided=0)
            return _row(metric, state, verdict, tellings)
        case "passed" | "within":
            return _passed(metric, state, verdict)


def _rearmed(state: MetricState, now: datetime, safety: Safety) -> MetricState:
    if state.phase == "warmup":
        return replace(state, phase="unknown")
    if state.phase != "cooldown" or state.acted_at is None:
        return state
    if now - state.acted_at < safety.cooldown:
        return state
    phase: Phase = "suspect" if state.failures or state.gaps else "healthy"
    return replace(state, phase=phase, acted=None, acted_at=None)


def _counts(
    metric: WatchedMetric, state: MetricState, found: Measurement, span: Span
) -> bool:
    """Say whether a measurement is about what is live, and neither old nor a copy."""
    taken, last = found.taken_at, state.measured_at
    if not span.began <= taken <= span.now + _AHEAD:
        return False
    if last is None or taken - last >= _PUNCTUAL * metric.interval:
        return True
    # The first alert need not wait; those that follow it come at intervals again.
    pushed = isinstance(metric.source, AlertmanagerSource) and bool(found.value)
    return pushed and not state.failures and taken > last


def _too_few(minimum: float, samples: Measurement | None) -> Verdict | None:
    """Return the verdict where too little was seen; None where enough was."""
    if samples is None or samples.status == "error":
        detail = samples.detail if samples else "it was not measured"
        return Verdict("error", f"how many samples there are is unknown: {detail}")
    value = samples.value if samples.status == "value" else 0
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else value
    try:
        seen = number(value)
    except UndecidedError as error:
        return Verdict("error", f"how many samples there are is unknown: {error}")
    if seen >= minimum:
        return None
    return Verdict("inconclusive", f"{seen:g} samples, of {minimum:g} that it takes")


def _answered(
    state: MetricState, *said: str
) -> tuple[MetricState, tuple[Telling, ...]]:
    """Note that a source works, and tell people who know that it did not."""
    over = state.told & ({"error", "no_data"} - set(said))
    kept = state.missing if "no_data" in said else 0
    state = replace(state, errors=0, missing=kept, told=state.told - over)
    return state, (Telling("restored", "it answers again"),) if over else ()


def _lost(state: MetricState) -> MetricState:
    """Return it with its row ended: too much of it could not be seen."""
    counted = (state.errors, state.missing, state.undecided)
    errors, missing, undecided = counted
    return replace(state.anew(), errors=errors, missing=missing, undecided=undecided)


def _told(state: MetricState, what: str, telling: Telling) -> Stepped:
    if what in state.told:
        return Stepped(state)
    return Stepped(replace(state, told=state.told | {what}), (telling,))


def _error(metric: WatchedMetric, state: MetricState, verdict: Verdict) -> Stepped:
    state = replace(state, errors=state.errors + 1, successes=0)
    if state.errors < metric.error_limit:
        return Stepped(state)
    text = f"{state.errors} errors in a row: {verdict.reason}"
    return _told(_lost(state), "error", Telling("broken", text))


def _no_data(metric: WatchedMetric, state: MetricState, verdict: Verdict) -> Stepped:
    state, tellings = _answered(state, "no_data")
    state = replace(state, missing=state.missing + 1, successes=0)
    if metric.on_no_data == "fail":
        return _row(metric, replace(state, gaps=state.gaps + 1), verdict, tellings)
    if state.missing < metric.error_limit:
        return Stepped(state, tellings)
    state = _lost(state)
    if metric.on_no_data == "ignore":
        return Stepped(state, tellings)
    text = f"no data {state.missing} times in a row: {verdict.reason}"
    found = _told(state, "no_data", Telling("no_data", text))
    return found._replace(tellings=(*tellings, *found.tellings))


def _inconclusive(
    metric: WatchedMetric, state: MetricState, verdict: Verdict
) -> Stepped:
    state, tellings = _answered(state)
    state = replace(state, undecided=state.undecided + 1, successes=0)
    if state.undecided < metric.inconclusive_limit:
        return Stepped(state, tellings)
    text = f"nothing decided {state.undecided} times in a row: {verdict.reason}"
    found = _told(_lost(state), "undecided", Telling("undecided", text))
    return found._replace(tellings=(*tellings, *found.tellings))


def _row(
    metric: WatchedMetric,
    state: MetricState,
    verdict: Verdict,
    tellings: tuple[Telling, ...],
) -> Stepped:
    """Go on with a row of failures."""
    state = replace(state, successes=0)
    if state.phase in {"acted", "cooldown"}:
        return Stepped(state, tellings)
    if state.failures + state.gaps < metric.failure_limit:
        return Stepped(replace(state, phase="suspect"), tellings)
    # What failed often enough before, and was held back, is no proof of now.
    fully = verdict.outcome == "failed" and state.failures >= metric.failure_limit
    times = "once" if metric.failure_limit == 1 else f"{metric.failure_limit} times"
    return Stepped(
        replace(state, phase="firing"),
        tellings,
        "fully" if fully else "gap",
        f"{verdict.reason} ({times} in a row)",
    )


def _passed(metric: WatchedMetric, state: MetricState, verdict: Verdict) -> Stepped:
    state, tellings = _answered(state)
    state = replace(state, undecided=0, told=state.told - {"undecided"})
    failing = bool(state.failures or state.gaps or state.phase == "acted")
    if failing and verdict.outcome == "within":
        return Stepped(replace(state, successes=0), tellings)
    state = replace(state, successes=state.successes + 1)
    if failing and state.successes < metric.success_limit:
        return Stepped(state, tellings)
    recovered = Telling("recovered", verdict.reason)
    if state.phase in {"acted", "firing"}:
        tellings = (*tellings, recovered)
    phase: Phase = "cooldown" if state.phase in {"acted", "cooldown"} else "healthy"
    told = frozenset(one for one in state.told if not one.startswith("held"))
    state = replace(state, phase=phase, failures=0, gaps=0, told=told)
    return Stepped(state, tellings)
