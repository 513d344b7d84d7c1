"""Spreads pure work over the processors, by forking; anywhere else it is not spread.

The children share the parent's memory as it was and send one small value back. They
must not use what cannot be shared, such as an open ``ObjectReader``.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
_MOST = 8


def processors() -> int:
    """Return over how many processes work can be spread; 1 where it cannot.

    Forking is safe only while there is one thread, and only where the system's own
    libraries put up with it.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST)


def spread(tasks: Sequence[Callable[[], T]]) -> list[T | None]:
    """Run every task in a process of its own, the first one in this.

    Returns:
        What each returned; None for one that raised, or whose process died.
    """
    children = [_fork(task) for task in tasks[1:]]
    results: list[T | None] = []
    try:
        results += [_attempt(task) for task in tasks[:1]]
    finally:
        for child, pipe in children:
            results.append(_answer(child, pipe))
    return results


def _attempt(task: Callable[[], T]) -> T | None:
    try:
        return task()
    except Exception:  # noqa: BLE001 (it is done again where errors are reported)
        return None


def _fork(task: Callable[[], T]) -> tuple[int, int]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        return child, ours
    status = 1
    with suppress(BaseException):
        os.close(ours)
        with os.fdopen(theirs, "wb") as pipe:
            pickle.dump(_attempt(task), pipe)
        status = 0
    os._exit(status)


def _answer(child: int, pipe: int) -> Any:
    with os.fdopen(pipe, "rb") as answers:
        data = answers.read()
    _, status = os.waitpid(child, 0)
    # Only our own child can have written it.
    return pickle.loads(data) if status == 0 and data else None  # noqa: S301
