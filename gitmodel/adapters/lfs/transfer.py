"""Moves LFS objects to and from remotes, by the stock git-lfs client.

git-lfs knows people's credentials, proxies, ``file://`` and custom transfers. It
is needed for nothing else: registering, promoting, rolling back and verifying
work without it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gitmodel.adapters.environment import child_environment
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.domain.digest import Digest

_ARGUMENTS = 500


def version() -> str | None:
    """Return the version of git-lfs, such as ``3.3.0``; None if there is none."""
    try:
        done = subprocess.run(
            ["git", "lfs", "version"],  # noqa: S607
            capture_output=True,
            text=True,
            env=child_environment(),
            check=False,
        )
    except FileNotFoundError:
        return None
    if done.returncode != 0:
        return None
    return done.stdout.split()[0].removeprefix("git-lfs/")


def push_objects(directory: Path, remote: str, digests: Sequence[Digest]) -> None:
    """Upload objects that the local store has.

    Raises:
        OutsideError: git-lfs is missing or failed.
    """
    for start in range(0, len(digests), _ARGUMENTS):
        chunk = [digest.hex for digest in digests[start : start + _ARGUMENTS]]
        _run(directory, "push", "--object-id", remote, *chunk)


def fetch_objects(directory: Path, remote: str, commit: str, path: str) -> None:
    """Download the objects that ``commit`` names below ``path``, and no others.

    Raises:
        OutsideError: git-lfs is missing or failed.
    """
    _run(directory, "fetch", f"--include={path}/**", "--exclude=", remote, commit)


def _run(directory: Path, *args: str) -> None:
    if version() is None:
        raise OutsideError(
            "git-lfs is not installed; it moves artifacts to and from remotes.",
            "apt-get install git-lfs  (or brew install git-lfs), "
            "then run the command again.",
            code="E_NO_GIT_LFS",
        )
    done = subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "lfs", *args],  # noqa: S607
        cwd=directory,
        capture_output=True,
        text=True,
        errors="replace",
        env=child_environment(),
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr + done.stdout).strip().splitlines()
        reason = said[-1] if said else f"exit status {done.returncode}"
        raise OutsideError(
            f"git lfs {args[0]} failed: {reason}",
            "git lfs env  shows the endpoint;  gitmodel doctor  checks the set-up.",
            code="E_LFS",
        )
