"""Which remote a branch belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import NotFoundError

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository


def remote_of(repository: Repository, ref: str) -> str:
    """Return the remote that a branch is pushed to.

    Raises:
        NotFoundError: There is none.
    """
    branch = ref.removeprefix("refs/heads/")
    remotes = repository.remotes()
    configured = repository.config(f"branch.{branch}.remote")
    if configured in remotes:
        return configured
    if "origin" in remotes or len(remotes) == 1:
        return "origin" if "origin" in remotes else remotes[0]
    raise NotFoundError(
        "There is no remote to push to.",
        "git remote add origin URL  names one.",
        code="E_NO_REMOTE",
    )
