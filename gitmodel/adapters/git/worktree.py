"""Keeps the user's files and index in step with a branch that gitmodel moved.

Only paths that the change touched are looked at. What the user staged or edited
stays exactly as it is, and the caller is told which paths:

- A file is written only if both it and its index entry are as a commit left them.
- An index entry that nobody staged follows the branch even where the file was
  edited: else the next plain ``git commit`` would take the change back.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git import index
from gitmodel.adapters.git.objects import MAX_OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Touched:
    """A path that commits changed.

    Attributes:
        known: Blobs that it has had on the way; None where it was absent. A file
            or index entry that is none of these holds somebody's work.
        data: Its bytes now; None if it is gone.
    """

    path: str
    known: frozenset[str | None]
    data: bytes | None


def refresh(repository: Repository, touched: Sequence[Touched]) -> tuple[str, ...]:
    """Bring index and files up to date; return the paths that were left alone."""
    root = repository.work_tree
    if root is None or not touched:
        return ()
    staged = index.entries(repository, [item.path for item in touched])
    hidden = index.hidden(repository, [item.path for item in touched])
    clean: list[Touched] = []
    edited: dict[str, str | None] = {}
    kept: list[str] = []
    for item in touched:
        found = _blob_of_file(root, item.path, repository.hash_name)
        follows = staged.get(item.path) in item.known
        if follows and found in item.known and item.path not in hidden:
            clean.append(item)
            continue
        if follows:
            edited[item.path] = _blob_id(item.data, repository.hash_name)
        if not (follows and found is None and item.path in hidden):
            kept.append(item.path)
    for item in clean:
        _write(root, item)
    if clean or edited:
        index.update(repository, [item.path for item in clean], edited)
    return tuple(kept)


def _blob_of_file(root: Path, path: str, hash_name: str) -> str | None:
    """Return the blob id of a file's bytes; '' for what is no plain file."""
    if any(parent.is_symlink() for parent in _parents(root, path)):
        return ""
    try:
        status = (root / path).lstat()
        if not stat.S_ISREG(status.st_mode):
            return ""
        if status.st_size > MAX_OBJECT:
            return ""
        data = (root / path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:  # such as a file of the user's where a directory should be
        return ""
    return _blob_id(data, hash_name)


def _blob_id(data: bytes | None, hash_name: str) -> str | None:
    if data is None:
        return None
    return hashlib.new(hash_name, b"blob %d\0%s" % (len(data), data)).hexdigest()


def _parents(root: Path, path: str) -> Iterator[Path]:
    here = root
    for part in path.split("/")[:-1]:
        here = here / part
        yield here


def _write(root: Path, item: Touched) -> None:
    target = root / item.path
    if item.data is None:
        target.unlink(missing_ok=True)
        for parent in reversed(list(_parents(root, item.path))):
            try:
                parent.rmdir()
            except OSError:
                return
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # git itself may leave a half-written file when killed; the journal makes the
    # next command write it again, so a rename is for readers, not for crashes.
    temporary = target.with_name(f".{target.name[:100]}.gitmodel-tmp")
    temporary.write_bytes(item.data)
    temporary.replace(target)
