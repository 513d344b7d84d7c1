"""An end to connections whose other side never lets a wait time out, nor ends."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


class Cutoff:
    """Closes connections when their time is over, wherever they are then."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._seen: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._close)
        self._timer.daemon = True

    @property
    def is_over(self) -> bool:
        """Whether it has closed them, or is about to."""
        return time.monotonic() >= self._end

    @property
    def left(self) -> float:
        """The seconds until then; never less than none."""
        return max(0.0, self._end - time.monotonic())

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        with self._lock:
            for each in self._seen:
                each.close()
            self._seen.clear()

    def add(self, connection: socket.socket) -> None:
        """Close this one too, when it is time."""
        # A handle of its own: TLS takes the first one over before it shakes hands.
        with self._lock:
            self._seen.append(connection.dup())
        if self.is_over:
            self._close()

    def _close(self) -> None:
        with self._lock:
            for each in self._seen:
                with suppress(OSError):  # the other side was faster
                    each.shutdown(SHUT_RDWR)
