"""Keeps the user's files and index in step with a branch that gitmodel moved.

Only paths that the change touched are looked at, and each is refreshed only if
both its index entry and its file are as the old commit left them. What the user
staged or edited stays exactly as it is; the caller is told which paths.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import WITHOUT_FILTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

_ARGUMENTS = 500


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
    index = _index_entries(repository, [item.path for item in touched])
    clean: list[Touched] = []
    kept: list[str] = []
    for item in touched:
        staged = index.get(item.path)
        found = _blob_of_file(root, item.path, repository.hash_name)
        if staged in item.known and found in item.known:
            clean.append(item)
        else:
            kept.append(item.path)
    for item in clean:
        _write(root, item)
    if clean:
        paths = "".join(f"{item.path}\0" for item in clean).encode()
        repository.git.run(
            *WITHOUT_FILTERS, "update-index", "--add", "--remove", "-z", "--stdin",
            stdin=paths,
        )  # fmt: skip
    return tuple(kept)


def _index_entries(repository: Repository, paths: list[str]) -> dict[str, str]:
    """Return the staged blob of each path; a conflicted path has the id ''."""
    entries: dict[str, str] = {}
    for start in range(0, len(paths), _ARGUMENTS):
        chunk = paths[start : start + _ARGUMENTS]
        listed = repository.git.run("ls-files", "-s", "-z", "--", *chunk)
        for line in listed.split(b"\0")[:-1]:
            meta, _, name = line.partition(b"\t")
            mode, oid, conflict = meta.decode().split()
            usual = conflict == "0" and mode == "100644"
            entries[os.fsdecode(name)] = oid if usual else ""
    return entries


def _blob_of_file(root: Path, path: str, hash_name: str) -> str | None:
    """Return the blob id of a file's bytes; '' for what is no plain file."""
    if any(parent.is_symlink() for parent in _parents(root, path)):
        return ""
    try:
        status = (root / path).lstat()
        if not stat.S_ISREG(status.st_mode):
            return ""
        data = (root / path).read_bytes() if status.st_size < (8 << 20) else b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""
    header = f"blob {status.st_size}\0".encode()
    return hashlib.new(hash_name, header + data).hexdigest()


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
