"""Triggers in words: what is watched, when it fails, and what then happens (R169)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.conditions import Conditions, Drop, Flag, Judge, ThresholdRange
from gitmodel.domain.sources import (
    AlertmanagerSource,
    ExecSource,
    FileSource,
    IntegritySource,
    PrometheusSource,
    Source,
    WebSource,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from gitmodel.domain.trigger import Action, RollbackTrigger, Safety, WatchedMetric

_ACTIONS: Mapping[Action, str] = {
    "alert": "people are told",
    "propose": "a rollback is proposed, for people to land",
    "rollback": "the stage is rolled back",
    "emergency": "the stage is rolled back, what was live goes into quarantine, and an "
    "incident is opened",
}
_NO_DATA = {
    "ignore": "nothing",
    "alert": "people are told",
    "fail": "it counts as a failure, which at most proposes",
}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def source_words(source: Source) -> str:
    """Say where a result comes from."""
    match source:
        case PrometheusSource():
            return f"Prometheus {source.address}: {source.query}"
        case WebSource():
            return _part(f"{source.method} {source.url}", source.json_path)
        case FileSource(preset="evidently"):
            return f"Evidently's report {source.path}"
        case FileSource():
            return _part(source.path, source.json_path)
        case ExecSource():
            return _part(" ".join(source.argv), source.json_path)
        case AlertmanagerSource():
            labels = "".join(f", {name}={value}" for name, value in source.labels)
            return f"alert {source.alertname}{labels}"
        case IntegritySource():
            return f"files served in {source.path}"


def judge_words(judge: Judge) -> str:
    """Say when a result is bad."""
    match judge:
        case Conditions(success=None, failure=failure) if failure is not None:
            return failure.text
        case Conditions(success=success, failure=None) if success is not None:
            return f"not: {success.text}"
        case Conditions(success=success, failure=failure):
            good = success.text if success else ""
            bad = failure.text if failure else ""
            return f"{bad} (good: {good}; else undecided)"
        case ThresholdRange(minimum=low, maximum=high):
            bounds = [
                f"less than {low:g}" if low is not None else "",
                f"more than {high:g}" if high is not None else "",
            ]
            return " or ".join(filter(None, bounds))
        case Drop():
            of = f"{judge.set}.{judge.name}"
            return f"worse than the manifest's {of} by more than {judge.by:g}"
        case Flag():
            return "there is something"


def row_words(metric: WatchedMetric) -> str:
    """Say how sure it has to be."""
    times = "once" if metric.failure_limit == 1 else f"{metric.failure_limit} times"
    said = f"{times} in a row, every {time_words(metric.interval)}"
    if metric.initial_delay:
        said += f", from {time_words(metric.initial_delay)} after it came in"
    if metric.samples is not None:
        said += f", of {metric.samples.minimum:g} samples or more"
    return said


def action_words(trigger: RollbackTrigger, metric: WatchedMetric) -> str:
    """Say what happens when it fails."""
    said = _ACTIONS[trigger.action_of(metric)]
    dry = metric.dry_run or trigger.safety.dry_run
    return f"only said (dry run): {said}" if dry else said


def no_data_words(metric: WatchedMetric) -> str:
    """Say what no data means."""
    return _NO_DATA[metric.on_no_data]


def safety_words(safety: Safety) -> str:
    """Say what limits there are, in one sentence."""
    said = (
        f"At most {safety.max_rollbacks} rollbacks in {time_words(safety.window)} "
        f"without a person, {time_words(safety.cooldown)} apart"
    )
    if safety.hysteresis:
        said += f"; a bound must be met by {safety.hysteresis:g} to have recovered"
    if safety.freeze:
        said += f"; frozen at {_times(len(safety.freeze))}"
    return f"{said}."


def time_words(time: timedelta) -> str:
    """Return a length of time as triggers write it."""
    seconds = int(time.total_seconds())
    for unit, length in _UNITS:
        if seconds % length == 0 and seconds >= length:
            return f"{seconds // length}{unit}"
    return "0s"


def _times(number: int) -> str:
    return "one time" if number == 1 else f"{number} times"


def _part(place: str, json_path: str | None) -> str:
    return f"{place} {json_path}" if json_path else place
