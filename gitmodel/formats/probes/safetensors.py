"""The header of a safetensors file: a length in 64 bits, then JSON.

The rules are those of the reference implementation: at most 100 MB of header, known
element types, offsets that cover the rest of the file without gap or overlap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gitmodel.domain.architecture import Tensor
from gitmodel.errors import InputError
from gitmodel.formats import canonical_json
from gitmodel.formats.probes.header import Header, malformed

if TYPE_CHECKING:
    from typing import BinaryIO

HEADER_BYTES = 100_000_000

_PREFIX = 8
_DIMENSIONS = 64
_BITS = {
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}


def resembles(head: bytes, size: int) -> bool:
    """Say whether a file begins as a safetensors file does."""
    length = int.from_bytes(head[:_PREFIX], "little")
    return head[_PREFIX : _PREFIX + 1] == b"{" and 1 < length <= max(HEADER_BYTES, size)


def read_tensors(file: BinaryIO, size: int) -> tuple[Tensor, ...]:
    """Return the table of tensors of a file of ``size`` bytes.

    Raises:
        InputError: The header breaks a rule of the format.
    """
    header = Header(file, min(size, _PREFIX + HEADER_BYTES))
    data = header.take(header.number("Q"))
    try:
        table = canonical_json.loads(data)
    except InputError:
        raise malformed("its header is not JSON") from None
    if not isinstance(table, dict):
        raise malformed("its header is not a JSON object")
    _check_metadata(table.pop("__metadata__", {}))
    rows = [_row(name, entry) for name, entry in table.items()]
    end = 0
    for _, begin, stop in sorted(rows, key=lambda row: row[1:]):
        if begin != end:
            raise malformed("its tensors overlap or leave gaps")
        end = stop
    if end != size - header.offset:
        raise malformed("its tensors do not cover the file")
    return tuple(tensor for tensor, _, _ in rows)


def _check_metadata(value: object) -> None:
    if not isinstance(value, dict) or not all(
        isinstance(item, str) for item in value.values()
    ):
        raise malformed("its __metadata__ is not a map of strings")


def _row(name: str, entry: object) -> tuple[Tensor, int, int]:
    """Return a tensor with the offsets of its first byte and of its end."""
    if not isinstance(entry, dict) or entry.keys() != {
        "dtype",
        "shape",
        "data_offsets",
    }:
        raise malformed(f"{name!r:.80} is not a tensor")
    dtype, shape = entry["dtype"], entry["shape"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise malformed(f"{name!r:.80} has the unknown type {dtype!r:.20}")
    if not _counts(shape) or len(shape) > _DIMENSIONS:
        raise malformed(f"{name!r:.80} has no proper shape")
    offsets = entry["data_offsets"]
    if not _counts(offsets) or len(offsets) != len(("begin", "end")):
        raise malformed(f"{name!r:.80} has no proper offsets")
    begin, end = offsets
    if math.prod(shape) * _BITS[dtype] != (end - begin) * 8:
        raise malformed(f"{name!r:.80} has a shape and a length that do not agree")
    return Tensor(name, dtype, tuple(shape)), begin, end


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 1 << 63 for item in value
    )
