"""Brings a change to the remote: objects first, then the commit, then this clone.

A lost race starts over from what the winner left, for as long as the remote keeps
moving; the plan is made anew each time, and may find that it makes no sense any more.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from gitmodel.adapters.git import commits, history, porcelain
from gitmodel.adapters.git.porcelain import PushRejectedError
from gitmodel.adapters.lfs import transfer
from gitmodel.adapters.lfs.store import as_error
from gitmodel.errors import ConflictError, NotFoundError, OutsideError
from gitmodel.formats.lfs_pointer import CUTOFF, Pointer
from gitmodel.registry import journal
from gitmodel.registry.done import Done
from gitmodel.registry.lfs_config import patience_of, require_no_redirection
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.turns import Turns, pause
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.domain.digest import Digest
    from gitmodel.registry.change import Change, Plan
    from gitmodel.registry.handle import RegistryHandle

    Write = Callable[[RegistryHandle, View, Change], str]
    Land = Callable[[RegistryHandle, journal.Move, str], None]
    Join = Callable[[str, str], str]

T = TypeVar("T")


def publish(
    handle: RegistryHandle,
    ref: str,
    build: Callable[[View], Plan[T]],
    write: Write,
    land: Land,
    join: Join | None = None,
    patience: float | None = None,
) -> Done[T]:
    """Make a change that the remote has when this returns.

    Args:
        handle: The registry.
        ref: The branch.
        build: Plans the change; called again after a lost race.
        write: Writes the commit of a change.
        land: Brings the commit to this clone.
        join: Called with where this clone and the remote have parted to; returns a
            commit that has both, for a plan that adds nothing. None: that is an error.
        patience: Seconds that the remote has for a fetch; None for no limit. A push is
            never cut short: nobody could tell whether it had arrived.

    Raises:
        ConflictError: The lines of development have parted, or others kept winning.
        OutsideError: The remote or git-lfs failed; this clone is as it was.
    """
    remote = remote_of(handle.repository, ref)
    branch = ref.removeprefix("refs/heads/")
    turns = Turns(time.monotonic())
    uploaded: set[Digest] = set()
    while True:
        began = time.monotonic()
        theirs = porcelain.fetch(handle.repository, remote, branch, patience)
        base = _take_in(handle, ref, remote, theirs, join)
        view = View(handle.reader, base)
        plan = build(view)
        tip = write(handle, view, plan.change) if plan.change else base
        if tip is None or tip == theirs:
            return Done(plan.result, None)
        _upload(handle, remote, tip, theirs, uploaded)
        move = journal.Move(ref, base, tip)
        try:
            _push(handle, remote, branch, move, moves=plan.change is not None)
        except PushRejectedError as error:
            turns.lose(theirs)
            _wait(handle, turns, began, error)
            continue
        if plan.change is None:
            _follow(handle, ref, remote, tip)
            return Done(plan.result, None)
        try:
            land(handle, move, plan.change.message.subject)
        except ConflictError as error:
            handle.context.warn(
                f"The remote {remote} has the change, but this clone does not: "
                f"{branch} moved here meanwhile.  gitmodel sync  brings it here. "
                f"({error.message})"
            )
        return Done(plan.result, tip)


def _wait(
    handle: RegistryHandle, turns: Turns, began: float, error: PushRejectedError
) -> None:
    """Let others have their turn, and then go on.

    Raises:
        OutsideError: The remote rejects what nobody else is in the way of.
        PushRejectedError: Others kept winning.
    """
    now = time.monotonic()
    if turns.is_stuck:
        raise OutsideError(
            f"The remote rejected this {turns.lost} times, though its branch did not "
            f"move: {error.verdict}",
            "Nothing was changed, there or here.",
            "On the server, a lock file may have been left:  ls refs/heads/*.lock",
            code="E_REMOTE_REFUSED",
        ) from error
    if turns.is_over(now):
        raise PushRejectedError(
            f"Others pushed first, {turns.lost} times in {now - turns.began:.0f} s; "
            "nothing was changed, there or here.",
            "Run the command again.",
        ) from error
    if turns.should_tell(now):
        handle.context.warn(
            f"Others keep pushing first ({turns.lost} times); still trying. To stop it "
            "is safe: nothing is half done."
        )
    time.sleep(pause(turns.lost, now - began, random.random()))  # noqa: S311


def _push(
    handle: RegistryHandle, remote: str, branch: str, move: journal.Move, *, moves: bool
) -> None:
    """Push, noting first what is left to do here should this process die after it."""
    if not moves:
        porcelain.push(handle.repository, remote, move.new, branch)
        return
    journal.write(handle.repository, replace(move, pushed_to=remote))
    try:
        porcelain.push(handle.repository, remote, move.new, branch)
    except Exception:
        journal.retract(handle.repository, move)
        raise


def _take_in(
    handle: RegistryHandle,
    ref: str,
    remote: str,
    theirs: str | None,
    join: Join | None,
) -> str | None:
    """Fast-forward this clone to the remote's branch; return what to build upon."""
    repository = handle.repository
    ours = repository.resolve(ref)
    if theirs is None or theirs == ours:
        return ours
    if ours is None or history.is_ancestor(repository, ours, theirs):
        commits.fast_forward(repository, theirs)
        return theirs
    if history.is_ancestor(repository, theirs, ours) and join is None:
        return ours
    if join is not None:
        return join(ours, theirs)
    raise ConflictError(
        f"This clone and {remote} have parted: each has commits that the other has "
        "not.",
        "gitmodel sync  puts yours behind theirs, if they still make sense there;",
        "then run the command again.",
        "Never rebase: it would throw signatures away.",
        code="E_DIVERGED",
    )


