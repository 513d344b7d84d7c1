"""What a merge of two commits would make, without a branch, an index or a work tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.commits import commit_object
from gitmodel.adapters.git.process import GitProcessError
from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.adapters.git.repository import Repository

_CONFLICT = 1
_SHOWN = 5
_WHO = "gitmodel <gitmodel@localhost>"


def trial_merge(repository: Repository, base: str, head: str, when: datetime) -> str:
    """Return a commit that merges ``head`` into ``base``; no ref names it.

    git's garbage collection removes it in time.

    Args:
        repository: Where both commits are.
        base: The first parent.
        head: The second parent; it is not an ancestor of ``base``.
        when: The commit's time.

    Raises:
        ConflictError: git alone cannot merge them (``E_MERGE_CONFLICT``); ``problems``
            names each path.
        OutsideError: git is too old to tell (before 2.38).
    """
    ours = repository.git.attempt("merge-base", "--is-ancestor", base, head)[0] == 0
    tree = _tree_of(repository, head) if ours else _merged(repository, base, head)
    data = commit_object(
        tree=tree, parents=(base, head), who=_WHO, when=when, message="trial merge\n"
    )
    made = repository.git.run(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=data
    )
    return made.decode().strip()


def _tree_of(repository: Repository, commit: str) -> str:
    return repository.git.run("rev-parse", f"{commit}^{{tree}}").decode().strip()


def _merged(repository: Repository, base: str, head: str) -> str:
    try:
        status, said = repository.git.attempt(
            "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages",
            base, head, accept=(0, _CONFLICT),
        )  # fmt: skip
    except GitProcessError as error:
        if "usage:" not in error.stderr and "unknown option" not in error.stderr:
            raise
        raise OutsideError(
            "git cannot merge without a work tree before version 2.38.",
            "Install a newer git, or merge the base into the branch first.",
            code="E_GIT",
        ) from error
    tree, *paths = said.decode("utf-8", "replace").rstrip("\0").split("\0")
    if status == _CONFLICT:
        more = "" if len(paths) <= _SHOWN else f" and {len(paths) - _SHOWN} more"
        message = "it does not merge: both sides changed it."
        raise ConflictError(
            f"They do not merge: {', '.join(paths[:_SHOWN])}{more} changed on both "
            "sides.",
            "git merge BASE  on the branch, then resolve what conflicts.",
            code="E_MERGE_CONFLICT",
            problems=[{"path": path, "message": message} for path in paths],
        )
    return tree
