"""The history of a registry as steps: what each first-parent commit changed, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import PathChange, changes, first_parent_line
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository

#: Commits whose new blobs are read together: few processes, bounded memory.
_CHUNK = 500
_PLAIN = frozenset({0o100644, 0o100755})


@dataclass(frozen=True, slots=True)
class Step:
    """One commit, as the difference to its first parent.

    Attributes:
        raw: The commit object.
        changes: Every changed path below the protected directories.
        blobs: The new bytes of each of them that is a file, by path.
    """

    commit: str
    changes: tuple[PathChange, ...]
    blobs: Mapping[str, bytes]
    raw: bytes = b""


def line_to(
    repository: Repository, tip: str, after: str | None
) -> list[tuple[str, str | None]]:
    """Return the commits that lead from ``after`` to ``tip``, with their parents."""
    line = first_parent_line(repository, tip, after=after)
    line.reverse()
    return line


def steps(
    repository: Repository,
    reader: ObjectReader,
    line: Sequence[tuple[str, str | None]],
) -> Iterator[Step]:
    """Yield the commits of ``line``, as :func:`line_to` returns it.

    Raises:
        IntegrityError: A new blob is missing or larger than any document may be.
    """
    roots = tuple(root.rstrip("/") for root in layout.PROTECTED_ROOTS)
    for start in range(0, len(line), _CHUNK):
        chunk = line[start : start + _CHUNK]
        found = dict(changes(repository, chunk, paths=roots))
        wanted = [
            (commit, change)
            for commit, paths in found.items()
            for change in paths
            if change.status != "D" and change.new_mode in _PLAIN
        ]
        blobs: dict[str, dict[str, bytes]] = {commit: {} for commit, _ in chunk}
        read = reader.read_many(
            [
                *(commit for commit, _ in chunk),
                *(change.new for _, change in wanted),
            ]
        )
        raw = {commit: next(read).data for commit, _ in chunk}
        for (commit, change), blob in zip(wanted, read, strict=True):
            blobs[commit][change.path] = blob.data
        for commit, _ in chunk:
            yield Step(commit, found.get(commit, ()), blobs.pop(commit), raw[commit])
