"""The user's index: kept from others while a branch moves, changed in a copy.

From when a branch moves until the index has followed, the index holds the old
commit: a plain ``git commit`` at that moment would take the move back, unnoticed. So
gitmodel holds git's own ``index.lock`` meanwhile, and git refuses.

- The lock is a symbolic link, which appears in one step and tells whose it is. One
  that a killed gitmodel left is known by its target; whoever holds the lock of the
  clone takes it over, or releases it.
- A lock of git's own is nobody's to break: the index is then changed as git does it,
  which fails while the lock is there.
- Where there are no symbolic links, nothing is held.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import WITHOUT_FILTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

_OWNER = "held-by-gitmodel"
_ARGUMENTS = 500
_FILE = "100644"


def hold(repository: Repository) -> None:
    """Keep others from the index, where possible; the caller has the clone's lock."""
    try:
        _lock(repository).symlink_to(_OWNER)
    except OSError:
        return  # ours already, git's, or not possible here


def release(repository: Repository) -> None:
    """Let others at the index again, whichever gitmodel held it."""
    if _held(repository):
        _discard_copy(repository)
        _lock(repository).unlink(missing_ok=True)


def entries(repository: Repository, paths: Sequence[str]) -> dict[str, str]:
    """Return the staged blob of each path; '' for a conflict or no plain file."""
    found: dict[str, str] = {}
    for start in range(0, len(paths), _ARGUMENTS):
        chunk = paths[start : start + _ARGUMENTS]
        listed = repository.git.run("ls-files", "-s", "-z", "--", *chunk)
        for line in listed.split(b"\0")[:-1]:
            meta, _, name = line.partition(b"\t")
            mode, oid, conflict = meta.decode().split()
            usual = conflict == "0" and mode == _FILE
            found[os.fsdecode(name)] = oid if usual else ""
    return found


def hidden(repository: Repository, paths: Sequence[str]) -> frozenset[str]:
    """Return which paths are marked as not to be on disk (``skip-worktree``)."""
    if repository.config("core.sparsecheckout") != "true":
        return frozenset()
    found: set[str] = set()
    for start in range(0, len(paths), _ARGUMENTS):
        chunk = paths[start : start + _ARGUMENTS]
        listed = repository.git.run("ls-files", "-t", "-z", "--", *chunk)
        lines = (line.partition(b" ") for line in listed.split(b"\0")[:-1])
        found.update(os.fsdecode(name) for tag, _, name in lines if tag == b"S")
    return frozenset(found)


def update(
    repository: Repository, files: Sequence[str], blobs: Mapping[str, str | None]
) -> None:
    """Stage ``files`` as they are in the work tree, and ``blobs`` (None: removed).

    Raises:
        GitProcessError: git holds the index, or it cannot be written.
        OSError: It cannot be copied.
    """
    copy = _copy(repository) if _held(repository) else None
    extra = {} if copy is None else {"GIT_INDEX_FILE": str(copy)}
    git = repository.git
    if files:
        git.run(
            *WITHOUT_FILTERS, "update-index", "--add", "--remove", "-z", "--stdin",
            stdin="".join(f"{path}\0" for path in files).encode(), extra=extra,
        )  # fmt: skip
    staged = [f"{_FILE},{oid},{path}" for path, oid in blobs.items() if oid]
    gone = [path for path, oid in blobs.items() if oid is None]
    for start in range(0, len(staged), _ARGUMENTS):
        chunk = staged[start : start + _ARGUMENTS]
        options = [word for entry in chunk for word in ("--cacheinfo", entry)]
        git.run("update-index", "--add", *options, extra=extra)
    for start in range(0, len(gone), _ARGUMENTS):
        chunk = gone[start : start + _ARGUMENTS]
        git.run("update-index", "--force-remove", "--", *chunk, extra=extra)
    if repository.config("core.sparsecheckout") == "true":
        # Marks what is outside of the user's choice, and takes it off the disk.
        git.attempt("sparse-checkout", "reapply", extra=extra, accept=range(256))
    if copy is not None:
        copy.replace(repository.git_dir / "index")


def _lock(repository: Repository) -> Path:
    return repository.git_dir / "index.lock"


def _held(repository: Repository) -> bool:
    lock = _lock(repository)
    return lock.is_symlink() and str(lock.readlink()) == _OWNER


def _copy(repository: Repository) -> Path:
    """Copy the index, with its time: it tells git which files it cannot be sure of."""
    _discard_copy(repository)
    copy = repository.git_dir / "gitmodel" / "index"
    copy.parent.mkdir(parents=True, exist_ok=True)
    index = repository.git_dir / "index"
    if index.exists():
        shutil.copy2(index, copy)
    return copy


def _discard_copy(repository: Repository) -> None:
    for name in ("index", "index.lock"):
        (repository.git_dir / "gitmodel" / name).unlink(missing_ok=True)
