"""Recognises pickles by walking over their opcodes; nothing is ever loaded.

``pickletools.genops`` reads opcodes and their arguments and executes none. Only the
head of a file is walked over, expanded where it is compressed.
"""

from __future__ import annotations

import bz2
import lzma
import pickletools
import re
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

#: As much of a file as is looked at.
HEAD_BYTES = 1 << 16

_PROTOCOL = b"\x80"
_PROTOCOLS = range(2, 6)
# What torch.save wrote before it wrote zip archives: a pickled magic number first.
_TORCH = bytes.fromhex("8a0a6cfc9c46f9206aa850")
_IMPORT = re.compile(r"[\w.]+ [\w.]+")
_LZMA_BYTES = 64 << 20
_MAGICS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x5d\x00\x00", "lzma"),
    (b"\x78\x01", "zlib"),
    (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the opcodes of a head say.

    Attributes:
        end: ``stop`` where the pickle ends in the head, ``cut`` where the head ends
            first, ``bad`` where something is no opcode.
        imports: Whether something is imported.
        joblib: Whether that is joblib's.
    """

    end: Literal["stop", "cut", "bad"]
    imports: bool
    joblib: bool


def format_of(head: bytes) -> str | None:
    """Return ``pytorch``, ``joblib`` or ``pickle``; None if it is no pickle."""
    head = head[:HEAD_BYTES]
    if len(head) > 1 and head[:1] == _PROTOCOL and head[1] in _PROTOCOLS:
        if head.startswith(_TORCH, 2):
            return "pytorch"
        walk = _walk(head)
        if walk.joblib:
            return "joblib"  # whose arrays are raw bytes amid the opcodes
        return "pickle" if walk.imports or walk.end != "bad" else None
    # Protocols 0 and 1 have no magic number, and some text is a valid pickle. One
    # that imports something is dangerous to whoever loads it, so it is named.
    walk = _walk(head)
    whole = walk.end == "stop" or (walk.end == "cut" and len(head) == HEAD_BYTES)
    return "pickle" if walk.imports and whole else None


def expand(head: bytes) -> tuple[str, bytes] | None:
    """Return how a head is compressed and the head of what it holds, if it is.

    No more than ``HEAD_BYTES`` are expanded.
    """
    for magic, name in _MAGICS:
        if head.startswith(magic):
            try:
                return name, _expand(head, name)
            except (zlib.error, lzma.LZMAError, OSError, EOFError):
                return None
    return None


def _expand(head: bytes, name: str) -> bytes:
    if name in {"gzip", "zlib"}:
        # 32: of either kind, as the header says
        return zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
    if name == "bzip2":
        return bz2.BZ2Decompressor().decompress(head, HEAD_BYTES)
    decompressor = lzma.LZMADecompressor(memlimit=_LZMA_BYTES)
    return decompressor.decompress(head, HEAD_BYTES)


def _walk(head: bytes) -> _Walk:
    stream = BytesIO(head)
    imports = joblib = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in strings
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in {"GLOBAL", "INST"}:
                    imports = imports or _IMPORT.fullmatch(str(argument)) is not None
                imports = imports or opcode.name == "STACK_GLOBAL"
                joblib = joblib or (
                    isinstance(argument, str) and argument.startswith("joblib.")
                )
    except ValueError:
        end: Literal["cut", "bad"] = "cut" if stream.tell() == len(head) else "bad"
        return _Walk(end, imports, joblib)
    return _Walk("stop", imports, joblib)
