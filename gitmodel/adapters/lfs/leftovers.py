"""What an interrupted download left: taken up again, or thrown away.

git-lfs writes to ``incomplete/<sha256><digits>`` and, when a transfer fails, names it
``<sha256>.part``, from where the next run goes on. Two things it does not do:

- Killed, it leaves the file under its first name and downloads all of it again.
- Bytes that turned out to be wrong stay there, and spoil the next download too.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitmodel.domain.digest import Digest

_LOCK = "gitmodel.lock"


@contextmanager
def taken_up(directory: Path, digests: Sequence[Digest]) -> Iterator[tuple[int, ...]]:
    """Have what a killed download left gone on with, unless another is under way.

    Args:
        directory: Where git-lfs keeps what is incomplete.
        digests: The objects that are to be downloaded.

    Yields:
        Descriptors for git-lfs to inherit: while it lives, even as an orphan, nobody
        takes its files away. None where the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield ()
        return
    try:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for digest in digests:
                with suppress(OSError):
                    _take_up(directory, digest)
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield (lock,)
    finally:
        os.close(lock)


def throw_away(directory: Path, digests: Sequence[Digest]) -> bool:
    """Remove what there is of objects; say whether there was anything."""
    removed = False
    for digest in digests:
        with suppress(OSError):
            part = _part(directory, digest)
            removed = part.stat().st_size > 0 or removed
            part.unlink()
    return removed


def begun(directory: Path, digests: Sequence[Digest]) -> bool:
    """Say whether a download will go on from what is there."""
    return any(_part(directory, digest).exists() for digest in digests)


def _part(directory: Path, digest: Digest) -> Path:
    return directory / f"{digest.hex}.part"


def _take_up(directory: Path, digest: Digest) -> None:
    """Give the longest piece of an object the name that git-lfs looks for."""
    name = re.compile(rf"{digest.hex}(\d+|\.part)")
    pieces = [path for path in directory.iterdir() if name.fullmatch(path.name)]
    pieces.sort(key=lambda path: path.stat().st_size)
    if pieces:
        pieces.pop().replace(_part(directory, digest))
    for piece in pieces:
        if piece != _part(directory, digest):
            piece.unlink()
