"""Standard output and error that cannot fail for what is on their other end.

- A reader that went away, as ``| head`` does, is no error: the command goes on
  without being heard, and its exit code still tells what it found.
- A name that the terminal's encoding lacks is shown escaped.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Pipe(io.FileIO):
    """A descriptor that turns to ``/dev/null`` when nobody reads it any more."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


def harden() -> None:
    """Make the standard streams of this process so."""
    sys.stdout = _hardened(sys.stdout)
    sys.stderr = _hardened(sys.stderr)


def _hardened(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by the caller: ``>&-``
        return Path(os.devnull).open("w", encoding="utf-8")
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.isatty(),
    )
