"""``gitmodel.yaml``: what a registry is called and which stages it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.domain.names import stage_name
from gitmodel.domain.naming import NamingRules
from gitmodel.domain.pin import API_VERSION
from gitmodel.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STAGES = ("dev", "staging", "production")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that commands need.

    Attributes:
        name: What people call the registry.
        stages: In promotion order, first to last.
        trailers: What the message of a commit by hand must have, if it changes the
            registry.
        naming: How new models are to be named.
    """

    name: str
    stages: tuple[str, ...]
    trailers: tuple[str, ...] = ()
    naming: NamingRules = field(default_factory=NamingRules)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Settings:
        """Read a schema-valid ``Registry`` document.

        Raises:
            InputError: A stage is named badly or twice, or the pattern for names
                cannot be used.
        """
        stages = tuple(map(stage_name, document["stages"]))
        if len(set(stages)) != len(stages):
            raise InputError("A stage is named twice.", code="E_SCHEMA")
        trailers = document.get("commits", {}).get("trailers", ())
        naming = NamingRules(document.get("naming", {}).get("model"))
        return cls(document["name"], stages, tuple(trailers), naming)

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Registry",
            "name": self.name,
            "stages": list(self.stages),
        }

    def require_stage(self, stage: str) -> str:
        """Return ``stage`` if the registry has it.

        Raises:
            NotFoundError: It has not.
        """
        if stage_name(stage) not in self.stages:
            raise NotFoundError(
                f"This registry has no stage {stage!r}.",
                f"Its stages are: {', '.join(self.stages)}",
            )
        return stage
