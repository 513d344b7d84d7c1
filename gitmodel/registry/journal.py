"""Remembers a branch move until files and index have followed it.

Written before the branch moves, removed after the work tree was refreshed. If
the process dies in between, the next command finishes the refresh, so a killed
promotion never looks like a staged undo of itself.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import PathChange, changes
from gitmodel.adapters.git.worktree import Touched, refresh

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Move:
    """A branch goes from ``old`` (None: unborn) to ``new``."""

    ref: str
    old: str | None
    new: str


def _path(repository: Repository) -> Path:
    # Files and index belong to one work tree, so not the common directory.
    return repository.git_dir / "gitmodel" / "journal.json"


def write(repository: Repository, move: Move) -> None:
    """Note that ``move`` is about to happen."""
    path = _path(repository)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(
        json.dumps({"ref": move.ref, "old": move.old, "new": move.new}),
        encoding="utf-8",
    )
    temporary.replace(path)


def follow(repository: Repository, reader: ObjectReader, move: Move) -> tuple[str, ...]:
    """Refresh files and index after ``move``; return the paths left alone."""
    kept = refresh(repository, touched_by(repository, reader, move))
    clear(repository)
    return kept


def clear(repository: Repository) -> None:
    """Forget the noted move."""
    _path(repository).unlink(missing_ok=True)


def recover(repository: Repository, reader: ObjectReader) -> None:
    """Finish what a killed command left behind."""
    try:
        noted = json.loads(_path(repository).read_text(encoding="utf-8"))
        move = Move(noted["ref"], noted["old"], noted["new"])
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        # A journal cut short was never followed by a move: see ``write``.
        clear(repository)
        return
    head = repository.head()
    if head.ref == move.ref and head.commit == move.new:
        follow(repository, reader, move)
    else:
        clear(repository)


def touched_by(
    repository: Repository, reader: ObjectReader, move: Move
) -> list[Touched]:
    """Return every path that differs between the two commits."""
    found: list[PathChange] = []
    for _, paths in changes(repository, [(move.new, move.old)]):
        found.extend(paths)
    added = [change for change in found if change.status != "D"]
    blobs = reader.read_many(change.new for change in added)
    data = {change.path: blob.data for change, blob in zip(added, blobs, strict=True)}
    touched = []
    for change in found:
        with suppress(UnicodeEncodeError):  # a foreign name that cannot be a file here
            change.path.encode()
            touched.append(
                Touched(
                    change.path,
                    change.old if change.status != "A" else None,
                    change.new if change.status != "D" else None,
                    data.get(change.path),
                )
            )
    return touched
