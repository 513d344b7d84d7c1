"""Runs a program that a registry named and this machine allows, within bounds.

- Never through a shell; standard input is empty unless something is given.
- It starts in an empty directory of its own, not in the work tree: many programs load
  what lies where they start, and there everybody who pushes would choose that.
- It hears nothing of git's variables, nor of those that give gitmodel its secrets.
- It is killed with all that it started when its time is over, and what it leaves
  behind is killed when it ends. What it prints beyond a limit is read, and dropped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from gitmodel.adapters.environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_OUTPUT = 1 << 20  # bytes
_MAX_COMPLAINT = 1 << 16
_CHUNK = 1 << 16
#: Seconds for pipes to be emptied after the last process is gone.
_GRACE = 5.0
#: Seconds between two looks whether it has ended: the first, and the most.
_FIRST_LOOK = 0.0005
_LOOKS = 0.05


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended.

    Attributes:
        status: Its exit status, negative for a signal; None if its time was over.
        output: The beginning of its standard output.
        whole: Whether that is all of it.
        complaint: The last line of its standard error, for people.
    """

    status: int | None
    output: bytes
    whole: bool
    complaint: str


def run_program(
    argv: Sequence[str],
    *,
    seconds: float,
    stdin: bytes = b"",
    limit: int = MAX_OUTPUT,
) -> Ran:
    """Run a program to its end, or until its time is over.

    Args:
        argv: The program, by its absolute path, and its arguments.
        seconds: How long it may take.
        stdin: What it can read.
        limit: How many bytes of its output are kept.

    Raises:
        OSError: It cannot be started.
    """
    with (
        tempfile.TemporaryDirectory(
            prefix="gitmodel-run-", ignore_cleanup_errors=True
        ) as place,
        subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=place,
            env=_environment(),
            start_new_session=True,
        ) as process,
    ):
        try:
            return _attend(process, seconds, stdin, limit)
        finally:
            _kill(process)


def _attend(
    process: subprocess.Popen[bytes], seconds: float, stdin: bytes, limit: int
) -> Ran:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("three pipes were asked for")
    output, complaint = (
        _Kept(process.stdout, limit),
        _Kept(process.stderr, _MAX_COMPLAINT),
    )
    feeder = threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
    feeder.start()
    ended = _has_ended(process, seconds)
    _kill(process)
    status = process.wait() if ended else None
    output.end()
    complaint.end()
    feeder.join(_GRACE)
    said = complaint.data.decode("utf-8", "replace").strip().splitlines()
    return Ran(status, output.data, output.whole, said[-1].strip() if said else "")


class _Kept:
    """Empties a pipe, keeping the beginning."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        self.data = b""
        self.whole = True
        self._pipe = pipe
        self._limit = limit
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Wait for the other end to be closed; somebody who left the group may not."""
        self._thread.join(_GRACE)
        self.whole = self.whole and not self._thread.is_alive()

    def _read(self) -> None:
        kept = bytearray()
        with suppress(OSError, ValueError):
            while piece := os.read(self._pipe.fileno(), _CHUNK):
                room = self._limit - len(kept)
                kept += piece[:room]
                self.data = bytes(kept) if room > 0 else self.data
                self.whole = self.whole and len(piece) <= room


def _feed(pipe: IO[bytes], data: bytes) -> None:
    with suppress(OSError):  # it need not listen
        pipe.write(data)
    with suppress(OSError):
        pipe.close()


def _has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for a program's end, and leave it there as long as its group may live.

    Once it is taken note of, its id may be that of others, whom nobody wants to kill.
    """
    end = time.monotonic() + seconds
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    pause = _FIRST_LOOK
    while os.waitid(os.P_PID, process.pid, options) is None:
        left = end - time.monotonic()
        if left <= 0:
            return False
        pause = min(2 * pause, _LOOKS, left)
        time.sleep(pause)
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and what it started: they share a session of their own."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in child_environment().items()
        if not name.startswith("GITMODEL_")
    }
