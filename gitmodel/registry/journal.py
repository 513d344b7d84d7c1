"""Remembers a branch move until files and index have followed it.

Written before the branch moves, removed after the work tree was refreshed. If
the process dies in between, the next command finishes the refresh, so a killed
promotion never looks like a staged undo of itself. With a remote it is written
before the push: a clone that died then catches up with what it had pushed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.adapters.git import commits, index
from gitmodel.adapters.git.history import (
    PathChange,
    changes,
    first_parent_line,
    is_ancestor,
)
from gitmodel.adapters.git.worktree import Touched, refresh
from gitmodel.adapters.lfs import failures

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Move:
    """A branch goes from ``old`` (None: unborn) to ``new``.

    Attributes:
        pushed_to: The remote that gets ``new`` before this clone moves; None if this
            clone moves first.
    """

    ref: str
    old: str | None
    new: str
    pushed_to: str | None = None


def _path(repository: Repository) -> Path:
    # Files and index belong to one work tree, so not the common directory.
    return repository.git_dir / "gitmodel" / "journal.json"


def write(repository: Repository, move: Move) -> None:
    """Note that ``move`` is about to happen; files may lag behind by several moves.

    Raises:
        OutsideError: The note cannot be written; nothing was changed.
    """
    path = _path(repository)
    old = move.old
    lagging = _noted(repository)
    if (
        lagging is not None
        and lagging.ref == move.ref
        and lagging.new in (move.old, move.new)
    ):
        old = lagging.old
    text = json.dumps(asdict(replace(move, old=old)))
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise failures.writing(path, error, len(text)) from error


def retract(repository: Repository, move: Move) -> None:
    """Forget that ``move`` was about to happen; files may still lag behind."""
    noted = _noted(repository)
    clear(repository)
    if noted is not None and noted.old != move.old and move.old is not None:
        write(repository, Move(move.ref, noted.old, move.old))


def pending(repository: Repository) -> bool:
    """Say whether a move was noted and not yet followed."""
    return _path(repository).exists()


def follow(repository: Repository, reader: ObjectReader, move: Move) -> tuple[str, ...]:
    """Refresh files and index after ``move``; return the paths left alone."""
    index.hold(repository)
    move = _noted(repository) or move
    here = repository.head().commit
    kept: tuple[str, ...] = ()
    # What is checked out counts, by whatever branch: someone may have switched
    # meanwhile, or have built upon the move with plain git.
    if here is not None and _includes(repository, here, move.new):
        kept = refresh(repository, touched_by(repository, reader, move, here))
    clear(repository)
    return kept


def clear(repository: Repository) -> None:
    """Forget the noted move."""
    # First the index: what holds it is only looked for while a move is noted.
    index.release(repository)
    _path(repository).unlink(missing_ok=True)


def recover(repository: Repository, reader: ObjectReader) -> None:
    """Finish what a killed command left behind.

    Raises:
        OutsideError: Files or index still cannot be written; the note stays.
    """
    move = _noted(repository)
    head = repository.head()
    if move is None or head.commit is None:
        clear(repository)
    elif _includes(repository, head.commit, move.new):
        follow(repository, reader, move)
    elif head.ref == move.ref and _has_landed(repository, head.commit, move):
        commits.move_branch(
            repository,
            move.ref,
            new=move.new,
            old=head.commit,
            why="gitmodel: what was pushed",
        )
        follow(repository, reader, move)
    else:
        clear(repository)


def _includes(repository: Repository, here: str, commit: str) -> bool:
    return here == commit or is_ancestor(repository, commit, here)


def _has_landed(repository: Repository, here: str, move: Move) -> bool:
    """Say whether a push that was cut off is known to have reached the remote."""
    if move.pushed_to is None:
        return False
    branch = move.ref.removeprefix("refs/heads/")
    theirs = repository.resolve(f"refs/remotes/{move.pushed_to}/{branch}")
    return (
        theirs is not None
        and is_ancestor(repository, move.new, theirs)
        and is_ancestor(repository, here, move.new)
    )


def _noted(repository: Repository) -> Move | None:
    try:
        noted = json.loads(_path(repository).read_text(encoding="utf-8"))
        return Move(noted["ref"], noted["old"], noted["new"], noted.get("pushed_to"))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # cut short, so no branch was moved after it: see ``write``


def touched_by(
    repository: Repository, reader: ObjectReader, move: Move, here: str
) -> list[Touched]:
    """Return every path that changed from ``old`` to ``new``, as it is in ``here``.

    What else changed between ``new`` and ``here`` is the business of whoever did it.
    """
    found = _steps(repository, move.new, after=move.old)
    if here != move.new:
        later = _steps(repository, here, after=move.new)
        found = {path: [*later.get(path, ()), *steps] for path, steps in found.items()}
    latest = {path: steps[0] for path, steps in found.items()}
    present = [change for change in latest.values() if change.status != "D"]
    blobs = reader.read_many([change.new for change in present])
    data = {change.path: blob.data for change, blob in zip(present, blobs, strict=True)}
    return [
        Touched(
            path=path,
            known=frozenset(
                blob if int(blob, 16) else None
                for change in steps
                for blob in (change.old, change.new)
            ),
            data=data.get(path),
        )
        for path, steps in found.items()
    ]


def _steps(
    repository: Repository, tip: str, *, after: str | None
) -> dict[str, list[PathChange]]:
    """Return the changes of each path on the way to ``tip``, newest first."""
    found: dict[str, list[PathChange]] = {}
    line = first_parent_line(repository, tip, after=after)
    for _, paths in changes(repository, line):
        for change in paths:
            found.setdefault(change.path, []).append(change)
    return found
