"""One writer at a time in one clone, by a lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE = 0.02


@contextmanager
def exclusive(path: Path, *, patience: float = 30.0) -> Iterator[None]:
    """Hold the lock file ``path``; wait ``patience`` seconds for it.

    Raises:
        ConflictError: Somebody else holds it for longer.
        OutsideError: The directory cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutsideError(
            f"This clone cannot be written: {error.strerror} ({path.parent}).",
            "Reading commands work; to write, use a clone of your own.",
        ) from error
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise ConflictError(
                        "Another gitmodel command is writing to this clone.",
                        "Wait for it to end, then run the command again.",
                        code="E_LOCKED",
                    ) from error
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)
