"""The header of GGUF, walked over without the gguf package."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest

from gitmodel.domain.architecture import Tensor
from gitmodel.errors import InputError
from gitmodel.formats.probes import gguf
from tests.support.model_files import a_gguf, gguf_pair, gguf_string

STRINGS = struct.pack("<IQ", 8, 2) + gguf_string("a") + gguf_string("bb")
NESTED = struct.pack("<IQ", 9, 1) + struct.pack("<IQ", 4, 2) + bytes(8)
ALIGN_64 = gguf_pair("general.alignment", 4, struct.pack("<I", 64))


def _read(data: bytes) -> tuple[Tensor, ...]:
    return gguf.read_tensors(BytesIO(data), len(data))


def test_metadata_of_every_type_is_walked_over() -> None:
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    pairs = [gguf_pair(f"k{kind}", kind, bytes(size)) for kind, size in sizes.items()]
    pairs += [
        gguf_pair("s", 8, gguf_string("text")),
        gguf_pair("floats", 9, struct.pack("<IQ", 6, 3) + bytes(12)),
        gguf_pair("strings", 9, STRINGS),
        gguf_pair("nested", 9, NESTED),
    ]
    assert _read(a_gguf(pairs=pairs)) == (
        Tensor("token_embd.weight", "F32", (4, 3)),
        Tensor("output.weight", "Q4_0", (32, 2)),
    )


def test_the_alignment_is_heeded() -> None:
    rows = [("a", (8,), 0, 0), ("b", (8,), 0, 64)]
    assert len(_read(a_gguf(rows, [ALIGN_64], data=160))) == 2
    rows = [("a", (8,), 0, 0), ("b", (8,), 0, 32)]
    assert len(_read(a_gguf(rows, data=64))) == 2
    with pytest.raises(InputError, match="aligned"):
        _read(a_gguf(rows, [ALIGN_64], data=160))


@pytest.mark.parametrize(("version", "order"), [(2, "<"), (3, "<"), (3, ">")])
def test_versions_and_byte_orders(version: int, order: str) -> None:
    rows = [("a", (2, 3), 1, 0)]
    data = a_gguf(rows, version=version, order=order, data=12)
    assert _read(data) == (Tensor("a", "F16", (2, 3)),)


def test_an_unknown_element_type_is_named_by_its_number() -> None:
    assert _read(a_gguf([("a", (7,), 77, 0)])) == (Tensor("a", "type77", (7,)),)


def test_a_file_without_tensors_may_end_with_its_header() -> None:
    assert _read(a_gguf([], [gguf_pair("s", 8, gguf_string("vocab"))], data=0)) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"GGUF",
        b"GGUX" + bytes(100),
        a_gguf(version=1),
        a_gguf(version=4),
        a_gguf()[:-60],
        a_gguf()[:40],
        a_gguf(counts=(3, 0)),
        a_gguf(counts=(2**64 - 1, 0)),
        a_gguf(counts=(2, 2**64 - 1)),
        a_gguf([("a", (2,), 0, 16)]),
        a_gguf([("a", (2,), 0, 0), ("a", (2,), 0, 32)]),
        a_gguf([("a", (20,), 0, 0), ("b", (2,), 0, 32)]),
        a_gguf([("a", (31,), 2, 0)]),
        a_gguf([("a", (1, 1, 1, 1, 1), 0, 0)]),
        a_gguf([("a", (2**63, 2**63), 0, 0)]),
        a_gguf(pairs=[gguf_pair("k", 13, b"")]),
        a_gguf(pairs=[gguf_pair("k", 9, struct.pack("<IQ", 8, 2**62))]),
        a_gguf(pairs=[gguf_pair("k", 9, struct.pack("<IQ", 0, 2**62))]),
        a_gguf(pairs=[gguf_pair("k", 9, struct.pack("<IQ", 13, 1))]),
        a_gguf(pairs=[gguf_pair("k", 9, struct.pack("<IQ", 9, 1) * 9)]),
        a_gguf(pairs=[gguf_pair("general.alignment", 4, struct.pack("<I", 0))]),
        a_gguf(pairs=[gguf_pair("general.alignment", 4, struct.pack("<I", 5))]),
        a_gguf(pairs=[struct.pack("<Q", 1) + b"\xff" + bytes(20)]),
        a_gguf(pairs=[struct.pack("<Q", 2**40) + b"k"]),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        _read(data)
