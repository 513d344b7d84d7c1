"""Ask others for a move of a pin, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.registry import request_branches, requests

if TYPE_CHECKING:
    from gitmodel.operations.moves import Moved
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.transaction import Mode
    from gitmodel.registry.view import View


def ask(
    handle: RegistryHandle, base: View, moved: Moved, branch: str, mode: Mode
) -> tuple[str | None, str]:
    """Open a request for a move; a dry run says only whether one could.

    Returns:
        The commit that was made, None if the very same is asked for already; and the
        digest of the transition that waits.

    Raises:
        ConflictError: Something else is asked for, or, but by pull request, the same.
    """
    if mode.by_request and branch in request_branches.tips(handle):
        known = requests.find(handle, base, branch)
        wanted = moved.transition
        same = (known.transition.action, known.transition.target) == (
            wanted.action,
            wanted.target,
        )
        if same and not known.stale:
            return None, str(known.record.digest)
    if mode.dry_run:
        request_branches.require_free(handle, branch)
        return None, str(moved.digest)
    push = mode.push and not mode.by_request
    commit = request_branches.start(handle, base, moved.change, branch, push=push)
    return commit, str(moved.digest)
