"""Writes new objects, all at once: one pack through one git process.

``git hash-object`` and ``git mktree`` cost a process each; a version with 5,000
files is 5,000 blobs. So ids are computed here and the objects travel as a pack,
which git checks (``--strict``) before anything refers to it.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
#: As git's own ``transfer.unpackLimit``: below it loose objects, above it a pack.
_UNPACK_LIMIT = 100


class ObjectWriter:
    """Collects objects, then stores them; nothing is written before ``flush``."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._objects: dict[str, tuple[str, bytes]] = {}

    def add(self, kind: str, data: bytes) -> str:
        """Keep an object for writing; return its id."""
        header = f"{kind} {len(data)}\0".encode()
        oid = hashlib.new(self._repository.hash_name, header + data).hexdigest()
        self._objects[oid] = (kind, data)
        return oid

    def flush(self) -> None:
        """Store everything durably.

        Raises:
            GitProcessError: git refused, or the disk is full.
        """
        if not self._objects:
            return
        pack = _pack(self._repository.hash_name, list(self._objects.values()))
        durable = ("-c", "core.fsync=objects", "-c", "core.fsyncMethod=batch")
        if len(self._objects) < _UNPACK_LIMIT:
            self._repository.git.run(*durable, "unpack-objects", "-q", stdin=pack)
        else:
            self._repository.git.run(
                *durable, "index-pack", "--stdin", "--fix-thin", stdin=pack
            )
        self._objects.clear()


def _pack(hash_name: str, objects: list[tuple[str, bytes]]) -> bytes:
    parts = [struct.pack(">4sII", b"PACK", 2, len(objects))]
    for kind, data in objects:
        parts.append(_header(_KINDS[kind], len(data)))
        parts.append(zlib.compress(data, 1))
    body = b"".join(parts)
    return body + hashlib.new(hash_name, body).digest()


def _header(kind: int, size: int) -> bytes:
    """Return a pack entry header: type and size, 4 then 7 bits at a time."""
    byte = (kind << 4) | (size & 0x0F)
    size >>= 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    out.append(byte)
    return bytes(out)
