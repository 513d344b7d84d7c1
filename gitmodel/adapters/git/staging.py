"""Reads what is staged: what the commit that git is about to make will change.

The index is read, never the work tree. While ``git commit -a`` or ``git commit FILE``
runs, git keeps that commit's index in a file of its own and names it in the
environment of its hooks; whoever runs in a hook passes that file on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import PathChange
from gitmodel.adapters.git.process import GitProcessError
from gitmodel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

_ARGUMENTS = 500


def staged_changes(
    repository: Repository, index: Path | None = None
) -> tuple[PathChange, ...]:
    """Return how the index differs from HEAD; from nothing, if there is no commit.

    Args:
        repository: Where to look.
        index: The file that git named; None for the index of the work tree.

    Raises:
        ConflictError: A merge is not resolved.
    """
    base = repository.resolve("HEAD") or _empty_tree(repository)
    listed = repository.git.run(
        "diff-index", "--cached", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
        "--no-ext-diff", "--ignore-submodules=none", base, "--",
        extra=_environment(index),
    )  # fmt: skip
    fields = iter(listed.split(b"\0")[:-1])
    found = []
    for field in fields:
        old_mode, new_mode, old, new, status = field[1:].decode().split()
        path = next(fields, b"").decode("utf-8", "surrogateescape")
        if status == "U":
            raise _unmerged()
        found.append(
            PathChange(status, path, int(old_mode, 8), int(new_mode, 8), old, new)
        )
    return tuple(found)


def write_tree(repository: Repository, index: Path | None = None) -> str:
    """Write the trees of the index, as the commit will, and return the root's id.

    Raises:
        ConflictError: A merge is not resolved.
    """
    try:
        made = repository.git.run("write-tree", extra=_environment(index))
    except GitProcessError as error:
        if "unmerged" not in error.stderr:
            raise
        raise _unmerged() from error
    return made.decode().strip()


def entries(
    repository: Repository, paths: Sequence[str], index: Path | None = None
) -> dict[str, tuple[int, str]]:
    """Return mode and blob of those of ``paths`` that are in the index."""
    found = {}
    for start in range(0, len(paths), _ARGUMENTS):
        chunk = paths[start : start + _ARGUMENTS]
        listed = repository.git.run(
            "ls-files", "-s", "-z", "--", *chunk, extra=_environment(index)
        )
        for line in listed.split(b"\0")[:-1]:
            meta, _, name = line.partition(b"\t")
            mode, oid, _ = meta.decode().split()
            found[name.decode("utf-8", "surrogateescape")] = (int(mode, 8), oid)
    return found


def sizes(repository: Repository, blobs: Iterable[str]) -> dict[str, int]:
    """Return the size in bytes of each blob that is here."""
    wanted = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs))
    if not wanted:
        return {}
    listed = repository.git.run(
        "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=wanted.encode()
    )
    rows = (line.split() for line in listed.decode().splitlines())
    return {oid: int(size) for oid, size in rows if size.isdecimal()}


def _environment(index: Path | None) -> Mapping[str, str]:
    return {} if index is None else {"GIT_INDEX_FILE": str(index)}


def _empty_tree(repository: Repository) -> str:
    made = repository.git.run("hash-object", "-t", "tree", "--stdin", stdin=b"")
    return made.decode().strip()


def _unmerged() -> ConflictError:
    return ConflictError(
        "A merge is not resolved: the index holds more than one side of a file.",
        "git status  shows which files; resolve them, then  git add  them.",
        code="E_CONFLICT",
    )
