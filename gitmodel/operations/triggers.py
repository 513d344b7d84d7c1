"""What triggers mean, for people: a table of what happens when, and a rehearsal.

A rehearsal plays a recorded series to the metrics of a file, with the version that is
live now, and says what would have been decided. It asks no source and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.measurement import Measurement
from gitmodel.domain.watch_metric import Reading, judge_reading
from gitmodel.domain.watching import Live, Round, step
from gitmodel.errors import InputError, NotFoundError, OutsideError
from gitmodel.operations.watch_scene import look_at
from gitmodel.registry import layout
from gitmodel.registry.triggers import load_trigger, parse_trigger, triggered_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.trigger import RollbackTrigger, WatchedMetric
    from gitmodel.domain.watch_event import WatchEvent
    from gitmodel.domain.watch_state import StageState
    from gitmodel.formats.series import Sample
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True)
class Played:
    """One measurement of a rehearsal, and what came of it."""

    sample: Sample
    phase: str
    outcome: str
    reason: str
    events: tuple[WatchEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A series that was played.

    Attributes:
        version: What it was judged for; None if nothing is live.
    """

    model: str
    stage: str
    metric: str
    version: str | None
    played: tuple[Played, ...]

    @property
    def decisions(self) -> tuple[WatchEvent, ...]:
        """What would have been done, of all that would have been told."""
        done = {"alert", "propose", "rollback", "emergency"}
        return tuple(e for each in self.played for e in each.events if e.kind in done)


def rehearse(
    handle: RegistryHandle,
    model: str,
    samples: Sequence[Sample],
    *,
    metric: str | None = None,
) -> Rehearsal:
    """Play a series to a metric, as the file of triggers is in the work tree.

    The version that is live is taken to be so for long enough: nothing is left out for
    ``initialDelay``. ``minSamples`` is taken to be met.

    Args:
        handle: The registry.
        model: Whose triggers.
        samples: What is measured, oldest first.
        metric: Which metric; None for the only one.

    Raises:
        NotFoundError: There is no such metric, or no trigger.
        InputError: The trigger is malformed, or there are several metrics.
    """
    view = handle.view()
    trigger = _of_work_tree(handle, view, model)
    watched = _choose(trigger, metric)
    place = look_at(view, trigger, watched.stage)
    start = samples[0].measurement.taken_at - watched.initial_delay
    baseline = place.live.baseline if place.live else {}
    manifest = place.live.manifest if place.live else Digest.of(b"")
    live = Live(manifest, start, automated=False, baseline=baseline)
    alone = replace(trigger, metrics=(watched,))
    state: StageState | None = None
    played = []
    for sample in samples:
        reading = Reading(sample.measurement, _enough(watched, sample.measurement))
        now = sample.measurement.taken_at
        found = step(
            alone,
            watched.stage,
            state,
            Round(now=now, live=live, readings={watched.name: reading}),
        )
        state = found.state
        verdict = judge_reading(watched, reading, baseline, trigger.safety.hysteresis)
        played.append(
            Played(
                sample,
                state.metrics[watched.name].phase,
                verdict.outcome,
                verdict.reason,
                found.events,
            )
        )
    return Rehearsal(
        model=model,
        stage=watched.stage,
        metric=watched.name,
        version=place.version,
        played=tuple(played),
    )


def explain(view: View, model: str | None = None) -> tuple[RollbackTrigger, ...]:
    """Return the triggers of one model, or of all, as they are at HEAD.

    Raises:
        NotFoundError: There are none.
        InputError: One is malformed.
    """
    models = [model] if model is not None else list(triggered_models(view))
    if not models:
        raise NotFoundError(
            "This registry has no triggers.",
            f"Write {layout.trigger_path('MODEL')} and commit it.",
        )
    return tuple(load_trigger(view, each) for each in models)


def _of_work_tree(handle: RegistryHandle, view: View, model: str) -> RollbackTrigger:
    """Read the file that somebody may be editing; the one at HEAD if there is none."""
    tree = handle.repository.work_tree
    path = layout.trigger_path(model)
    if tree is None or not (tree / path).is_file():
        return load_trigger(view, model)
    try:
        data = (tree / path).read_bytes()
    except OSError as error:
        raise OutsideError(f"{path} cannot be read: {error.strerror}.") from error
    return parse_trigger(view, model, data)


def _choose(trigger: RollbackTrigger, name: str | None) -> WatchedMetric:
    known = ", ".join(metric.name for metric in trigger.metrics)
    if name is None:
        if len(trigger.metrics) == 1:
            return trigger.metrics[0]
        raise InputError(
            f"{trigger.model} has several metrics.", f"--metric one of: {known}"
        )
    for metric in trigger.metrics:
        if metric.name == name:
            return metric
    raise NotFoundError(
        f"{trigger.model} has no metric {name!r} in its triggers.",
        f"Its metrics are: {known}",
    )


def _enough(metric: WatchedMetric, found: Measurement) -> Measurement | None:
    if metric.samples is None:
        return None
    return Measurement("value", metric.samples.minimum, "", found.taken_at)
