"""The header of a GGUF file: metadata, then the table of tensors.

Versions 2 and 3, little and big endian. Metadata is walked over, not kept, save
``general.alignment``. Shapes are in the file's order (fastest dimension first).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gitmodel.domain.architecture import Tensor
from gitmodel.formats.probes.header import Header, malformed

if TYPE_CHECKING:
    from typing import BinaryIO

MAGIC = b"GGUF"
HEADER_BYTES = 128 << 20

_VERSIONS = (2, 3)
_TENSORS = 1 << 18  # the largest models have some 60,000
_PAIRS = 1 << 16
_ITEMS = 2_000_000  # strings in all arrays; the largest vocabularies have 300,000
_NAME_BYTES = 1 << 16
_DIMENSIONS = 4
_DEPTH = 4
_STRING, _ARRAY = 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_U32 = 4
_ALIGNMENT = 32
# Element types of ggml: name, elements in a block, bytes of a block.
_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}


def read_tensors(file: BinaryIO, size: int) -> tuple[Tensor, ...]:
    """Return the table of tensors of a file of ``size`` bytes.

    Raises:
        InputError: The header breaks a rule of the format.
    """
    header = _start(file, min(size, HEADER_BYTES))
    count, pairs = header.number("Q"), header.number("Q")
    if count > _TENSORS or pairs > _PAIRS:
        raise malformed(f"it claims {count} tensors and {pairs} metadata")
    alignment = _read_metadata(header, pairs)
    rows = [_read_row(header, alignment) for _ in range(count)]
    if len({tensor.name for tensor, _, _ in rows}) != len(rows):
        raise malformed("two tensors have the same name")
    start = -(-header.offset // alignment) * alignment
    end = 0
    for _, offset, length in sorted(rows, key=lambda row: row[1:]):
        if offset < end:
            raise malformed("its tensors overlap")
        end = offset + length
    if rows and start + end > size:
        raise malformed("its tensors go beyond the end of the file")
    return tuple(tensor for tensor, _, _ in rows)


def _start(file: BinaryIO, limit: int) -> Header:
    for order in "<>":
        header = Header(file, limit, order=order)
        if header.take(len(MAGIC)) != MAGIC:
            break
        if header.number("I") in _VERSIONS:
            return header
    raise malformed("it has no GGUF version that is known here")


def _read_metadata(header: Header, pairs: int) -> int:
    """Walk over the metadata; return the alignment of the tensors."""
    alignment = _ALIGNMENT
    budget = [_ITEMS]
    for _ in range(pairs):
        key = header.text(_NAME_BYTES)
        kind = header.number("I")
        if key == "general.alignment" and kind == _U32:
            alignment = header.number("I")
        else:
            _skip_value(header, kind, budget, 0)
    if alignment == 0 or alignment % 8:
        raise malformed(f"its alignment is {alignment}")
    return alignment


def _skip_value(header: Header, kind: int, budget: list[int], depth: int) -> None:
    if kind in _SIZES:
        header.skip(_SIZES[kind])
    elif kind == _STRING:
        header.skip(header.number("Q"))
    elif kind == _ARRAY and depth < _DEPTH:
        item, count = header.number("I"), header.number("Q")
        if item in _SIZES:
            header.skip(count * _SIZES[item])
            return
        budget[0] -= count
        if budget[0] < 0:
            raise malformed("its metadata has too many items")
        for _ in range(count):
            _skip_value(header, item, budget, depth + 1)
    else:
        raise malformed(f"its metadata has a value of the unknown type {kind}")


def _read_row(header: Header, alignment: int) -> tuple[Tensor, int, int]:
    """Return a tensor, the offset of its data, and their least length in bytes."""
    name = header.text(_NAME_BYTES)
    dimensions = header.number("I")
    if dimensions > _DIMENSIONS:
        raise malformed(f"{name!r:.80} has {dimensions} dimensions")
    shape = tuple(header.number("Q") for _ in range(dimensions))
    kind, offset = header.number("I"), header.number("Q")
    if offset % alignment:
        raise malformed(f"the data of {name!r:.80} are not aligned")
    # New quantisations appear often: an unknown one is named, and not measured.
    dtype, block, length = _TYPES.get(kind, (f"type{kind}", 1, 0))
    elements = math.prod(shape)
    if elements % block:
        raise malformed(f"{name!r:.80} does not fill its blocks")
    return Tensor(name, dtype, shape), offset, elements // block * length
