"""A promotion that is undone by hand: made a rollback, or refused with the command.

``git revert`` of a promotion gives the pin back the bytes that it had, as a rollback
does; but it also takes the transition out of the log, which may only grow (``design``
§4.7). git runs two hooks around such a commit, and neither can change what is in it. So
the first one tries the rollback without making it, and refuses the revert if that is
not allowed; the second one, with the revert in place, puts the rollback there instead:
one commit, which has git's "This reverts commit" lines, and the log kept and signed.

Between the two only a note is left. Should the second hook not run, the revert stays as
git made it, and no push of it gets through.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git import commits
from gitmodel.adapters.git.history import CommitInfo, changes
from gitmodel.adapters.git.worktree import Touched, refresh
from gitmodel.adapters.lock import exclusive
from gitmodel.domain.pin import Pin
from gitmodel.errors import ConflictError, GitmodelError
from gitmodel.operations.rollback import rollback
from gitmodel.registry import layout
from gitmodel.registry.parsing import parse
from gitmodel.registry.transaction import Mode
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.hooks.staged import Staged
    from gitmodel.operations.rollback_plan import RollbackResult
    from gitmodel.registry.handle import RegistryHandle

_REASON = 4000  # characters, as many as a transition has room for
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Undoing:
    """A staged change that takes one pin back and its transitions out of the log.

    Attributes:
        target: The version that the pin would hold; None if it would be gone.
    """

    model: str
    stage: str
    target: str | None

    @property
    def pin(self) -> str:
        """The path of the pin."""
        return layout.pin_path(self.stage, self.model)

    @property
    def command(self) -> str:
        """The command that does it by the rules."""
        to = f" --to {self.target}" if self.target else ""
        return f"gitmodel rollback {self.model} {self.stage}{to} -m REASON"


@dataclass(frozen=True, slots=True)
class _Note:
    """What the second hook is to do, and after which commit."""

    parent: str
    tree: str
    model: str
    stage: str
    target: str


def undoing(staged: Staged) -> Undoing | None:
    """Return what is undone, if nothing else is staged."""
    pins, gone = set(), set()
    pin_path = ""
    for change in staged.changes:
        place = layout.classify(change.path)
        if place.kind == "pin" and change.status in {"M", "D"}:
            pins.add((place.stage, place.model))
            pin_path = change.path
        elif change.status == "D" and place.stage and place.seq:
            gone.add((place.stage, place.model))
        else:
            return None
    if len(pins) != 1 or pins != gone:
        return None
    [(stage, model)] = pins
    data = staged.blobs(staged.changes).get(pin_path)
    if data is None:
        return Undoing(model, stage, None)
    try:
        pin = parse("ModelPin", data, pin_path, Pin.from_document)
    except GitmodelError:
        return None
    return Undoing(model, stage, pin.release.version)


def prepare(staged: Staged, undo: Undoing) -> None:
    """See that the rollback is possible, and note it for :func:`complete`.

    Raises:
        GitmodelError: It is not; for instance the key here is of no responder.
    """
    handle = staged.handle
    if undo.target is None:
        raise ConflictError(
            f"Stage {undo.stage} held no version of {undo.model} before, and a log "
            "that has begun cannot be made empty.",
            code="E_NO_KNOWN_GOOD",
        )
    if (handle.repository.git_dir / "sequencer").exists():
        raise ConflictError(
            "git is in the middle of several commits, which cannot be changed.",
        )
    _roll_back(handle, undo.model, undo.stage, undo.target, "a trial", dry_run=True)
    note = _Note(
        parent=str(staged.base.commit),
        tree=str(staged.view.tree),
        model=undo.model,
        stage=undo.stage,
        target=undo.target,
    )
    path = _note_path(handle.repository)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(note)), encoding="utf-8")


def complete(handle: RegistryHandle) -> RollbackResult | None:
    """Put the rollback that was noted where git's revert is now; None for no note.

    Raises:
        GitmodelError: The rollback failed after all; the revert was taken back, and
            the branch is where it was before.
    """
    note = _taken(handle.repository)
    head = handle.repository.head().commit
    if note is None or head is None:
        return None
    reverted = CommitInfo.parse(head, handle.reader.read(head).data)
    if (
        reverted.parents != (note.parent,)
        or View(handle.reader, head).tree != note.tree
    ):
        return None  # something else was committed meanwhile
    _take_back(handle, head, note.parent)
    reason = _reason(reverted.message)
    try:
        return _roll_back(handle, note.model, note.stage, note.target, reason)
    except GitmodelError as error:
        undo = Undoing(note.model, note.stage, note.target)
        raise type(error)(
            f"The revert was taken back, and no rollback came of it: {error.message}",
            *error.hints,
            undo.command,
            code=error.code,
            problems=error.problems,
        ) from error


def _roll_back(
    handle: RegistryHandle,
    model: str,
    stage: str,
    target: str,
    reason: str,
    *,
    dry_run: bool = False,
) -> RollbackResult:
    mode = Mode(dry_run=dry_run)
    return rollback(handle, model, stage, to=target, reason=reason, mode=mode)


def _take_back(handle: RegistryHandle, head: str, parent: str) -> None:
    """Go back to before the revert, as if it had never been: branch, index, files."""
    repository = handle.repository
    with exclusive(handle.lock_file):
        commits.move_branch(
            repository,
            handle.writable_branch(),
            new=parent,
            old=head,
            why="gitmodel: a revert that becomes a rollback",
        )
        touched = []
        for _, paths in changes(repository, [(head, parent)]):
            for change in paths:
                known = frozenset(_blob(oid) for oid in (change.old, change.new))
                old = _blob(change.old)
                data = handle.reader.read(old).data if old is not None else None
                touched.append(Touched(change.path, known, data))
        refresh(repository, touched)


def _blob(oid: str) -> str | None:
    return oid if int(oid, 16) else None


def _reason(message: str) -> str:
    """Return what a person wrote about a revert; git's own lines are made anew."""
    lines = [
        line
        for line in message.strip().splitlines()
        if not line.startswith(("This reverts commit", "#"))
    ]
    return _CONTROL.sub("", "\n".join(lines)).strip()[:_REASON]


def _note_path(repository: Repository) -> Path:
    return repository.git_dir / "gitmodel" / "revert.json"


def _taken(repository: Repository) -> _Note | None:
    """Return the note, which is thereby used up."""
    path = _note_path(repository)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    path.unlink()
    try:
        return _Note(**json.loads(text))
    except (ValueError, TypeError):
        return None  # cut short when it was written: no commit was let through then
