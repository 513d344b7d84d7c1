"""Moves LFS objects to and from remotes, by the stock git-lfs client.

git-lfs knows people's credentials, proxies, ``file://`` and custom transfers. It
is needed for nothing else: registering, promoting, rolling back and verifying
work without it (``docs/decisions/0014-git-lfs-moves-the-bytes.md``).
"""

from __future__ import annotations

import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

from gitmodel.adapters.environment import child_environment
from gitmodel.adapters.lfs import client, leftovers, verdicts
from gitmodel.domain.ports import Silent
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gitmodel.adapters.lfs.client import Patience, Ran
    from gitmodel.adapters.lfs.store import Store
    from gitmodel.domain.ports import Progress
    from gitmodel.formats.lfs_pointer import Pointer

_ARGUMENTS = 500
#: How often a whole transfer is begun again that failed for a passing reason, such as
#: a server that starts: git-lfs repeats single objects, but not the first question.
_ROUNDS = 3


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


def push_objects(
    directory: Path,
    remote: str,
    pointers: Sequence[Pointer],
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> None:
    """Upload objects that the local store has.

    Raises:
        OutsideError: git-lfs is missing or failed, or the server refuses them or does
            not keep them.
    """
    limits = patience or client.Patience()
    listener = progress or Silent()
    listener.start(sum(pointer.size for pointer in pointers), "Uploading")
    try:
        for start in range(0, len(pointers), _ARGUMENTS):
            chunk = pointers[start : start + _ARGUMENTS]
            oids = [pointer.digest.hex for pointer in chunk]
            args = ("push", "--object-id", remote, *oids)
            _push(directory, remote, args, limits, listener)
    finally:
        listener.finish()


def _push(
    directory: Path,
    remote: str,
    args: Sequence[str],
    patience: Patience,
    progress: Progress,
) -> None:
    """Upload, and ask whether the server has it now.

    git-lfs takes an upload that the server answers with 422 for a success, and not
    every server has it verify what arrived. Told to push once more, it finds that
    there is nothing to do, or sends it all again.
    """
    ran = _persist(partial(_run, directory, args, patience, progress), patience)
    if ran.ok and ran.puts:
        ran = _persist(partial(_run, directory, args, patience, Silent()), patience)
        if ran.ok and ran.puts:
            raise verdicts.of_lost_upload(ran, remote)
    if not ran.ok:
        _forget_access(directory, ran)
        raise verdicts.of_push(ran, remote, patience.silence)


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
    require_client()
    said = "".join(f"{line}\n" for line in lines)
    ran = client.run(directory, ("pre-push", remote, url), stdin=said)
    if not ran.ok:
        raise verdicts.of_pre_push(ran, remote, client.Patience().silence)


def fetch_objects(
    store: Store,
    directory: Path,
    remote: str,
    commit: str,
    path: str,
    pointers: Sequence[Pointer],
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> None:
    """Download the objects that ``commit`` names below ``path``, and no others.

    What an earlier attempt left is gone on with, however it ended.

    Args:
        store: Where they go.
        directory: The clone.
        remote: Where they come from.
        commit: It names them.
        path: A directory in it.
        pointers: Which of them are missing here.
        patience: With the server.
        progress: Hears about the bytes that come.

    Raises:
        NotFoundError: The server has not all of them (E_ARTIFACT_MISSING).
        IntegrityError: The server sent other bytes; they were thrown away
            (E_ARTIFACT_DIGEST).
        OutsideError: git-lfs is missing or failed, or the server refuses.
    """
    limits = patience or client.Patience()
    listener = progress or Silent()
    args = ("fetch", f"--include={path}/**", "--exclude=", remote, commit)
    wanted = [pointer.digest for pointer in pointers]
    listener.start(sum(pointer.size for pointer in pointers), "Fetching")
    try:
        with leftovers.taken_up(store.incomplete, wanted) as held:
            attempt = partial(_run, directory, args, limits, listener, held)
            resumed = leftovers.begun(store.incomplete, wanted)
            ran = _persist(attempt, limits)
            if verdicts.is_other_bytes(ran):
                leftovers.throw_away(store.incomplete, wanted)
                if resumed:  # what was there before may be at fault, not the server
                    ran = _persist(attempt, limits)
            if verdicts.is_other_bytes(ran):
                leftovers.throw_away(store.incomplete, wanted)
        if not ran.ok:
            _forget_access(directory, ran)
            raise verdicts.of_fetch(ran, remote, limits.silence)
    finally:
        listener.finish()


def _run(
    directory: Path,
    args: Sequence[str],
    patience: Patience,
    progress: Progress,
    held: Sequence[int] = (),
) -> Ran:
    require_client()
    return client.run(directory, args, patience=patience, progress=progress, held=held)


def _persist(attempt: Callable[[], Ran], patience: Patience) -> Ran:
    """Try a few times, as long as the failure is one that passes."""
    rounds = min(_ROUNDS, patience.retries)
    for number in range(1, rounds):
        ran = attempt()
        if ran.ok or not verdicts.passes(ran):
            return ran
        time.sleep(min(number, patience.pause))
    return attempt()


def _forget_access(directory: Path, ran: Ran) -> None:
    """Take back what git-lfs writes into a clone that was not let in.

    It notes that the server asks for a password, and from then on never asks without
    one: a server that said 401 once by mistake would be out of reach for good.
    """
    if not verdicts.is_no_entry(ran):
        return
    config = ("git", "config", "--local")
    listed = subprocess.run(
        [*config, "--name-only", "--get-regexp", r"^lfs\..*\.access$", "^basic$"],
        cwd=directory,
        capture_output=True,
        text=True,
        env=child_environment(),
        check=False,
    )
    for key in listed.stdout.splitlines():
        subprocess.run(
            [*config, "--unset-all", key, "^basic$"],
            cwd=directory,
            env=child_environment(),
            check=False,
        )
