"""One change, one commit, signed where there is a key, or nothing.

A command describes its change as a function of the registry as it is. The
transaction calls it under the clone's lock, writes the objects, and moves the
branch by compare-and-swap. With a remote it first takes in what others pushed,
uploads LFS objects, then pushes the commit, and only when the remote has it
moves the local branch; a lost race starts over from what the winner left
(``design`` §6). The user's index and files are touched last, only where clean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gitmodel.adapters.git import commits, index
from gitmodel.adapters.git.pack import ObjectWriter
from gitmodel.adapters.git.process import GitProcessError
from gitmodel.adapters.git.trees import FILE, Entry, rewrite
from gitmodel.adapters.lock import exclusive
from gitmodel.adapters.shield import uninterrupted
from gitmodel.adapters.signing.commit import sign_commit
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats.commit_object import with_signature
from gitmodel.registry import journal
from gitmodel.registry.done import Done
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.registry.change import Change, Plan
    from gitmodel.registry.handle import RegistryHandle

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """How a change is to be made.

    Attributes:
        dry_run: Stop before anything is written.
        push: Also bring the change to the remote.
        by_request: Move no pin, even where the policy asks nobody: let the move wait on
            a branch of its own, which the caller pushes.
        patience: Seconds that the remote has to say what it has; None for as long as
            git waits.
    """

    dry_run: bool = False
    push: bool = False
    by_request: bool = False
    patience: float | None = None


def transact(
    handle: RegistryHandle,
    build: Callable[[View], Plan[T]],
    mode: Mode,
    join: Callable[[str, str], str] | None = None,
) -> Done[T]:
    """Make the change that ``build`` plans.

    Args:
        handle: The registry.
        build: Called with the registry as it is; called again after a lost race.
        mode: Dry run, push.
        join: Joins what is here with what the remote has, as ``publish`` wants it.

    Raises:
        ConflictError: Somebody else moved first; nothing was changed here.
    """
    if mode.dry_run:
        handle.writable_branch()
        handle.rehearse()
        plan = build(View(handle.reader, handle.repository.resolve("HEAD")))
        return Done(plan.result, None)
    with exclusive(handle.lock_file):
        handle.catch_up()
        ref = handle.writable_branch()
        if mode.push:
            # GitPython takes 35 ms to import, and only talking to remotes needs it.
            from gitmodel.registry import publishing  # noqa: PLC0415

            return publishing.publish(
                handle, ref, build, write_commit, land, join, mode.patience
            )
        base = handle.repository.resolve(ref)
        view = View(handle.reader, base)
        plan = build(view)
        if plan.change is None:
            return Done(plan.result, None)
        commit = write_commit(handle, view, plan.change)
        land(handle, journal.Move(ref, base, commit), plan.change.message.subject)
        return Done(plan.result, commit)


def write_commit(
    handle: RegistryHandle, view: View, change: Change, *, beside: str | None = None
) -> str:
    """Write a commit on top of ``view``, signed if there is a key; no branch moves.

    Args:
        handle: The registry.
        view: What the commit changes.
        change: How.
        beside: The first parent, with ``view`` as the second; None for ``view`` alone.
    """
    repository = handle.repository
    writer = ObjectWriter(repository)
    entries = {
        path: Entry(FILE, writer.add("blob", data)) if data is not None else None
        for path, data in change.files.items()
    }
    try:
        tree = rewrite(handle.reader, writer, view.tree, entries)
    except ValueError as error:
        raise IntegrityError(
            f"{error} is a file in this registry, where a directory belongs.",
            code="E_MODE",
        ) from error
    unsigned = commits.commit_object(
        tree=tree,
        parents=tuple(parent for parent in (beside, view.commit) if parent),
        who=handle.author(change.principal),
        when=handle.context.clock.now(),
        message=str(change.message),
    )
    key = handle.commit_key
    commit = writer.add(
        "commit",
        with_signature(unsigned, sign_commit(key, unsigned)) if key else unsigned,
    )
    writer.flush()
    return commit


def land(handle: RegistryHandle, move: journal.Move, why: str) -> None:
    """Move the branch, then bring index and files after it."""
    repository = handle.repository
    with uninterrupted():
        journal.write(repository, move)
        index.hold(repository)
        try:
            commits.move_branch(
                repository, move.ref, new=move.new, old=move.old, why=f"gitmodel: {why}"
            )
        except GitmodelError:
            journal.retract(repository, move)
            raise
        try:
            left_alone = journal.follow(repository, handle.reader, move)
        except (GitProcessError, OSError) as error:
            # It has landed; the journal stays, and the next command tries again.
            handle.context.warn(
                f"The change is committed, but your files could not follow it: {error}"
            )
            return
    for path in left_alone:
        handle.context.warn(
            f"{path} has changes of yours that are not committed; it was left as "
            f"it is.  git diff HEAD -- {path}  shows the difference."
        )
