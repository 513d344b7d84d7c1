"""The header of safetensors: what the reference implementation takes, and no more."""

from __future__ import annotations

import json
import struct
from io import BytesIO
from typing import Any

import pytest

from gitmodel.domain.architecture import Tensor
from gitmodel.errors import InputError
from gitmodel.formats.probes import safetensors
from tests.support.model_files import a_safetensors, safetensors_of


def _read(data: bytes) -> tuple[Tensor, ...]:
    return safetensors.read_tensors(BytesIO(data), len(data))


def _entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes


def _file(header: Any, data: int = 8) -> bytes:
    return safetensors_of(json.dumps(header).encode(), bytes(data))


def test_a_table_is_read_in_the_order_of_the_header() -> None:
    data = a_safetensors(
        {"s": ("F64", (), 8), "e": ("BF16", (0, 3), 0), "q": ("F4", (3, 2), 3)},
        metadata={"format": "pt"},
    )
    assert _read(data) == (
        Tensor("s", "F64", ()),
        Tensor("e", "BF16", (0, 3)),
        Tensor("q", "F4", (3, 2)),
    )


def test_offsets_may_come_in_any_order() -> None:
    header = {
        "b": _entry(data_offsets=[8, 16]),
        "a": _entry(data_offsets=[0, 8]),
    }
    assert [tensor.name for tensor in _read(_file(header, 16))] == ["b", "a"]


def test_a_header_may_be_padded() -> None:
    data = safetensors_of(json.dumps({"a": _entry()}).encode() + b"   ", bytes(8))
    assert len(_read(data)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        safetensors_of(b""),
        safetensors_of(b"[]"),
        safetensors_of(b"{"),
        safetensors_of(b"\xff\xff"),
        safetensors_of(b'{"a":' * 5000),
        safetensors_of(b'{"a":1e999}'),
        safetensors_of(b'{"a":' + b"9" * 5000 + b"}"),
        struct.pack("<Q", 100) + b"{}",
        struct.pack("<Q", safetensors.HEADER_BYTES + 1) + b"{}",
        _file({"a": 1}),
        _file({"a": None}),
        _file({"a": _entry(extra=1)}),
        _file({"a": {"dtype": "F32", "shape": [2]}}),
        _file({"a": _entry(dtype="F33")}),
        _file({"a": _entry(dtype=["F32"])}),
        _file({"a": _entry(shape="2")}),
        _file({"a": _entry(shape=[2.0])}),
        _file({"a": _entry(shape=[True, 2])}),
        _file({"a": _entry(shape=[-2])}),
        _file({"a": _entry(shape=[3])}),
        _file({"a": _entry(shape=[2**63, 2])}),
        _file({"a": _entry(shape=[1] * 100)}),
        _file({"a": _entry(data_offsets=[8, 0])}),
        _file({"a": _entry(data_offsets=[0])}),
        _file({"a": _entry(data_offsets=[0, 8, 8])}),
        _file({"a": _entry(data_offsets=[-8, 0])}),
        _file({"a": _entry()}, 7),
        _file({"a": _entry()}, 9),
        _file({"a": _entry(), "b": _entry()}, 8),
        _file({"a": _entry(), "b": _entry(data_offsets=[9, 17])}, 17),
        _file({"a": _entry(data_offsets=[1, 9])}, 9),
        _file({"a": _entry(), "__metadata__": {"a": 1}}),
        _file({"a": _entry(), "__metadata__": []}),
        safetensors_of(
            b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
            b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
            bytes(8),
        ),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        _read(data)
