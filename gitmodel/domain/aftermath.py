"""What the checks of a model made of a rollback: part of an attestation (R187)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.transition import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What one check of a model made of a rollback.

    Attributes:
        value: What was measured, in the unit of the check; None for nothing.
        seconds: How long it took.
        detail: One line for people.
    """

    name: str
    passed: bool
    value: float | None
    seconds: float
    detail: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CheckOutcome:
        """Read the form that documents have."""
        return cls(
            name=data["name"],
            passed=data["passed"],
            value=data["value"],
            seconds=data["seconds"],
            detail=data["detail"],
        )

    @classmethod
    def not_carried_out(cls, name: str, why: str) -> CheckOutcome:
        """Return the outcome of a check that never began: it has not passed."""
        return cls(name=name, passed=False, value=None, seconds=0, detail=why)

    def to_dict(self) -> dict[str, Any]:
        """Return the form that documents have."""
        return {
            "name": self.name,
            "passed": self.passed,
            "value": self.value,
            "seconds": self.seconds,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What came of one rollback.

    Attributes:
        stage: The stage that was rolled back.
        transition: Digest of the rollback.
        checks: In the order of ``model.yaml``.
    """

    stage: str
    transition: Digest
    checks: tuple[CheckOutcome, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Aftermath | None:
        """Read that part of an ``Attestation``; None if it has none."""
        if "transition" not in document:
            return None
        return cls(
            stage=document["stage"],
            transition=Digest.parse(document["transition"]),
            checks=tuple(map(CheckOutcome.from_dict, document["checks"])),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of an ``Attestation``."""
        return {
            "stage": self.stage,
            "transition": str(self.transition),
            "checks": [check.to_dict() for check in self.checks],
        }

    def is_of(self, transition: Transition, digest: Digest | None, to: Digest) -> bool:
        """Say whether this is about a transition.

        Args:
            transition: Which.
            digest: Of that.
            to: Digest of the manifest that the rollback went back to.
        """
        target = transition.target
        return (
            digest == self.transition
            and transition.action == "rollback"
            and target is not None
            and target.manifest == to
        )
