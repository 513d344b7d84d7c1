"""What a clone keeps for lists: its form, and who may ask for what.

Every entry is bound to the id of the git object that it was read from, so it can be
wrong but never stale: a version by its directory's tree (``catalog``), a log by its
tree and a pin by its blob (``catalog_stages``).

For people to look at, and nothing else: no signature is looked at here, as none was
when every list was read from git. ``show``, ``promote``, ``pull``, ``verify`` and what
they rest on read git's objects; of this, they take no more than a hint where to look
first, and verify what they find.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.cache import Cache
from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError
from gitmodel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.registry.view import View

#: Goes up when the same git objects come to mean something else in what is kept.
_FORMAT = 1
#: What a value from the cache that is not as it was written may lead to.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, GitmodelError)


@dataclass(frozen=True, slots=True)
class Summary:
    """What lists say of one version.

    Attributes:
        source: Id of the tree of its directory.
        manifest: Digest of its manifest.
        size: Bytes of all its artifacts.
    """

    version: str
    source: str
    manifest: Digest
    created_at: str
    created_by: str
    metrics: Mapping[str, Mapping[str, Any]]
    labels: Mapping[str, str]
    size: int

    @classmethod
    def of(cls, version: ModelVersion, source: str) -> Summary:
        """Sum up what the manifest in a directory says."""
        return cls(
            version=str(version.version),
            source=source,
            manifest=version.digest,
            created_at=version.created_at,
            created_by=version.created_by,
            metrics=version.metrics,
            labels=version.labels,
            size=version.size,
        )

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Summary:
        """Read what :meth:`to_row` returned."""
        version, source, manifest, created_at, created_by, metrics, labels, size = row
        if not (isinstance(metrics, dict) and isinstance(labels, dict)):
            raise TypeError("metrics and labels are mappings")
        found = Digest(manifest)
        return cls(
            version, source, found, created_at, created_by, metrics, labels, size
        )

    def to_row(self) -> list[Any]:
        """Return it as JSON."""
        return [
            self.version, self.source, self.manifest.hex, self.created_at,
            self.created_by, self.metrics, self.labels, self.size,
        ]  # fmt: skip


def cache_of(view: View) -> Cache:
    """Return where this clone keeps what it has read for lists.

    A bare repository is somebody's server, and is only ever read.
    """
    repository = view.reader.repository
    return Cache(
        repository.state_dir / "cache",
        f"{_FORMAT} {__version__}",
        read_only=repository.work_tree is None,
    )


def known_summaries(kept: Any) -> tuple[str, list[Summary]]:
    """Return the tree that versions were read from, and them; none if not known."""
    try:
        return str(kept["tree"]), [Summary.from_row(row) for row in kept["rows"]]
    except MALFORMED:
        return "", []


def version_of(view: View, model: str, manifest: Digest | None) -> str | None:
    """Return which version is said to have that manifest; a hint, to be verified."""
    _, known = known_summaries(cache_of(view).get(f"versions/{model}"))
    return next((one.version for one in known if one.manifest == manifest), None)
