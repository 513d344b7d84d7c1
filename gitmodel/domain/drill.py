"""How the rehearsal of an emergency went: part of an attestation (R183)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.aftermath import CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Drilled:
    """The drill of one stage, as it is kept on record.

    Attributes:
        stage: The stage that it was held for.
        checks: Its phases, in order; the value of each is its milliseconds.
    """

    stage: str
    checks: tuple[CheckOutcome, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Drilled | None:
        """Read that part of an ``Attestation``; None if it has none."""
        if document["type"] != "drill":
            return None
        return cls(
            stage=document["stage"],
            checks=tuple(map(CheckOutcome.from_dict, document["checks"])),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of an ``Attestation``."""
        return {
            "stage": self.stage,
            "checks": [check.to_dict() for check in self.checks],
        }
