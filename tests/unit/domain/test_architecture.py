"""The shape of a model, whatever its weights."""

from __future__ import annotations

import hashlib

import pytest

from gitmodel.domain.architecture import Architecture, Tensor
from gitmodel.errors import InputError

A, B = Tensor("a", "F32", (2, 3)), Tensor("é", "F16", ())


def test_the_signature_can_be_computed_by_others() -> None:
    text = b'[["a","F32",[2,3]],["\\u00e9","F16",[]]]'
    found = Architecture.of([B, A])
    assert found.signature.hex == hashlib.sha256(text).hexdigest()
    assert (found.tensors, found.parameters) == (2, 7)


def test_order_does_not_count() -> None:
    assert Architecture.of([A, B]) == Architecture.of(iter([B, A]))


@pytest.mark.parametrize(
    "other",
    [
        Tensor("c", "F32", (2, 3)),
        Tensor("a", "F64", (2, 3)),
        Tensor("a", "F32", (3, 2)),
        Tensor("a", "F32", (6,)),
    ],
)
def test_any_change_of_shape_does(other: Tensor) -> None:
    assert Architecture.of([A]).signature != Architecture.of([other]).signature


def test_a_model_without_tensors_has_a_shape_too() -> None:
    nothing = Architecture.of([])
    assert nothing.signature.hex == hashlib.sha256(b"[]").hexdigest()
    assert (nothing.tensors, nothing.parameters) == (0, 0)


def test_it_is_read_and_written() -> None:
    found = Architecture.of([A, B])
    assert Architecture.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"signature": "x", "tensors": 1, "parameters": 1},
        {"signature": "sha256:" + "0" * 64, "tensors": "1", "parameters": 1},
        {"signature": "sha256:" + "0" * 64, "tensors": 1, "parameters": True},
    ],
)
def test_what_it_cannot_be_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Architecture.from_dict(value)
