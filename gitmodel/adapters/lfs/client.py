"""Runs the stock git-lfs client: bounded patience, progress, and what servers said.

git-lfs has one exit status for every failure, often hides which HTTP status it got,
and can wait for ever. Its own trace tells the statuses, and that it is alive. Progress
and trace go to files without a name, as a trace may hold addresses that are secrets.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from gitmodel.adapters.environment import child_environment
from gitmodel.domain.ports import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.domain.ports import Progress

_LOOK = 0.2  # seconds between two looks at how far git-lfs has come
_STATUS = re.compile(r"trace git-lfs: HTTP: (\d{3})$", re.MULTILINE)
_PUT = re.compile(r"trace git-lfs: HTTP: PUT ")
_UNAUTHENTICATED = 401
_FAILURES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to bear with a server.

    Attributes:
        retries: How often an object is asked for again.
        pause: The longest wait before that, in whole seconds.
        silence: After how many seconds without a sign of life git-lfs is ended.
    """

    retries: int = 4
    pause: int = 4
    silence: float = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of git-lfs ended.

    Attributes:
        ok: Whether it says that all went well.
        said: Everything that it wrote.
        statuses: The HTTP statuses that it was given, in order.
        puts: How many uploads it began over HTTP.
        silent: Whether it was ended because nothing came any more.
    """

    ok: bool
    said: str
    statuses: tuple[int, ...] = ()
    puts: int = 0
    silent: bool = False

    @property
    def refusal(self) -> int | None:
        """The last HTTP status of a failure; None if there was none.

        A 401 that was followed by success only asked for the password.
        """
        welcomed = False
        for status in reversed(self.statuses):
            if status >= _FAILURES and not (welcomed and status == _UNAUTHENTICATED):
                return status
            welcomed = welcomed or status < _FAILURES
        return None


def run(
    directory: Path,
    args: Sequence[str],
    *,
    stdin: str = "",
    patience: Patience | None = None,
    progress: Progress | None = None,
    held: Sequence[int] = (),
) -> Ran:
    """Run ``git lfs`` with ``args`` in a clone.

    Args:
        directory: The clone.
        args: The verb and what follows it.
        stdin: What it reads.
        patience: With servers; by default that of ``Patience``.
        progress: Is advanced by the bytes that were moved.
        held: Descriptors that it is to keep open for as long as it lives.
    """
    limits = patience or Patience()
    with TemporaryFile() as moved, TemporaryFile() as trace:
        files = (moved.fileno(), trace.fileno())
        with subprocess.Popen(
            ["git", *_settings(limits), "lfs", *args],  # noqa: S607
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=child_environment(
                {
                    "GIT_LFS_PROGRESS": f"/dev/fd/{files[0]}",
                    "GIT_TRACE": f"/dev/fd/{files[1]}",
                }
            ),
            pass_fds=(*files, *held),
        ) as process:
            meter = _Meter(moved, progress or Silent())
            try:
                said, silent = _attend(process, stdin, meter, trace, limits.silence)
            except BaseException:
                process.terminate()  # git ends git-lfs with itself
                raise
        meter.read()
        trace.seek(0)
        heard = trace.read().decode("utf-8", "replace")
    statuses = tuple(map(int, _STATUS.findall(heard)))
    puts = len(_PUT.findall(heard))
    return Ran(process.returncode == 0, said, statuses, puts, silent)


def _settings(patience: Patience) -> tuple[str, ...]:
    settings = {
        "core.hooksPath": "/dev/null",
        "core.fsmonitor": "false",
        "lfs.transfer.maxretries": patience.retries,
        "lfs.transfer.maxretrydelay": patience.pause,
    }
    return tuple(
        word for key, value in settings.items() for word in ("-c", f"{key}={value}")
    )


def _attend(
    process: subprocess.Popen[str],
    stdin: str,
    meter: _Meter,
    trace: IO[bytes],
    silence: float,
) -> tuple[str, bool]:
    """Wait for the end; return what was said, and whether it had to be forced."""
    pending: str | None = stdin
    silent, seen, alive = False, (0, 0), time.monotonic()
    while True:
        try:
            said, _ = process.communicate(pending, timeout=_LOOK)
        except subprocess.TimeoutExpired:
            pending = None
        else:
            return said, silent
        meter.read()
        now = (meter.offset, os.fstat(trace.fileno()).st_size)
        if now != seen:
            seen, alive = now, time.monotonic()
        elif time.monotonic() - alive > silence:
            silent = True
            process.terminate()  # git ends git-lfs with itself


@dataclass(slots=True)
class _Meter:
    """Reads what ``GIT_LFS_PROGRESS`` tells: ``download 1/3 BYTES/SIZE NAME``."""

    file: IO[bytes]
    progress: Progress
    offset: int = 0
    _rest: bytes = b""
    _done: dict[bytes, int] = field(default_factory=dict)

    def read(self) -> None:
        """Tell the listener what has been moved since the last time."""
        size = os.fstat(self.file.fileno()).st_size
        new = os.pread(self.file.fileno(), size - self.offset, self.offset)
        self.offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        before = sum(self._done.values())
        for line in lines:
            if found := re.match(rb"\w+ \d+/\d+ (\d+)/\d+ (.*)", line):
                self._done[found[2]] = max(int(found[1]), self._done.get(found[2], 0))
        if (more := sum(self._done.values()) - before) > 0:
            self.progress.advance(more)
