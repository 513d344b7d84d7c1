"""Watches what is live, and acts when it goes wrong: once, or for ever (R162)."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from gitmodel.errors import OutsideError
from gitmodel.operations.watch_round import OneRound, Options, RoundResult
from gitmodel.registry.watch_store import WatchStore

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from gitmodel.adapters.metrics.alertmanager import Inbox
    from gitmodel.operations.watch_scene import Scene
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.watch_store import Memory

_LISTEN = 0.2  # seconds; how long a signal may have to wait


@dataclass(slots=True)
class Watcher:
    """Watches one clone; it keeps what only one process can know.

    Attributes:
        options: How to watch.
        inbox: What Alertmanager has sent; None if nobody listens.
    """

    options: Options
    inbox: Inbox | None = None
    _stepped: dict[str, float] = field(default_factory=dict)
    _scene: Scene | None = None
    _unwritten: Memory | None = None
    _finished: float = field(default_factory=time.monotonic)

    def once(self, handle: RegistryHandle, stop: threading.Event) -> RoundResult:
        """Go one round, as the only watcher in this clone.

        Args:
            handle: The registry.
            stop: Once set, no source is waited for any more.

        Raises:
            ConflictError: Another watcher runs in this clone.
            NotFoundError: There is no registry.
        """
        with self._alone(handle):
            return self._round(handle, stop)

    def run(
        self,
        opened: Callable[[], AbstractContextManager[RegistryHandle]],
        stop: threading.Event,
        told: Callable[[RoundResult], None],
    ) -> None:
        """Go round after round until ``stop`` is set.

        Args:
            opened: Opens the registry, once for each round.
            stop: Ends it, after the round that runs.
            told: Hears of each round.

        Raises:
            ConflictError: Another watcher runs in this clone.
        """
        interval = (self.options.interval or timedelta()).total_seconds()
        with ExitStack() as stack:
            with opened() as handle:
                store = stack.enter_context(self._alone(handle))
            while not stop.is_set():
                began = time.monotonic()
                try:
                    with opened() as handle:
                        told(self._round(handle, stop))
                except OutsideError:
                    # Ctrl-C at a terminal reaches the git that runs for us, too.
                    if not stop.is_set():
                        raise
                self._pause(stop, began + interval)
            # Only a watcher that was asked to end is missed by nobody.
            store.rest()

    @contextmanager
    def _alone(self, handle: RegistryHandle) -> Iterator[WatchStore]:
        store = WatchStore(handle.repository, dry_run=self.options.dry_run)
        with store.hold():
            yield store

    def _round(self, handle: RegistryHandle, stop: threading.Event) -> RoundResult:
        one = OneRound(self.options, handle, self._stepped, self._unwritten)
        one.take_in()
        one.watch(self.inbox, stop, self._scene)
        found = one.finish()
        self._scene = one.scene
        self._unwritten = one.unwritten
        self._finished = time.monotonic()
        return found

    def problem(self) -> str | None:
        """Say what is wrong with this watcher; None if nothing is."""
        silent = time.monotonic() - self._finished
        if self.options.interval is None or silent <= self.options.patience:
            return None
        return f"the last round ended {silent:.0f} s ago"

    def _pause(self, stop: threading.Event, until: float) -> None:
        """Wait for the next round; an alert that comes in begins it at once."""
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if self.inbox is None:
                stop.wait(left)
            elif self.inbox.take(min(left, _LISTEN)):
                return
