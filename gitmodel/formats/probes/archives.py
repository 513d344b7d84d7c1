"""Tells what a zip archive is by the names in its directory; unpacks nothing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from gitmodel.formats.probes.header import malformed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
DIRECTORY_BYTES = 16 << 20

_END = struct.Struct("<4s4H2IH")
_END_MAGIC = b"PK\x05\x06"
_LOCATOR = struct.Struct("<4sIQI")
_LOCATOR_MAGIC = b"PK\x06\x07"
_END64 = struct.Struct("<4sQ2H2I4Q")
_END64_MAGIC = b"PK\x06\x06"
_ENTRY = struct.Struct("<4s6H3I5H2I")
_ENTRY_MAGIC = b"PK\x01\x02"
_COMMENT_BYTES = 0xFFFF


def format_of(file: BinaryIO, size: int) -> str:
    """Return ``pytorch``, ``torchscript``, ``keras``, ``skops``, ``npz`` or ``zip``.

    Raises:
        InputError: The directory of the archive is damaged or beyond reason.
    """
    names = set(_names(_directory(file, size)))
    # PyTorch puts everything into one folder, named after the file.
    inner = {name.split("/", 1)[-1] for name in names}
    if "data.pkl" in inner:
        return "torchscript" if "constants.pkl" in inner else "pytorch"
    if {"config.json", "metadata.json"} <= names and any(
        name.startswith("model.weights.") for name in names
    ):
        return "keras"
    if "schema.json" in names:
        return "skops"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    return "zip"


def _directory(file: BinaryIO, size: int) -> bytes:
    """Return the central directory."""
    start = max(0, size - _END.size - _COMMENT_BYTES)
    tail = _read(file, start, size - start)
    place, length, offset = _end(tail)
    before = place - _LOCATOR.size
    if before >= 0 and tail.startswith(_LOCATOR_MAGIC, before):
        _, _, where, _ = _LOCATOR.unpack_from(tail, before)
        *_, length, offset = _END64.unpack(_read(file, where, _END64.size))
    if length > DIRECTORY_BYTES or offset + length > size:
        raise malformed("the directory of the archive is damaged or too long")
    return _read(file, offset, length)


def _end(tail: bytes) -> tuple[int, int, int]:
    """Find the record that ends an archive: its place, and the directory's extent."""
    place = len(tail)
    while (place := tail.rfind(_END_MAGIC, 0, place)) >= 0:
        if len(tail) - place >= _END.size:
            *_, length, offset, comment = _END.unpack_from(tail, place)
            if place + _END.size + comment == len(tail):
                return place, length, offset
    raise malformed("the archive has no directory")


def _names(directory: bytes) -> Iterator[str]:
    place = 0
    while place < len(directory):
        if not directory.startswith(_ENTRY_MAGIC, place) or (
            len(directory) - place < _ENTRY.size
        ):
            raise malformed("the directory of the archive is damaged")
        fields = _ENTRY.unpack_from(directory, place)
        name, extra, comment = fields[10:13]
        place += _ENTRY.size
        yield directory[place : place + name].decode(errors="replace")
        place += name + extra + comment


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    data = file.read(count)
    if len(data) != count:
        raise malformed("the archive is shorter than it says")
    return data
