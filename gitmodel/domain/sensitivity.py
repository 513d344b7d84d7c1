"""How sensitive models are: said by the policy, so that roots alone can lower it.

``model.yaml`` has a word about it too, for people; whoever can push may edit that
file, so no rule rests on it. See docs/decisions/0012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: From the least to the most sensitive; what holds for one holds for those after it.
LEVELS = ("public", "internal", "restricted")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The level of each model.

    Attributes:
        default: Of models that are not named; None for the most sensitive level.
        models: Level by model.
    """

    default: str | None = None
    models: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Sensitivity:
        """Read what a schema-valid policy says."""
        return cls(data.get("default"), tuple(data.get("models", {}).items()))

    def level_of(self, model: str) -> str:
        """Return the level of a model, whatever case its name is written in.

        Named in several cases, it has the most sensitive level.
        """
        name = model.casefold()
        named = [level for known, level in self.models if known.casefold() == name]
        return max(named, key=LEVELS.index, default=self.default or LEVELS[-1])

    def to_dict(self) -> dict[str, Any]:
        """Return it as the document has it; {} for nothing."""
        return ({"default": self.default} if self.default else {}) | (
            {"models": dict(self.models)} if self.models else {}
        )


def reaches(level: str, rule: str) -> bool:
    """Say whether a model of ``level`` falls under the rules for level ``rule``."""
    return LEVELS.index(level) >= LEVELS.index(rule)
