"""How much a push brings, and what it puts where, before anything of it is believed.

Counting costs little and holds little, whatever was pushed; judging begins after it.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, edges
from gitmodel.adapters.git.incoming import incoming_objects
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.adapters.git.history import PathChange
    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.hooks.receiving.rules import Limits, Rules
    from gitmodel.operations.verification.findings import Findings

    Oversized = dict[str, int]

_SYMLINK, _SUBMODULE = 0o120000, 0o160000
_FEW = 100  # problems of one kind say enough


def weigh(repository: Repository, limits: Limits, findings: Findings) -> Oversized:
    """Hold the objects of a push against the limits; return files that are too large.

    Their paths are not known yet.
    """
    total = 0
    oversized: Oversized = {}
    for count, found in enumerate(incoming_objects(repository), start=1):
        total += found.size
        if found.size > limits.file and len(oversized) < _FEW:
            oversized[found.oid] = found.size
        if count > limits.objects or total > limits.bytes:
            findings.add(
                "E_LIMIT",
                f"the push has more than {limits.objects:,} objects, or more than "
                f"{limits.bytes:,} bytes (gitmodel.maxObjects, gitmodel.maxBytes).",
            )
            break
    return oversized


def has_too_many_commits(
    repository: Repository, tip: str, after: str | None, most: int
) -> bool:
    """Say whether ``tip`` has more than ``most`` commits that ``after`` has not."""
    bound = () if after is None else (f"^{after}",)
    args = ("rev-list", "--count", f"--max-count={most + 1}", tip, *bound, "--")
    return int(repository.git.run(*args)) > most


def survey(
    repository: Repository, tip: str, after: str | None, most: int
) -> tuple[tuple[str, PathChange], ...] | None:
    """Return what each new commit changes, as compared to its first parent.

    Returns:
        Commits and changes; None if there are more than ``most``.
    """
    parents: dict[str, str | None] = {}
    for commit, parent in edges(repository, tip, after):
        parents.setdefault(commit, parent)
    found: list[tuple[str, PathChange]] = []
    for commit, paths in changes(repository, list(parents.items())):
        found += ((commit, change) for change in paths if change.status != "D")
        if len(found) > most:
            return None
    return tuple(found)


def judge_entries(
    reader: ObjectReader,
    rules: Rules,
    oversized: Oversized,
    found: tuple[tuple[str, PathChange], ...],
    findings: Findings,
) -> None:
    """Judge links, submodules and large files, wherever they are."""
    links = []
    for commit, change in found:
        if change.new in oversized:
            size, most = oversized.pop(change.new), rules.limits.file
            message = f"it has {size:,} bytes; {most:,} are the most (gitmodel.maxFile)"
            findings.add("E_LIMIT", message, change.path, commit)
        if change.path.startswith(layout.PROTECTED_ROOTS):
            continue  # each of these is judged by the registry's own rules
        if not rules.submodules and (
            change.new_mode == _SUBMODULE or change.path == ".gitmodules"
        ):
            message = "a clone would fetch more than the registry (gitmodel.submodules)"
            findings.add("E_SUBMODULE", message, change.path, commit)
        elif change.new_mode == _SYMLINK:
            links.append((commit, change))
    targets = reader.read_many(change.new for _, change in links[:_FEW])
    for (commit, change), target in zip(links[:_FEW], targets, strict=True):
        if _leads_astray(change.path, target.data.decode("utf-8", "replace")):
            message = "the link leads out of the repository, or into the registry."
            findings.add("E_MODE", message, change.path, commit)
    if len(links) > _FEW:
        findings.add("E_LIMIT", f"the push has more than {_FEW} links.")


def _leads_astray(path: str, target: str) -> bool:
    where = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return (
        target.startswith("/")
        or f"{where}/".startswith(layout.PROTECTED_ROOTS)
        or f"{where.lower()}/".startswith(("../", ".git/"))
    )


def brings_policy_beside(
    found: tuple[tuple[str, PathChange], ...], line: Sequence[tuple[str, str | None]]
) -> bool:
    """Say whether a commit that a merge brings beside the line adds a policy."""
    on_line = {commit for commit, _ in line}
    return any(
        commit not in on_line and layout.classify(change.path).kind == "policy"
        for commit, change in found
    )


def pointers_in(
    reader: ObjectReader, found: tuple[tuple[str, PathChange], ...]
) -> Iterator[tuple[str, str, Pointer]]:
    """Yield commit, path and pointer of every new artifact."""
    wanted = [
        (commit, change)
        for commit, change in found
        if layout.classify(change.path).kind == "artifact"
    ]
    read = reader.read_many(change.new for _, change in wanted)
    for (commit, change), blob in zip(wanted, read, strict=True):
        pointer = Pointer.parse(blob.data)
        if pointer is not None and pointer.size:
            yield commit, change.path, pointer
