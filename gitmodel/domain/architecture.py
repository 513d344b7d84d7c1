"""The shape of a model: its table of tensors, without their values (R038, R069).

Two versions with the same signature differ in weights alone; a layer that was
added, dropped, widened or cast to another type changes it.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, order=True)
class Tensor:
    """One row of the table.

    Attributes:
        name: As the file spells it.
        dtype: Element type, in the words of the file's format, such as ``BF16``.
        shape: Lengths, in the order of the file's format; empty for a scalar.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What is left of a model when its weights are taken away.

    Attributes:
        signature: SHA-256 of the sorted rows ``[name, dtype, [shape]]`` as JSON
            without spaces, in ASCII with escapes.
        tensors: Number of tensors.
        parameters: Number of elements of all tensors.
    """

    signature: Digest
    tensors: int
    parameters: int

    @classmethod
    def of(cls, tensors: Iterable[Tensor]) -> Architecture:
        """Return the architecture of a model with these tensors, in any order.

        A model in several files has the tensors of all of them.
        """
        rows = sorted(tensors)
        hasher = hashlib.sha256(b"[")
        for index, row in enumerate(rows):
            text = json.dumps([row.name, row.dtype, row.shape], separators=(",", ":"))
            hasher.update(b"," * bool(index) + text.encode())
        hasher.update(b"]")
        return cls(
            signature=Digest(hasher.hexdigest()),
            tensors=len(rows),
            parameters=sum(row.parameters for row in rows),
        )

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Architecture:
        """Read ``architecture`` of a manifest; ``from_dict(a.to_dict()) == a``.

        Raises:
            InputError: A key is missing or has a value that it cannot have.
        """
        signature, tensors, parameters = (
            value.get(key) for key in ("signature", "tensors", "parameters")
        )
        if not isinstance(signature, str):
            raise InputError("An architecture needs a signature.")
        if type(tensors) is not int or type(parameters) is not int:
            raise InputError("An architecture needs counts of tensors and parameters.")
        return cls(
            signature=Digest.parse(signature), tensors=tensors, parameters=parameters
        )

    def to_dict(self) -> dict[str, str | int]:
        """Return the form that ``architecture`` has in a manifest."""
        return {
            "signature": str(self.signature),
            "tensors": self.tensors,
            "parameters": self.parameters,
        }
