"""Runs gitmodel as a process of its own: at a terminal, in a pipe, in a shell."""

from __future__ import annotations

import fcntl
import os
import pty
import selectors
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.cli import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "gitmodel")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the test's environment, with this checkout to import from."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **(extra or {})}


def in_pipes(
    *args: str | Path, cwd: Path, extra: Mapping[str, str] | None = None
) -> Answer:
    """Run gitmodel with its output in pipes."""
    done = subprocess.run(
        [*PROGRAM, *map(str, args)],
        cwd=cwd,
        env=environment(extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def at_terminal(
    *args: str | Path,
    cwd: Path,
    columns: int = 120,
    extra: Mapping[str, str] | None = None,
) -> Answer:
    """Run gitmodel with a terminal of its own for stdout, and another for stderr."""
    told = {"TERM": "xterm-256color", "NO_COLOR": "", "COLUMNS": "", **(extra or {})}
    ours, theirs = zip(*(_terminal(columns) for _ in range(2)), strict=True)
    process = subprocess.Popen(
        [*PROGRAM, *map(str, args)],
        cwd=cwd,
        env=environment(told),
        stdin=subprocess.DEVNULL,
        stdout=theirs[0],
        stderr=theirs[1],
    )
    for descriptor in theirs:
        os.close(descriptor)
    out, err = _read_all(ours)
    return Answer(process.wait(), out, err)


def _terminal(columns: int) -> tuple[int, int]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    return ours, theirs


def _read_all(descriptors: tuple[int, ...]) -> list[str]:
    found = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = b""
                with suppress(OSError):  # how Linux says that a terminal was closed
                    data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                found[key.fd] += data
    # A terminal ends lines with \r\n.
    return [data.decode().replace("\r\n", "\n") for data in found.values()]
