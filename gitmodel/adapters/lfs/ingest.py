"""Puts files into the LFS object store, or only names them by their digests.

- One pass: a file is copied, and the copy is hashed and synced meanwhile. User files
  are never hard linked: a later edit in place would corrupt the store.
- All or nothing: objects get their names when every file has been stored and none
  has changed since the beginning, so the set is one that existed at one moment.
- An object that is there already is replaced by the new copy. Nothing would be saved
  by keeping it (the copy has been made, since only that tells the digest), and a
  damaged one is healed.
- Half-written objects live in a scratch directory; a killed process leaves it to the
  next call.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs import failures, scratch
from gitmodel.adapters.lfs.copies import Copy, FileToRead, copy_all, hash_all
from gitmodel.domain.ports import Silent
from gitmodel.errors import InputError
from gitmodel.formats.lfs_pointer import Pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gitmodel.adapters.lfs.store import Store
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.ports import Progress


# Directories that naming an object may have changed: bb, aa, objects, the root of
# the store, and where that is.
_DEPTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file that is in the store now; ``size`` in bytes."""

    source: Path
    digest: Digest
    size: int

    @property
    def pointer(self) -> Pointer:
        """What git holds in its place."""
        return Pointer(self.digest, self.size)


def ingest(
    files: Sequence[Path],
    store: Store,
    progress: Progress | None = None,
    *,
    workers: int | None = None,
) -> list[Stored]:
    """Put files into the store; the result is in the order of ``files``.

    When this returns, the objects survive a power cut. When it raises, nothing was
    added, save objects that nothing points to if the very last step failed.

    Args:
        files: Regular files; what they are called does not matter.
        store: Where they go; its directories are made as needed.
        progress: Hears about the bytes of all files.
        workers: How many files to hash at a time; None for what fits the machine.

    Raises:
        NotFoundError: A file does not exist.
        InputError: A file is not a readable regular file.
        ConflictError: A file changed meanwhile (E_CHANGED).
        OutsideError: The store cannot be written, or its disk is full (E_NO_SPACE).
    """
    sources = [_Source.look(path) for path in files]
    sweep(store)
    with (
        _heard(sources, "Storing", progress) as advance,
        scratch.claim(store.scratch) as room,
    ):

        def advance_and_stay(count: int) -> None:
            room.touch()
            advance(count)

        copies = [
            Copy(source=source.to_read(), target=room.path / str(index))
            for index, source in enumerate(sources)
        ]
        digests = copy_all(copies, advance_and_stay, durable=True, workers=workers)
        _require_unchanged(sources)
        written = (copy.target for copy in copies)
        _publish(store, dict(zip(written, digests, strict=True)))
    return [
        Stored(source=source.path, digest=digest, size=source.seen.st_size)
        for source, digest in zip(sources, digests, strict=True)
    ]


def hash_files(
    files: Sequence[Path],
    progress: Progress | None = None,
    *,
    workers: int | None = None,
) -> list[Pointer]:
    """Return what ``ingest`` would store, storing nothing.

    Raises:
        GitmodelError: As ``ingest``, for reading.
    """
    sources = [_Source.look(path) for path in files]
    with _heard(sources, "Hashing", progress) as advance:
        to_read = [source.to_read() for source in sources]
        digests = hash_all(to_read, advance, workers=workers)
        _require_unchanged(sources)
    return [
        Pointer(digest, source.seen.st_size)
        for source, digest in zip(sources, digests, strict=True)
    ]


def sweep(store: Store) -> int:
    """Remove what killed processes left in the store; return of how many."""
    return scratch.sweep(store.scratch)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as it was when we first looked."""

    path: Path
    seen: os.stat_result

    @classmethod
    def look(cls, path: Path) -> _Source:
        try:
            seen = path.lstat()
        except OSError as error:
            raise failures.reading(path, error) from error
        if not stat.S_ISREG(seen.st_mode):
            raise InputError(f"{path} is not a regular file.", "Name a file itself.")
        return cls(path, seen)

    def to_read(self) -> FileToRead:
        return FileToRead(path=self.path, size=self.seen.st_size, expect=self.require)

    def require(self, now: os.stat_result) -> None:
        """Insist that ``now`` is what was seen."""
        if _identity(now) != _identity(self.seen):
            raise failures.changed(self.path)


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _require_unchanged(sources: Sequence[_Source]) -> None:
    for source in sources:
        try:
            now = source.path.lstat()
        except OSError as error:
            raise failures.changed(source.path) from error
        source.require(now)


@contextmanager
def _heard(
    sources: Sequence[_Source], label: str, progress: Progress | None
) -> Iterator[Callable[[int], None]]:
    listener = progress or Silent()
    listener.start(sum(source.seen.st_size for source in sources), label)
    try:
        yield listener.advance
    finally:
        listener.finish()


def _publish(store: Store, written: Mapping[Path, Digest]) -> None:
    """Give synced files their names as objects, durably."""
    parents: set[Path] = set()
    for path, digest in written.items():
        if path.stat().st_size == 0:
            continue  # git-lfs keeps no empty object
        target = store.path_of(digest)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError as error:
            raise failures.writing(target, error) from error
        parents.update(target.parents[:_DEPTH])
    for parent in sorted(parents, key=lambda path: -len(path.parts)):
        _sync_directory(parent)


def _sync_directory(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a directory, and need not.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise failures.writing(path / "objects", error) from error
