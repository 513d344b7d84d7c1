"""Small files in the formats of model weights, written by hand."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: name → (dtype, shape, length in bytes)
Table = dict[str, tuple[str, tuple[int, ...], int]]

A_TABLE: Table = {"w": ("F32", (3, 4), 48), "b": ("F16", (4,), 8)}


def a_safetensors(
    table: Table | None = None, metadata: Mapping[str, str] | None = None
) -> bytes:
    header: dict[str, object] = {}
    if metadata is not None:
        header["__metadata__"] = metadata
    offset = 0
    for name, (dtype, shape, length) in (A_TABLE if table is None else table).items():
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [offset, offset + length],
        }
        offset += length
    return safetensors_of(json.dumps(header).encode(), bytes(offset))


def safetensors_of(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def gguf_string(text: str, order: str = "<") -> bytes:
    data = text.encode()
    return struct.pack(f"{order}Q", len(data)) + data


def a_gguf(
    rows: Sequence[tuple[str, tuple[int, ...], int, int]] = (
        ("token_embd.weight", (4, 3), 0, 0),
        ("output.weight", (32, 2), 2, 64),
    ),
    pairs: Sequence[bytes] = (),
    *,
    data: int = 100,
    version: int = 3,
    order: str = "<",
    counts: tuple[int, int] | None = None,
) -> bytes:
    """Write rows of name, shape, type and offset, then ``data`` bytes."""
    tensors, values = counts or (len(rows), len(pairs))
    head = b"GGUF" + struct.pack(f"{order}IQQ", version, tensors, values)
    head += b"".join(pairs)
    for name, shape, kind, offset in rows:
        head += gguf_string(name, order)
        head += struct.pack(f"{order}I{len(shape)}Q", len(shape), *shape)
        head += struct.pack(f"{order}IQ", kind, offset)
    return head + bytes(-len(head) % 32) + bytes(data)


def gguf_pair(key: str, kind: int, value: bytes, order: str = "<") -> bytes:
    return gguf_string(key, order) + struct.pack(f"{order}I", kind) + value


def an_onnx() -> bytes:
    # ir_version 8; producer "t"; graph with a name; one operator set
    return b"\x08\x08\x12\x01t\x3a\x03\x12\x01g\x42\x04\x0a\x00\x10\x11"


def a_zip(names: Iterable[str], comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
        archive.comment = comment
    return out.getvalue()
