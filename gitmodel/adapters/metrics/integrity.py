"""Compares the files that are being served with what the live version says (R166).

What is served is what a path leads to, so links are followed: serving systems make
directories of links. A file that nobody vouches for is told as well, for frameworks
load code that lies beside a model; names that begin with a dot are left alone.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from gitmodel.adapters.metrics.answers import BrokenSourceError, line
from gitmodel.adapters.metrics.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from gitmodel.domain.artifact import Artifact

_BUFFER = 1 << 20
_MOST_FILES = 100_000
_MOST_PROBLEMS = 100
_MISSING = "is missing"


def compare(
    directory: Path,
    artifacts: Sequence[Artifact],
    advance: Callable[[int], None] = lambda _: None,
) -> list[dict[str, str]]:
    """Return what is wrong, as ``{path, problem}``; empty if all is well.

    Args:
        directory: Holds the artifacts, or is what ``gitmodel pull`` has made.
        artifacts: Of the version that is live.
        advance: Hears how many more bytes were read; what it raises ends the work.

    Raises:
        BrokenSourceError: The directory is not there, holds nothing of the version,
            or cannot be read.
    """
    if not artifacts:
        raise BrokenSourceError("no version is live")
    found: list[dict[str, str]] = []
    missing = 0
    try:
        place = _place(directory, artifacts)
        for artifact in artifacts:
            problem = _problem(place / artifact.path, artifact, advance)
            missing += problem == _MISSING
            if problem is not None:
                found.append({"path": artifact.path, "problem": problem})
        known = {artifact.path for artifact in artifacts}
        for name in _files(place):
            if name not in known:
                strange = {"path": line(name), "problem": "belongs to no version"}
                found.append(strange)
    except OSError as error:
        raise BrokenSourceError(f"it cannot be read: {error.strerror}") from error
    if missing == len(artifacts):
        raise BrokenSourceError("the directory holds no file of the version")
    return found[:_MOST_PROBLEMS]


def _place(directory: Path, artifacts: Sequence[Artifact]) -> Path:
    """Return where the artifacts are: a pull puts a manifest beside them."""
    if not directory.is_dir():
        raise BrokenSourceError("there is no such directory")
    below = directory / "artifacts"
    own = any(artifact.path.startswith("artifacts/") for artifact in artifacts)
    pulled = (directory / "manifest.yaml").is_file() and below.is_dir()
    return below if pulled and not own else directory


def _problem(
    path: Path, artifact: Artifact, advance: Callable[[int], None]
) -> str | None:
    try:
        opened = open_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return _MISSING
    if opened is None:
        return "is no regular file"
    file, status = opened
    with file:
        if status.st_size != artifact.size:
            return f"has {status.st_size:,} bytes instead of {artifact.size:,}"
        hasher = hashlib.sha256()
        while piece := file.read(_BUFFER):
            hasher.update(piece)
            advance(len(piece))
    return None if hasher.hexdigest() == artifact.digest.hex else "has other bytes"


def _files(place: Path) -> Iterator[str]:
    """Yield what is in a directory, by relative path, without what is hidden."""

    def give_up(error: OSError) -> None:
        raise error

    seen = 0
    for top, directories, files in os.walk(place, onerror=give_up):
        directories[:] = sorted(name for name in directories if name[0] != ".")
        for name in sorted(files):
            seen += 1
            if seen > _MOST_FILES:
                raise BrokenSourceError(f"it holds more than {_MOST_FILES:,} files")
            if name[0] != ".":
                yield os.path.relpath(f"{top}/{name}", place)
