"""Appends events to a file, one line of JSON each, so that they outlive a crash.

Only to a file of events, or to an empty one. A machine allows programs, reports and
files of events in one list, and whoever can push names those that are written to: a
line behind a shell script would be run.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.domain.event import Event

_ONLY_MINE = 0o600
#: What every event begins with, see ``Event.to_cloudevent``.
_FIRST = b'{"specversion"'
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Opening a pipe that nobody reads must not wait.
_APPEND = (
    os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
)


def send(path: Path, event: Event) -> str:
    """Append to a file at a path that is this machine's own; return where it is.

    Raises:
        OutsideError: The file cannot be written, or is a link or no plain file.
    """
    return append(path.parent, path.name, event)


def append(root: Path, relative: str, event: Event) -> str:
    """Append to a file below ``root``; return where it is.

    No part of ``relative`` may be a symbolic link. Directories are made.

    Raises:
        InputError: The path leads out of ``root``.
        OutsideError: The file cannot be written, or is a link or no plain file.
    """
    *parents, name = PurePosixPath(relative).parts or ("",)
    if not name or relative.startswith("/") or ".." in (*parents, name):
        raise InputError(f"{relative!r} does not stay where the clone has its events.")
    line = event.to_line()
    opened: list[int] = []
    try:
        opened.append(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for parent in parents:
            with suppress(FileExistsError):
                os.mkdir(parent, 0o700, dir_fd=opened[-1])
            opened.append(os.open(parent, _DIRECTORY, dir_fd=opened[-1]))
        opened.append(os.open(name, _APPEND, _ONLY_MINE, dir_fd=opened[-1]))
        _write(opened[-1], line)
    except OSError as error:
        raise OutsideError(
            f"{root / relative} cannot be written: {error.strerror or error}"
        ) from error
    finally:
        for each in reversed(opened):
            os.close(each)
    return f"appended to {root / relative}"


def _write(file: int, line: bytes) -> None:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no plain file")
    if found.st_size and os.pread(file, len(_FIRST), 0) != _FIRST:
        raise OSError("it holds something else than events")
    # Whoever wrote before may have been killed in the middle of a line.
    if found.st_size and os.pread(file, 1, found.st_size - 1) != b"\n":
        line = b"\n" + line
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)
