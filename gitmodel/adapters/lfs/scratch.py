"""A directory for half-written objects that outlives no process.

``<store>/tmp/gitmodel-<random>/`` belongs to one process, which holds ``flock`` on
the file ``lock`` in it. Whoever is killed lets go of the lock, and ``sweep`` removes
what nobody holds. git-lfs after 3.7 tidies ``tmp`` too: it removes files older than an
hour from directories untouched for an hour, so a long run has to call ``touch``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs import failures
from gitmodel.adapters.shield import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX = "gitmodel-"
_LOCK = "lock"
_FRESH = 300.0  # seconds


class Scratch:
    """A directory that this process owns; see ``claim``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._touched = time.monotonic()

    def touch(self) -> None:
        """Show that somebody is at work here; cheap to call often."""
        now = time.monotonic()
        if now - self._touched > _FRESH:
            self._touched = now
            os.utime(self.path)


@contextmanager
def claim(parent: Path) -> Iterator[Scratch]:
    """Own a new directory below ``parent``; it is gone at the end, however it ends.

    Raises:
        OutsideError: ``parent`` cannot be written.
    """
    made: tuple[Path, int] | None = None
    try:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with uninterrupted():  # else Ctrl-C could leave a directory of nobody's
                path, _ = made = _make(parent)
        except OSError as error:
            raise failures.writing(parent / _PREFIX, error) from error
        yield Scratch(path)
    finally:
        if made is not None:
            path, lock = made
            with uninterrupted():
                _remove(path)
                os.close(lock)


def sweep(parent: Path) -> int:
    """Remove the directories of processes that are gone; return how many.

    What cannot be removed, say because it is another user's, is left alone.
    """
    removed = 0
    for path in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            removed += _sweep_one(path)
    return removed


def _make(parent: Path) -> tuple[Path, int]:
    while True:
        path = parent / f"{_PREFIX}{secrets.token_hex(8)}"
        path.mkdir()
        try:
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            continue  # swept away before it had a lock
        if _locked(path, lock):
            return path, lock
        os.close(lock)


def _locked(path: Path, lock: int) -> bool:
    """Take a lock; False if another process has it, or has removed its file."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock), (path / _LOCK).stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _sweep_one(path: Path) -> bool:
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        path.rmdir()  # only an empty one has no lock
        return True
    try:
        if not _locked(path, lock):
            return False
        _remove(path)
        return True
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    """Remove a directory that we hold the lock of, the lock last."""
    with contextlib.suppress(FileNotFoundError):
        for entry in list(path.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _LOCK:
                entry.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
