"""Copies many files, hashing what was written and syncing it, all at the same time.

- The digest is that of the copy, read back behind the writer: what is named is what
  is stored, whatever happens to the source meanwhile.
- Copying, hashing and syncing a file overlap, and so do several files; the biggest
  begin first. Copying stays a few files ahead of the rest, not more, so that what is
  hashed is still in memory and few files are open.
- One failure stops all. Targets are the caller's to remove.
"""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs import failures, streams
from gitmodel.adapters.lfs.crew import Crew, StoppedError, workers_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from io import FileIO
    from pathlib import Path

    from gitmodel.domain.digest import Digest

# The pools of a crew that copies. Four files in fsync at a time kept the disk of the
# reference machine busy; eight were slower.
_COPIERS, _HASHERS, _SYNCERS = range(3)
_SYNCING = 4
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """A regular file that somebody has looked at, and what it must still be.

    Attributes:
        path: Where it is.
        size: The length that it must have, in bytes.
        expect: Raises if the opened file is not the one that the caller means.
    """

    path: Path
    size: int
    expect: Callable[[os.stat_result], None] = lambda _: None

    def open(self) -> FileIO:
        """Open it.

        Raises:
            GitmodelError: It cannot be read, or is not what it must be.
        """
        try:
            file = streams.open_regular(self.path)
        except OSError as error:
            if error.errno in _GONE:
                raise failures.changed(self.path) from error
            raise failures.reading(self.path, error) from error
        try:
            self.expect(os.fstat(file.fileno()))
        except BaseException:
            file.close()
            raise
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy to make; ``target`` does not exist, its directory does."""

    source: FileToRead
    target: Path


def copy_all(
    copies: Sequence[Copy],
    advance: Callable[[int], None],
    *,
    durable: bool,
    workers: int | None = None,
) -> list[Digest]:
    """Make every copy and return the digests of the copies, in the same order.

    Args:
        copies: What to copy, where to.
        advance: Is told the count of bytes that were copied and hashed, by one
            thread at a time; what it raises stops everything.
        durable: Whether the copies must survive a power cut.
        workers: How many files to hash at a time; None for what fits the machine.

    Raises:
        InputError: A source is not a readable regular file.
        ConflictError: A source is gone or shorter than it was (E_CHANGED).
        OutsideError: Reading or writing failed, or the disk is full.
    """
    count = workers_for(len(copies), workers)
    # A file takes two places: one until it is hashed, one until it is synced.
    places = 2 * (count + _SYNCING)
    digests: dict[int, Future[Digest]] = {}
    with Crew(advance, count, count, _SYNCING, places=places) as crew:
        for index in _biggest_first([copy.source for copy in copies]):
            job = _Job(copies[index], crew, durable=durable)
            crew.submit(_COPIERS, job.write)
            digests[index] = crew.submit(_HASHERS, job.read)
        for future in digests.values():
            future.exception()  # wait, here, where Ctrl-C arrives
    return [digests[index].result() for index in range(len(copies))]


def hash_all(
    files: Sequence[FileToRead],
    advance: Callable[[int], None],
    *,
    workers: int | None = None,
) -> list[Digest]:
    """Return the digests of files, in the same order, reading each once.

    Raises:
        GitmodelError: As ``copy_all``, for reading.
    """
    digests: dict[int, Future[Digest]] = {}
    with Crew(advance, workers_for(len(files), workers)) as crew:

        def digest_of(source: FileToRead) -> Digest:
            try:
                with source.open() as file:
                    return streams.hash_file(file, source.size, crew.advance)
            except EOFError:
                raise failures.changed(source.path) from None
            except OSError as error:
                raise failures.reading(source.path, error) from error

        for index in _biggest_first(files):
            digests[index] = crew.submit(0, partial(digest_of, files[index]))
        for future in digests.values():
            future.exception()
    return [digests[index].result() for index in range(len(files))]


def _biggest_first(files: Sequence[FileToRead]) -> list[int]:
    return sorted(range(len(files)), key=lambda index: -files[index].size)


class _Job:
    """One file on its way: ``write`` in one thread, ``read`` behind it in another."""

    def __init__(self, copy: Copy, crew: Crew, *, durable: bool) -> None:
        self._source = copy.source
        self._target = copy.target
        self._crew = crew
        self._durable = durable
        self._moved = threading.Condition()
        self._written = -1  # bytes; -1 until there is a file
        self._ended = False

    def write(self) -> None:
        """Copy the file, and have it synced."""
        try:
            self._crew.enter(places=2)
            with self._source.open() as source:
                target = self._create()
                try:
                    self._grow(0)
                    self._fill(source, target)
                except BaseException:
                    target.close()
                    raise
            self._crew.submit(_SYNCERS, partial(self._settle, target))
        finally:
            with self._moved:
                self._ended = True
                self._moved.notify()

    def read(self) -> Digest:
        """Hash what has been written, as it grows."""
        self._await(-1)
        try:
            with streams.open_regular(self._target) as file:
                digest = streams.hash_file(
                    file, self._source.size, self._crew.advance, self._await
                )
        except EOFError:
            raise failures.changed(self._source.path) from None
        except OSError as error:
            raise failures.reading(self._target, error) from error
        self._crew.leave()
        return digest

    def _settle(self, target: FileIO) -> None:
        with target:
            self._crew.check()
            try:
                if self._durable:
                    os.fsync(target.fileno())
            except OSError as error:
                raise failures.writing(
                    self._target, error, self._source.size
                ) from error
        self._crew.leave()

    def _await(self, offset: int) -> int:
        """Return up to where the copy is complete, once that is beyond ``offset``."""
        with self._moved:
            self._moved.wait_for(lambda: self._ended or self._written > offset)
        if self._written <= offset:
            raise StoppedError
        return self._written

    def _grow(self, offset: int) -> None:
        self._crew.check()
        with self._moved:
            self._written = offset
            self._moved.notify()

    def _create(self) -> FileIO:
        try:
            return streams.create(self._target)
        except OSError as error:
            raise failures.writing(self._target, error, self._source.size) from error

    def _fill(self, source: FileIO, target: FileIO) -> None:
        path, size = self._source.path, self._source.size
        try:
            if not streams.clone(source, target):
                streams.copy(source, target, size, self._grow)
            streams.require_size(target, size)
            self._grow(size)
        except EOFError:
            raise failures.changed(path) from None
        except OSError as error:
            raise failures.copying(path, self._target, error, size) from error
