"""How a drill is held, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitmodel.domain.aftermath import CheckOutcome
    from gitmodel.domain.digest import Digest
    from gitmodel.operations.fitness import Check

#: The phases after which a host serves what the stage went back to.
_UNTIL_SWITCHED = frozenset({"fetch", "commit", "switch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a drill is held.

    Attributes:
        full: Judge the whole history afterwards, and hash every byte that is here.
        keep: Where the throw-away registry is left; None to remove it.
        max_seconds: How long it may take until a host serves the last known good.
        tell: Hears, in a few words, which phase comes next.
    """

    full: bool = False
    keep: Path | None = None
    max_seconds: float | None = None
    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillResult:
    """How a drill went.

    Attributes:
        version: What is live.
        manifest: Digest of its manifest.
        target: What the stage would go back to; None if there is nothing.
        phases: In order; the value of each is its milliseconds.
        validations: The checks of the model that could be carried out.
        checks: What was looked at, and what to do about it.
        prepared: Milliseconds that it took to make the throw-away registry.
        kept: Where that was left; None if it is gone.
        attestation: Digest of what was recorded; None if nothing was.
        path: Where that is.
        by: Who signs it, in which ``role``.
        commit: Of that; None for none.
    """

    model: str
    stage: str
    version: str
    manifest: Digest
    target: str | None
    phases: tuple[CheckOutcome, ...]
    validations: tuple[CheckOutcome, ...]
    checks: tuple[Check, ...]
    prepared: float
    kept: Path | None = None
    attestation: str | None = None
    path: str | None = None
    by: str | None = None
    role: str | None = None
    commit: str | None = None

    @property
    def status(self) -> Literal["passed", "failed"]:
        """Whether nothing stood in the way."""
        return "failed" if self.obstacles else "passed"

    @property
    def obstacles(self) -> tuple[Check, ...]:
        """What stood in the way."""
        return tuple(each for each in self.checks if each.required and not each.ok)

    @property
    def switched(self) -> float | None:
        """Milliseconds until a host serves what the stage went back to; None: never."""
        if not {"commit", "switch"} <= {p.name for p in self.phases if p.passed}:
            return None
        return round(until_switched(self.phases), 1)


def until_switched(phases: tuple[CheckOutcome, ...] | list[CheckOutcome]) -> float:
    """Return the milliseconds that the phases took after which a host serves it."""
    return sum(each.value or 0 for each in phases if each.name in _UNTIL_SWITCHED)
