"""The outcome of a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What a transaction did.

    Attributes:
        result: The result of the plan that was carried out.
        commit: The new commit; None for a dry run or when there was nothing to do.
    """

    result: T
    commit: str | None
