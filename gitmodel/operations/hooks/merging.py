"""Merges by hand: which of them are judged, and how to make one that is legal.

Only what a branch that holds the registry gets is a step of its history. Whoever brings
``main`` into a branch of their own takes in many steps at once, and each of them was
judged when it was made.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import GitProcessError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.hooks.aspects import Refusal

#: Where nobody says which branch holds the registry, and the remote has not said.
_USUAL = ("main", "master")


def protected_branches(repository: Repository, remote: str) -> tuple[str, ...]:
    """Return the names, or patterns, of the branches that hold the registry."""
    if named := repository.config_all("gitmodel.protected"):
        return named
    start = f"refs/remotes/{remote}/"
    try:
        status, head = repository.git.attempt("symbolic-ref", "-q", f"{start}HEAD")
    except GitProcessError:
        return _USUAL  # the remote is a URL, which no ref can be called
    if status != 0:
        return _USUAL
    return (head.decode().strip().removeprefix(start),)


def protects(patterns: Collection[str], branch: str) -> bool:
    """Say whether a branch is one of those that hold the registry."""
    return any(fnmatchcase(branch, pattern) for pattern in patterns)


def is_own_branch(repository: Repository) -> bool:
    """Say whether what is checked out is a branch on which anybody may do anything."""
    branch = repository.head().branch
    if branch is None:
        return False
    return not protects(protected_branches(repository, _remote(repository)), branch)


def explain(
    repository: Repository, found: tuple[Refusal, ...], merged: Collection[str]
) -> tuple[Refusal, ...]:
    """Return refusals of a merge with the commands that get people out of a merge."""
    back = "git merge --abort"
    if not (repository.git_dir / "MERGE_HEAD").exists():
        back = "git reset --merge"
    commands = (back, *_other_way_round(repository, merged))
    return tuple(replace(refusal, commands=commands) for refusal in found)


def joining(remote: str, branch: str) -> tuple[str, ...]:
    """Return how two lines are joined so that the remote's is the first parent."""
    return (
        f"git fetch {remote}",
        f"git checkout --detach {remote}/{branch}",
        f"git merge --no-ff {branch}",
        f"git push {remote} HEAD:{branch}",
    )


def merged_commits(repository: Repository, told: Collection[str]) -> tuple[str, ...]:
    """Return the commits that are being merged; none if no merge is under way.

    Args:
        repository: Where.
        told: What git told its hook: before the merge is done no file says so.
    """
    try:
        text = (repository.git_dir / "MERGE_HEAD").read_text(encoding="ascii")
    except OSError:
        text = ""
    return tuple(dict.fromkeys((*text.split(), *told)))


def _other_way_round(
    repository: Repository, merged: Collection[str]
) -> tuple[str, ...]:
    """Return how to join with the remote, if it is its branch that was merged."""
    branch, remote = repository.head().branch, _remote(repository)
    if branch and repository.resolve(f"refs/remotes/{remote}/{branch}") in merged:
        return joining(remote, branch)
    return ()


def _remote(repository: Repository) -> str:
    branch = repository.head().branch
    return repository.config(f"branch.{branch}.remote") or "origin"
