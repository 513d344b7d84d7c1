"""Brings a change to the remote: objects first, then the commit, then this clone."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from gitmodel.adapters.git import commits, porcelain
from gitmodel.adapters.git.history import changes, first_parent_line
from gitmodel.adapters.git.porcelain import PushRejectedError
from gitmodel.adapters.lfs import transfer
from gitmodel.errors import ConflictError
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.registry import journal, layout
from gitmodel.registry.done import Done
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.registry.change import Change, Plan
    from gitmodel.registry.handle import RegistryHandle

    Write = Callable[[RegistryHandle, View, Change], str]
    Land = Callable[[RegistryHandle, journal.Move, str], None]

T = TypeVar("T")
_ATTEMPTS = 8
_PAUSE = 0.2


def publish(
    handle: RegistryHandle,
    ref: str,
    build: Callable[[View], Plan[T]],
    write: Write,
    land: Land,
) -> Done[T]:
    """Make a change that the remote has when this returns.

    Raises:
        ConflictError: The lines of development have parted, or others kept winning.
        OutsideError: The remote or git-lfs failed; this clone is as it was.
    """
    remote = remote_of(handle.repository, ref)
    branch = ref.removeprefix("refs/heads/")
    attempt = 0
    while True:
        attempt += 1
        theirs = porcelain.fetch(handle.repository, remote, branch)
        base = _take_in(handle, ref, theirs)
        view = View(handle.reader, base)
        plan = build(view)
        tip = write(handle, view, plan.change) if plan.change else base
        if tip is None or tip == theirs:
            return Done(plan.result, None)
        upload(handle, remote, tip, theirs)
        try:
            porcelain.push(handle.repository, remote, tip, branch)
        except PushRejectedError:
            if attempt == _ATTEMPTS:
                raise
            # Others are pushing too: spread out, so that everyone gets a turn.
            time.sleep(_PAUSE * attempt * random.random())  # noqa: S311
            continue
        if plan.change is None:
            return Done(plan.result, None)
        land(handle, journal.Move(ref, base, tip), plan.change.message.subject)
        return Done(plan.result, tip)


def _take_in(handle: RegistryHandle, ref: str, theirs: str | None) -> str | None:
    """Fast-forward this clone to the remote's branch; return where it then is."""
    ours = handle.repository.resolve(ref)
    if theirs is None or theirs == ours:
        return ours
    if ours is None or _is_ancestor(handle, ours, theirs):
        commits.fast_forward(handle.repository, theirs)
        return theirs
    if _is_ancestor(handle, theirs, ours):
        return ours
    raise ConflictError(
        "This clone and the remote have parted: each has commits that the other "
        "has not.",
        "git fetch && git merge  joins them (never rebase signed commits).",
        code="E_DIVERGED",
    )


def _is_ancestor(handle: RegistryHandle, older: str, newer: str) -> bool:
    git = handle.repository.git
    return git.attempt("merge-base", "--is-ancestor", older, newer)[0] == 0


def upload(handle: RegistryHandle, remote: str, tip: str, have: str | None) -> None:
    """Upload the LFS objects that commits up to ``tip`` added after ``have``.

    Raises:
        OutsideError: git-lfs is missing, or the upload failed.
    """
    new = []
    for commit, parent in first_parent_line(handle.repository, tip):
        if commit == have:
            break
        new.append((commit, parent))
    blobs = [
        change.new
        for _, paths in changes(handle.repository, new, paths=("models",))
        for change in paths
        if change.status == "A" and layout.classify(change.path).kind == "artifact"
    ]
    found = (Pointer.parse(blob.data) for blob in handle.reader.read_many(blobs))
    digests = dict.fromkeys(pointer.digest for pointer in found if pointer)
    if digests:
        directory = handle.repository.work_tree or handle.repository.git_dir
        transfer.push_objects(directory, remote, list(digests))
