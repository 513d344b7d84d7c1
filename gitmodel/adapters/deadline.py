"""A moment by which work must be over, for work that only ever reads.

Alarms ring in the main thread alone, and killing threads cannot be done: so whoever
reads bytes for the work looks at the clock, as often as it reads.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, BinaryIO, cast

from gitmodel.adapters.bounds import OutOfBoundsError

if TYPE_CHECKING:
    from gitmodel.domain.ports import Progress

_BUFFER = 1 << 20


class Deadline:
    """Some seconds from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds until then; never less than none."""
        return max(0.0, self._end - time.monotonic())

    def require(self) -> None:
        """Insist that there is time left.

        Raises:
            OutOfBoundsError: There is none.
        """
        if not self.left:
            raise OutOfBoundsError

    def over(self, file: BinaryIO) -> BinaryIO:
        """Return a file that can be read until then, and closes with it."""
        return cast("BinaryIO", io.BufferedReader(_Watched(file, self), _BUFFER))

    def heard_by(self, progress: Progress) -> Progress:
        """Return a listener that also ends work which goes on for too long."""
        return _Impatient(progress, self)


class _Watched(io.RawIOBase):
    def __init__(self, file: BinaryIO, deadline: Deadline) -> None:
        super().__init__()
        self._file = file
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._deadline.require()
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


class _Impatient:
    """A ``Progress`` that passes on what it hears."""

    def __init__(self, progress: Progress, deadline: Deadline) -> None:
        self._progress = progress
        self._deadline = deadline

    def start(self, total: int, label: str) -> None:
        self._progress.start(total, label)

    def advance(self, count: int) -> None:
        self._deadline.require()
        self._progress.advance(count)

    def finish(self) -> None:
        self._progress.finish()
