"""Makes commit objects and moves branches, by compare-and-swap only."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import GitProcessError
from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitmodel.adapters.git.repository import Repository

#: What git says of a lock that is taken, and of a file system that refuses.
_LOCKED = re.compile(r"Unable to create '([^\n]+\.lock)': File exists")
_UNWRITABLE = re.compile(r"couldn't write|unable to write|No space|Read-only")


def commit_object(
    *, tree: str, parents: Sequence[str], who: str, when: datetime, message: str
) -> bytes:
    """Return the bytes of an unsigned commit; ``who`` is ``Name <email>``."""
    stamp = f"{int(when.timestamp())} {when.strftime('%z') or '+0000'}"
    lines = [
        f"tree {tree}",
        *(f"parent {parent}" for parent in parents),
        f"author {who} {stamp}",
        f"committer {who} {stamp}",
        "",
        message,
    ]
    return "\n".join(lines).encode()


def move_branch(
    repository: Repository, ref: str, *, new: str, old: str | None, why: str
) -> None:
    """Point ``ref`` at ``new`` if it still is at ``old`` (None: does not exist).

    Raises:
        ConflictError: It moved meanwhile, or git has it locked; nothing was changed.
        OutsideError: It cannot be written.
    """
    expected = old or "0" * len(new)
    try:
        repository.git.run(
            "-c", "core.fsync=reference", "update-ref", "--create-reflog",
            "-m", why, ref, new, expected,
        )  # fmt: skip
    except GitProcessError as error:
        if locked := _LOCKED.search(error.stderr):
            raise ConflictError(
                "Another git process is moving this branch, or one was killed: "
                f"{locked[1]} exists.",
                f"If no git process is at work here:  rm {shlex.quote(locked[1])}",
                code="E_REF_LOCKED",
            ) from error
        if _UNWRITABLE.search(error.stderr):
            raise OutsideError(
                f"The branch cannot be written: {error.message}",
                "Look whether the disk is full, then run the command again.",
                code="E_GIT",
            ) from error
        if "cannot lock ref" not in error.stderr:
            raise
        raise ConflictError(
            f"{ref.removeprefix('refs/heads/')} moved while this command ran; "
            "nothing was changed.",
            "Run the command again.",
            code="E_REF_MOVED",
        ) from error


def fast_forward(repository: Repository, commit: str) -> None:
    """Bring the current branch, index and files to a commit that descends from it.

    git does this itself, as it knows about modes, links and sparse checkouts; LFS
    objects are not downloaded.

    Raises:
        ConflictError: Uncommitted changes are in the way; nothing was changed.
    """
    try:
        repository.git.as_the_user().run(
            "merge", "--ff-only", "--quiet", "--no-autostash",
            commit, extra={"GIT_LFS_SKIP_SMUDGE": "1"},
        )  # fmt: skip
    except GitProcessError as error:
        if "would be overwritten" not in error.stderr:
            raise
        raise ConflictError(
            "Your uncommitted changes are in the way of what others have pushed.",
            *(line.strip() for line in error.stderr.splitlines() if "\t" in line),
            "Commit or stash them, then run the command again.",
            code="E_DIRTY",
        ) from error
