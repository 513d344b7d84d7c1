"""Asks all sources side by side; who answers late keeps only its own stage waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from gitmodel.domain.measurement import Measurement
from gitmodel.domain.moment import from_text
from gitmodel.domain.sources import (
    AlertmanagerSource,
    ExecSource,
    FileSource,
    PrometheusSource,
    WebSource,
)
from gitmodel.domain.watch_metric import Reading
from gitmodel.operations.measuring import measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gitmodel.adapters.metrics.alertmanager import Inbox
    from gitmodel.domain.sources import Source
    from gitmodel.domain.trigger import WatchedMetric
    from gitmodel.operations.watch_scene import Place
    from gitmodel.registry.handle import RegistryHandle

_MOST_AT_ONCE = 32
#: Seconds between two looks whether to stop.
_PATIENCE = 0.2


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be measured of one place now."""

    place: Place
    metrics: Sequence[WatchedMetric]


def measure_all(
    handle: RegistryHandle,
    every: Sequence[Due],
    *,
    inbox: Inbox | None,
    stop: threading.Event,
) -> Iterator[tuple[Place, Mapping[str, Reading]]]:
    """Yield each place as soon as all of it is measured.

    Args:
        handle: The registry.
        every: What is due.
        inbox: What Alertmanager sent; None if nobody listens.
        stop: Once set, whoever has not answered is not waited for.
    """
    waiting = {due.place.key: len(due.metrics) for due in every}
    readings: dict[str, dict[str, Reading]] = {key: {} for key in waiting}
    for due in every:
        if not due.metrics:
            yield due.place, {}
    done = _begin(handle, every, inbox, stop)
    while any(waiting.values()) and not stop.is_set():
        try:
            place, name, reading = done.get(timeout=_PATIENCE)
        except Empty:
            continue
        readings[place.key][name] = reading
        waiting[place.key] -= 1
        if not waiting[place.key]:
            yield place, readings[place.key]


def _begin(
    handle: RegistryHandle,
    every: Sequence[Due],
    inbox: Inbox | None,
    stop: threading.Event,
) -> SimpleQueue[tuple[Place, str, Reading]]:
    """Begin to measure; return where the readings come out."""
    todo = SimpleQueue[tuple["Place", "WatchedMetric"]]()
    done = SimpleQueue[tuple["Place", str, Reading]]()
    for due in every:
        for metric in due.metrics:
            todo.put((due.place, metric))

    def work() -> None:
        while not stop.is_set():
            try:
                place, metric = todo.get_nowait()
            except Empty:
                return
            done.put((place, metric.name, _read(handle, place, metric, inbox)))

    # Daemons: who hangs, each for its own time-out, must not keep us from our end.
    for _ in range(min(todo.qsize(), _MOST_AT_ONCE)):
        threading.Thread(target=work, daemon=True).start()
    return done


def _read(
    handle: RegistryHandle, place: Place, metric: WatchedMetric, inbox: Inbox | None
) -> Reading:
    found = _ask(handle, place, metric.source, inbox)
    if isinstance(metric.source, AlertmanagerSource) and place.live is not None:
        found = _since(found, place.live.since)
    if metric.samples is None or found.status != "value":
        return Reading(found)
    source = metric.source
    match source:
        case PrometheusSource():
            source = replace(source, query=metric.samples.query or "")
        case WebSource() | FileSource() | ExecSource():
            source = replace(source, json_path=metric.samples.json_path)
        case _:
            pass  # a trigger that asked for it has been refused
    return Reading(found, _ask(handle, place, source, inbox))


def _ask(
    handle: RegistryHandle, place: Place, source: Source, inbox: Inbox | None
) -> Measurement:
    context = handle.context
    try:
        return measure(
            handle.repository,
            source,
            context.clock,
            artifacts=place.artifacts,
            environment=context.environment,
            inbox=inbox,
        )
    except Exception as error:  # noqa: BLE001 one source must not end the watch
        detail = f"gitmodel has a bug: {type(error).__name__}: {error}"
        return Measurement("error", None, detail, context.clock.now())


def _since(found: Measurement, since: datetime) -> Measurement:
    """Leave out alerts that began before what is live came in: they are of another."""
    if found.status != "value":
        return found
    alerts = [one for one in found.value if from_text(one["startsAt"]) >= since]
    return replace(found, value=alerts)
