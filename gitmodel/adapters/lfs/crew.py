"""Threads that work on one task and stop together when one of them fails.

Reading, writing, hashing and syncing let go of the interpreter lock, so threads
help. The first failure ends the work: the others notice at their next ``check`` or
``advance``, and leaving the ``with`` block raises it once all have ended.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")

#: The most threads in one pool.
LIMIT = 8


def workers_for(tasks: int, wanted: int | None = None) -> int:
    """Return how many threads to hire: as wanted, else one for each processor."""
    return max(1, min(wanted or os.cpu_count() or 1, tasks, LIMIT))


class StoppedError(Exception):
    """Something else has failed; never seen outside of a crew."""


class Crew:
    """Pools of threads, one listener, and a bound on what is under way."""

    def __init__(
        self, advance: Callable[[int], None], *pools: int, places: int = 1
    ) -> None:
        """Hire threads.

        Args:
            advance: Is told counts of bytes, by one thread at a time; what it
                raises stops the work.
            pools: The number of threads of each pool, at most ``LIMIT``; work moves
                from the first pool to the last.
            places: How often ``enter`` succeeds before somebody has to ``leave``.
        """
        self._advance = advance
        self._pools = [ThreadPoolExecutor(size) for size in pools]
        self._places = threading.Semaphore(places)
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            self._fail(error)
        for pool in self._pools:
            pool.shutdown()
        if self._failure is not None and self._failure is not error:
            raise self._failure

    def submit(self, pool: int, step: Callable[[], _Result]) -> Future[_Result]:
        """Have ``step`` done by a thread of a pool."""
        return self._pools[pool].submit(self._guard, step)

    def enter(self, places: int) -> None:
        """Take places, waiting until there are some; first come, first served.

        Raises:
            StoppedError: Something has failed meanwhile.
        """
        self.check()
        for _ in range(places):
            self._places.acquire()
        self.check()

    def leave(self) -> None:
        """Give one place back."""
        self._places.release()

    def check(self) -> None:
        """Go on only if nothing has failed.

        Raises:
            StoppedError: Something has.
        """
        if self._failure is not None:
            raise StoppedError

    def advance(self, count: int) -> None:
        """Tell the listener; the work may end here, as in ``check``."""
        with self._lock:
            self.check()
            self._advance(count)

    def _guard(self, step: Callable[[], _Result]) -> _Result:
        try:
            return step()
        except StoppedError:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
        self._places.release(LIMIT * LIMIT)  # nobody waits for a place any more