def _follow(handle: RegistryHandle, ref: str, remote: str, tip: str) -> None:
    """Bring this clone to what was joined, now that the remote has it."""
    if handle.repository.resolve(ref) == tip:
        return
    try:
        commits.fast_forward(handle.repository, tip)
    except ConflictError as error:
        handle.context.warn(
            f"The remote {remote} has it all, but your files could not follow: "
            f"{error.message}  Commit or stash them, then:  gitmodel sync"
        )


def _upload(
    handle: RegistryHandle,
    remote: str,
    tip: str,
    theirs: str | None,
    uploaded: set[Digest],
) -> None:
    """Upload the LFS objects that commits up to ``tip`` add to what the remote has.

    These are the artifacts of earlier commits too, and any LFS files of the user's:
    no hook of git-lfs runs when gitmodel pushes.

    Args:
        handle: The registry.
        remote: Where to.
        tip: The commit that is to be pushed.
        theirs: What the remote's branch has; None if there is no such branch.
        uploaded: What was uploaded before; what is uploaded now joins it.

    Raises:
        NotFoundError: Objects are not in this clone (E_ARTIFACT_MISSING).
        IntegrityError: Objects were altered here (E_ARTIFACT_DIGEST).
        OutsideError: git-lfs is missing, or the upload failed.
    """
    repository = handle.repository
    have = (theirs,) if theirs is not None else porcelain.heads(repository, remote)
    blobs = history.added_blobs(repository, tip, have, below=CUTOFF)
    found = (Pointer.parse(blob.data) for blob in handle.reader.read_many(blobs))
    pointers = [
        pointer
        for pointer in dict.fromkeys(found)
        if pointer and pointer.size and pointer.digest not in uploaded
    ]
    missing = [
        pointer
        for pointer in pointers
        if not handle.store.has(pointer.digest, pointer.size)
    ]
    if missing:
        raise NotFoundError(
            f"{len(missing)} LFS objects that the remote {remote} would need with "
            f"these commits are not in this clone, such as {missing[0].digest}",
            "git lfs fetch --all REMOTE  brings them here from a remote that has them.",
            code="E_ARTIFACT_MISSING",
        )
    if not pointers:
        return
    require_no_redirection(repository, View(handle.reader, tip), uploads=True)
    # Others get what is uploaded here: bytes that were altered must not leave.
    found_bad = [each for each in handle.store.verify_all(pointers) if each is not None]
    if found_bad:
        raise as_error(found_bad)
    transfer.push_objects(
        repository.work_tree or repository.git_dir,
        remote,
        pointers,
        patience_of(repository),
        handle.context.progress,
    )
    uploaded.update(pointer.digest for pointer in pointers)
