"""A model version as its manifest tells it: the facts that never change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.artifact import Artifact
from gitmodel.domain.moment import from_text, minute_stamp
from gitmodel.domain.semver import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.digest import Digest

#: Stands in an id for the code commit of a version that has none.
_NO_COMMIT = "0000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One immutable version of a model.

    Attributes:
        digest: Digest of the manifest's bytes: the version's identity.
        created_at: RFC 3339, UTC, as written.
        document: The whole manifest, for what has no attribute here.
    """

    model: str
    version: Version
    digest: Digest
    created_at: str
    created_by: str
    artifacts: tuple[Artifact, ...]
    document: Mapping[str, Any]

    @classmethod
    def from_document(cls, document: Mapping[str, Any], digest: Digest) -> ModelVersion:
        """Read a schema-valid ``ModelVersion`` document."""
        return cls(
            model=document["model"],
            version=Version.parse(document["version"]),
            digest=digest,
            created_at=document["createdAt"],
            created_by=document["createdBy"],
            artifacts=tuple(map(Artifact.from_dict, document["artifacts"])),
            document=document,
        )

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """Metrics by set, such as ``{"validation": {"accuracy": 0.97}}``."""
        found: Mapping[str, Mapping[str, Any]] = self.document.get("metrics", {})
        return found

    @property
    def training(self) -> Mapping[str, Any]:
        """How it was trained; empty if nobody said."""
        found: Mapping[str, Any] = self.document.get("training", {})
        return found

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels given at registration."""
        found: Mapping[str, str] = self.document.get("labels", {})
        return found

    @property
    def id(self) -> str:
        """The canonical id ``{model}-v{semver}-{YYYYMMDDThhmm}-{commit7}`` (R001)."""
        commit = self.training.get("code", {}).get("commit", _NO_COMMIT)[:7]
        stamp = minute_stamp(from_text(self.created_at))
        return f"{self.model}-v{self.version}-{stamp}-{commit}"

    @property
    def size(self) -> int:
        """Bytes of all artifacts."""
        return sum(artifact.size for artifact in self.artifacts)
