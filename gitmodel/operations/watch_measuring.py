"""Asks all sources side by side; who answers late keeps only its own stage waiting."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from itertools import zip_longest
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from gitmodel.domain.measurement import Measurement
from gitmodel.domain.moment import from_text
from gitmodel.domain.sources import (
    LONGEST_TIMEOUT,
    AlertmanagerSource,
    ExecSource,
    FileSource,
    PrometheusSource,
    WebSource,
)
from gitmodel.domain.watch_metric import Reading
from gitmodel.operations.measuring import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gitmodel.adapters.metrics.alertmanager import Inbox
    from gitmodel.domain.sources import Source
    from gitmodel.domain.trigger import WatchedMetric
    from gitmodel.operations.watch_scene import Place
    from gitmodel.registry.handle import RegistryHandle

_MOST_AT_ONCE = 32
#: Seconds between two looks whether to stop.
_PATIENCE = 0.2
#: Seconds for all of a round. Who has not answered then can only be one of many.
LONGEST = LONGEST_TIMEOUT.total_seconds() + 10


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be measured of one place now.

    Attributes:
        began: Since when its version is live, by this machine's clock.
    """

    place: Place
    metrics: Sequence[WatchedMetric]
    began: datetime


def measure_all(
    handle: RegistryHandle,
    every: Sequence[Due],
    *,
    inbox: Inbox | None,
    stop: threading.Event,
    seconds: float = LONGEST,
) -> Iterator[tuple[Place, Mapping[str, Reading]]]:
    """Yield each place as soon as all of it is measured.

    Places take turns, so that one with many slow sources keeps no other waiting.

    Args:
        handle: The registry.
        every: What is due.
        inbox: What Alertmanager sent; None if nobody listens.
        stop: Once set, whoever has not answered is not waited for.
        seconds: After which nobody is waited for: that is an error of the source.
    """
    waiting = {due.place.key: len(due.metrics) for due in every}
    readings: dict[str, dict[str, Reading]] = {key: {} for key in waiting}
    for due in every:
        if not due.metrics:
            yield due.place, {}
    over = threading.Event()
    done = _begin(handle, every, inbox, lambda: stop.is_set() or over.is_set())
    end = time.monotonic() + seconds
    while any(waiting.values()) and not stop.is_set() and time.monotonic() < end:
        try:
            place, name, reading = done.get(timeout=_PATIENCE)
        except Empty:
            continue
        readings[place.key][name] = reading
        waiting[place.key] -= 1
        if not waiting[place.key]:
            yield place, readings[place.key]
    over.set()
    if not stop.is_set():
        for due in every:
            if waiting[due.place.key]:
                yield due.place, _in_vain(due, readings[due.place.key], handle)


def _in_vain(
    due: Due, known: Mapping[str, Reading], handle: RegistryHandle
) -> Mapping[str, Reading]:
    """Return what was measured in time, and for the rest that it was not."""
    late = _error(handle, "there was no time left to ask: other sources are slow")
    return {metric.name: known.get(metric.name, late) for metric in due.metrics}


def _begin(
    handle: RegistryHandle,
    every: Sequence[Due],
    inbox: Inbox | None,
    is_over: Callable[[], bool],
) -> SimpleQueue[tuple[Place, str, Reading]]:
    """Begin to measure; return where the readings come out."""
    todo = SimpleQueue[tuple["Due", "WatchedMetric"]]()
    done = SimpleQueue[tuple["Place", str, Reading]]()
    for turn in zip_longest(*(due.metrics for due in every)):
        for due, metric in zip(every, turn, strict=True):
            if metric is not None:
                todo.put((due, metric))

    def work() -> None:
        while not is_over():
            try:
                due, metric = todo.get_nowait()
            except Empty:
                return
            try:
                reading = _read(handle, due, metric, inbox)
            except Exception as error:  # noqa: BLE001 one source must not end the watch
                said = f"gitmodel has a bug: {type(error).__name__}: {error}"
                reading = _error(handle, said)
            done.put((due.place, metric.name, reading))

    # Daemons: who hangs, each for its own time-out, must not keep us from our end.
    for _ in range(min(todo.qsize(), _MOST_AT_ONCE)):
        threading.Thread(target=work, daemon=True).start()
    return done


def _read(
    handle: RegistryHandle, due: Due, metric: WatchedMetric, inbox: Inbox | None
) -> Reading:
    place = due.place
    found = _ask(handle, place, metric.source, inbox)
    if isinstance(metric.source, AlertmanagerSource):
        found = _about(found, due.began)
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
    return measure(
        handle.repository,
        source,
        context.clock,
        artifacts=place.artifacts,
        environment=context.environment,
        inbox=inbox,
    )


def _error(handle: RegistryHandle, said: str) -> Reading:
    return Reading(Measurement("error", None, said, handle.context.clock.now()))


def _about(found: Measurement, began: datetime) -> Measurement:
    """Leave out alerts that are not about what is live.

    One that began before that, or just then, is about another version. One that is to
    begin in the future counts when it does: else it would be about whatever comes
    after a rollback, too.
    """
    if found.status != "value":
        return found
    alerts = [
        one
        for one in found.value
        if began < from_text(one["startsAt"]) <= found.taken_at
    ]
    return replace(found, value=alerts)
