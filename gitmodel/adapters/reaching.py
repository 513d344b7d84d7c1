"""Connecting to a host by its name, within a time that holds for all of it.

A name may take for ever to look up, and may have any number of addresses that swallow
whatever is sent to them: whoever answers for the name decides that.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any


def connect(host: str, port: int, *, silence: float, seconds: float) -> socket.socket:
    """Return a connection to the first of a host's addresses that takes one.

    Args:
        host: A name or an address.
        port: The port.
        silence: Seconds for each address, and later for each wait of the connection.
        seconds: For all of it.

    Raises:
        OSError: There is no such host, or it takes none; ``TimeoutError`` if there was
            no time left.
    """
    end = time.monotonic() + seconds
    problem = OSError("the name has no address")
    for family, kind, protocol, _, address in _look_up(host, port, seconds):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long to reach it") from problem
        try:
            return _attempt((family, kind, protocol), address, silence, left)
        except OSError as error:
            problem = error
    raise problem


def _attempt(
    kind: tuple[Any, Any, int], address: Any, silence: float, left: float
) -> socket.socket:
    found = socket.socket(*kind)
    try:
        found.settimeout(min(silence, left))
        found.connect(address)
        found.settimeout(silence)
    except BaseException:
        found.close()
        raise
    return found


def _look_up(host: str, port: int, seconds: float) -> list[Any]:
    """Return the addresses of a host; who is asked cannot be interrupted, only left."""
    found: list[list[Any] | OSError] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)
        except ValueError as error:  # of a name that none can be
            found.append(OSError(str(error)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not found:
        raise TimeoutError("it takes too long to look its name up")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
