"""Moves LFS objects to and from remotes, by the stock git-lfs client.

git-lfs knows people's credentials, proxies, ``file://`` and custom transfers. It
is needed for nothing else: registering, promoting, rolling back and verifying
work without it.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from gitmodel.adapters.environment import child_environment
from gitmodel.adapters.lfs.store import E_DIGEST, E_MISSING
from gitmodel.errors import IntegrityError, NotFoundError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.domain.digest import Digest

_ARGUMENTS = 500
#: Lines of git-lfs that say what it does, or only that it failed.
_CHATTER = ("fetch:", "push:", "Uploading", "Downloading", "error: failed to", "hint:")
# git-lfs has one exit status for every failure: what it says tells them apart.
_NOT_THERE = re.compile(
    r"\[4(04|10)\]|\b4(04|10) [A-Z]|object not found|does not exist on the server"
    "|remote missing object"
)
_MISSING = re.compile(r"\(missing\)|Unable to find source|missing or corrupt")
_OTHER_BYTES = re.compile(r"expected OID|invalid hash|\[422\]|\b422 [A-Z]")


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


def require_client() -> None:
    """Insist that git-lfs is there, before work is done that would be in vain.

    Raises:
        OutsideError: It is not (E_NO_GIT_LFS).
    """
    if version() is None:
        raise OutsideError(
            "git-lfs is not installed; it moves artifacts to and from remotes.",
            "apt-get install git-lfs  (or brew install git-lfs), "
            "then run the command again.",
            code="E_NO_GIT_LFS",
        )


def push_objects(directory: Path, remote: str, digests: Sequence[Digest]) -> None:
    """Upload objects that the local store has.

    Raises:
        OutsideError: git-lfs is missing or failed.
    """
    for start in range(0, len(digests), _ARGUMENTS):
        chunk = [digest.hex for digest in digests[start : start + _ARGUMENTS]]
        _run(directory, "push", "--object-id", remote, *chunk)


def pre_push(directory: Path, remote: str, url: str, lines: Sequence[str]) -> None:
    """Do what the pre-push hook of git-lfs does: what is missing here may be there.

    Args:
        directory: Of the clone.
        remote: Its name, or the URL.
        url: Where it is.
        lines: What git wrote to its hook.

    Raises:
        NotFoundError: An object is neither here nor there (E_ARTIFACT_MISSING).
        OutsideError: git-lfs is missing or failed.
    """
    said = "".join(f"{line}\n" for line in lines)
    try:
        _run(directory, "pre-push", remote, url, stdin=said)
    except LfsError as error:
        if _MISSING.search(error.said):
            raise NotFoundError(
                f"LFS objects of these commits are neither here nor on {remote}: "
                f"{error.reason}",
                "git lfs fetch --all OTHER-REMOTE  brings them from one that has them.",
                code=E_MISSING,
            ) from error
        raise


def fetch_objects(directory: Path, remote: str, commit: str, path: str) -> None:
    """Download the objects that ``commit`` names below ``path``, and no others.

    Raises:
        NotFoundError: The server has not all of them (E_ARTIFACT_MISSING).
        IntegrityError: The server sent other bytes; they were thrown away
            (E_ARTIFACT_DIGEST).
        OutsideError: git-lfs is missing or failed.
    """
    try:
        _run(
            directory,
            "fetch",
            f"--include={path}/**",
            "--exclude=",
            remote,
            commit,
        )
    except LfsError as error:
        if _OTHER_BYTES.search(error.said):
            raise IntegrityError(
                f"The LFS server of {remote} sent other bytes than were asked for: "
                f"{error.reason}",
                "Nothing of it was kept. Tell whoever runs the server; another clone "
                "may still have the right bytes:  git lfs push --all REMOTE .",
                code=E_DIGEST,
            ) from error
        if _NOT_THERE.search(error.said):
            raise NotFoundError(
                f"The LFS server of {remote} does not have it: {error.reason}",
                "git lfs env  shows which server was asked;  git lfs push --all "
                "REMOTE  in a clone that has the bytes uploads them.",
                code=E_MISSING,
            ) from error
        raise


class LfsError(OutsideError):
    """git-lfs failed.

    Attributes:
        said: Everything that it wrote.
        reason: The line that says why.
    """

    default_code = "E_LFS"

    def __init__(self, verb: str, status: int, said: str) -> None:
        self.said = said
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        telling = [line for line in lines if not line.startswith(_CHATTER)]
        self.reason = (telling or lines or [f"exit status {status}"])[0]
        super().__init__(
            f"git lfs {verb} failed: {self.reason}",
            "git lfs env  shows the endpoint;  gitmodel doctor  checks the set-up.",
        )


def _run(directory: Path, *args: str, stdin: str = "") -> None:
    require_client()
    done = subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "lfs", *args],  # noqa: S607
        cwd=directory,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        env=child_environment(),
        check=False,
    )
    if done.returncode != 0:
        raise LfsError(args[0], done.returncode, done.stderr + done.stdout)
