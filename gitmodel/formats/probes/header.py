"""A file read field by field, within bounds."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from typing import BinaryIO


def malformed(what: str) -> InputError:
    """Return the error for a header that breaks a rule, told as a clause."""
    return InputError(what, code="E_HEADER")


class Header:
    """Reads the first ``limit`` bytes of a file, in order.

    Every method raises InputError when the bytes run out, so that no loop goes
    further than the file or the limit, whatever counts the file claims.
    """

    def __init__(self, file: BinaryIO, limit: int, *, order: str = "<") -> None:
        self._file = file
        self._limit = limit
        self._order = order
        self.offset = 0
        file.seek(0)

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        self._require(count)
        data = self._file.read(count)
        if len(data) != count:
            raise malformed("the file ends inside its header")
        self.offset += count
        return data

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        self._require(count)
        self._file.seek(count, 1)
        self.offset += count

    def number(self, code: str) -> int:
        """Return the next integer, in ``struct`` notation."""
        layout = self._order + code
        value: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def text(self, limit: int) -> str:
        """Return the next string: its length in 64 bits, then UTF-8."""
        length = self.number("Q")
        if length > limit:
            raise malformed(f"a name has {length} bytes")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise malformed("a name is not UTF-8") from None

    def _require(self, count: int) -> None:
        if count > self._limit - self.offset:
            raise malformed("the header is longer than the file, or than is reasonable")
