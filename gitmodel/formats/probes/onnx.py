"""Recognises an ONNX model, which has no magic number, by its outermost fields.

A ``ModelProto`` is a sequence of protobuf fields. It is taken for one when all of its
outermost fields have the numbers and types that ONNX gives them, they end exactly
where the file ends, and the IR version, the graph and an operator set are there.
Fields are skipped, not read: the cost depends on their number alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import InputError
from gitmodel.formats.probes.header import Header, malformed

if TYPE_CHECKING:
    from typing import BinaryIO

_FIELDS = 20_000
_VARINT, _BYTES = 0, 2
_VARINT_BYTES = 10
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8
_WIRE_TYPES = {
    _IR_VERSION: _VARINT,
    2: _BYTES,  # producer name
    3: _BYTES,  # producer version
    4: _BYTES,  # domain
    5: _VARINT,  # model version
    6: _BYTES,  # documentation
    _GRAPH: _BYTES,
    _OPSET: _BYTES,
    14: _BYTES,  # metadata
    20: _BYTES,  # training information
    25: _BYTES,  # functions
    26: _BYTES,  # device configuration
}


def is_onnx(file: BinaryIO, size: int) -> bool:
    """Say whether a file of ``size`` bytes is an ONNX model."""
    header = Header(file, size)
    seen: set[int] = set()
    try:
        for _ in range(_FIELDS):
            if header.offset == size:
                return {_IR_VERSION, _GRAPH, _OPSET} <= seen
            field, kind = divmod(_varint(header), 8)
            if _WIRE_TYPES.get(field) != kind:
                return False
            value = _varint(header)
            if kind == _BYTES:
                header.skip(value)
            seen.add(field)
    except InputError:
        return False
    return False


def _varint(header: Header) -> int:
    value = 0
    for place in range(_VARINT_BYTES):
        byte = header.take(1)[0]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 (the flag of protobuf)
            return value
    raise malformed("a number is too long")
