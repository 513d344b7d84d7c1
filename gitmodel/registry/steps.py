"""The history of a registry as steps: what each first-parent commit changed, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import PathChange, changes, first_parent_line
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository

#: Commits whose new blobs are read together: few processes, bounded memory.
_CHUNK = 500
_PLAIN = frozenset({0o100644, 0o100755})


@dataclass(frozen=True, slots=True)
class Step:
    """One commit, as the difference to its first parent.

    Attributes:
        changes: Every changed path below the protected directories.
        blobs: The new bytes of each of them that is a file, by path.
    """

    commit: str
    changes: tuple[PathChange, ...]
    blobs: Mapping[str, bytes]


def count_commits(repository: Repository, tip: str, after: str | None) -> int:
    """Return how many first-parent commits lead from ``after`` to ``tip``."""
    return len(first_parent_line(repository, tip, after=after))


def steps(
    repository: Repository, reader: ObjectReader, tip: str, after: str | None
) -> Iterator[Step]:
    """Yield the commits that changed a registry, oldest first.

    Raises:
        IntegrityError: A new blob is missing or larger than any document may be.
    """
    line = first_parent_line(repository, tip, after=after)
    line.reverse()
    roots = tuple(root.rstrip("/") for root in layout.PROTECTED_ROOTS)
    for start in range(0, len(line), _CHUNK):
        found = list(changes(repository, line[start : start + _CHUNK], paths=roots))
        wanted = [
            change
            for _, paths in found
            for change in paths
            if change.status != "D" and change.new_mode in _PLAIN
        ]
        blobs = reader.read_many([change.new for change in wanted])
        data = {
            (change.path, change.new): blob.data
            for change, blob in zip(wanted, blobs, strict=True)
        }
        for commit, paths in found:
            yield Step(
                commit,
                paths,
                {
                    change.path: data[change.path, change.new]
                    for change in paths
                    if (change.path, change.new) in data
                },
            )
