"""Bounds on time and memory for work that strangers ask for."""

from __future__ import annotations

import resource
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class OutOfBoundsError(BaseException):
    """Time is up. No ``except Exception`` on the way may take it for a problem."""


@contextmanager
def bounded(seconds: float, memory: int) -> Iterator[None]:
    """Bound the work inside.

    Memory cannot be given back: the bound holds for the rest of the process, and for
    each of its children by itself.

    Args:
        seconds: Of wall time; 0 for no end.
        memory: Bytes, where the system can see to that; 0 for all there is.

    Raises:
        OutOfBoundsError: Time is up, or memory used up.
    """
    if threading.current_thread() is not threading.main_thread():
        raise AssertionError("alarms ring in the main thread")
    if memory and sys.platform == "linux":
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        if most == resource.RLIM_INFINITY or most > memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, most))

    def ring(signum: int, frame: object) -> None:
        del signum, frame
        raise OutOfBoundsError

    before = signal.signal(signal.SIGALRM, ring)
    # Again and again: cleaning up must come to an end too.
    signal.setitimer(signal.ITIMER_REAL, seconds, 5.0 if seconds else 0.0)
    try:
        yield
    except MemoryError as error:
        raise OutOfBoundsError from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
