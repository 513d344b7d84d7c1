"""What a stage holds: the only mutable truth of a registry.

A pin carries state alone, no time and no author, so that going back to an
earlier version gives back the very same bytes (``design`` §3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

API_VERSION = "gitmodel.dev/v1"


@dataclass(frozen=True, slots=True)
class Release:
    """One version by name and by content: what pins and transitions point at.

    Attributes:
        version: The semantic version, as text.
        manifest: Digest of the manifest's bytes; this is the identity.
    """

    version: str
    manifest: Digest

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Release:
        """Read ``{version, manifest}`` from a validated document."""
        return cls(data["version"], Digest.parse(data["manifest"]))

    def to_dict(self) -> dict[str, str]:
        """Return ``{version, manifest}``."""
        return {"version": self.version, "manifest": str(self.manifest)}


@dataclass(frozen=True, slots=True)
class Pin:
    """A stage holds ``release`` of ``model``."""

    stage: str
    model: str
    release: Release

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Pin:
        """Read a validated ``ModelPin`` document."""
        spec = document["spec"]
        return cls(
            spec["stage"],
            document["metadata"]["name"],
            Release.from_dict(spec["model"]),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the KRM object that Kustomize, Argo CD and Flux can read."""
        return {
            "apiVersion": API_VERSION,
            "kind": "ModelPin",
            "metadata": {
                "name": self.model,
                "annotations": {"config.kubernetes.io/local-config": "true"},
            },
            "spec": {
                "stage": self.stage,
                "model": {
                    **self.release.to_dict(),
                    "uri": f"gitmodel://{self.model}@{self.release.manifest}",
                },
            },
        }
