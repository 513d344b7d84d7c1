"""Finds the files that the PATH arguments of ``register`` mean, and names them.

- A file is named by its base name; a directory stands for all that is in it, at any
  depth, hidden files included, named relative to the directory.
- Nothing is followed and nothing is left out: symbolic links, sockets, pipes and
  devices are refused, and so are unreadable files, names that an artifact cannot
  have, names that collide, LFS pointers in place of their content, and directories
  without a file.
- Every refusal is reported, not only the first.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs.streams import open_regular
from gitmodel.domain.artifact import artifact_name_problem, collisions
from gitmodel.domain.problem import Problem
from gitmodel.errors import InputError
from gitmodel.formats.lfs_pointer import CUTOFF, resembles_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_POINTER = "it is a Git LFS pointer, not the file that it stands for"
_HINTS = (
    ("symbolic link", "cp -rL DIR COPY  makes a copy without links."),
    ("Git LFS pointer", "git lfs pull  gets the files that pointers stand for."),
)
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to register.

    Attributes:
        path: Where it is on this machine.
        name: What it is called as an artifact: relative, with ``/``.
        size: Its length in bytes when it was found.
    """

    path: Path
    name: str
    size: int


def collect(paths: Sequence[Path]) -> tuple[SourceFile, ...]:
    """Return the files that ``paths`` mean, by name, sorted by code point.

    Raises:
        InputError: Something cannot be registered; ``problems`` lists everything
            that cannot, with the paths.
    """
    search = _Search()
    for path in paths:
        search.add_argument(path)
    if not paths:
        raise InputError("There is nothing to register.", "Name a file or directory.")
    search.refuse_collisions()
    if search.problems:
        raise _refusal(search.problems)
    return tuple(sorted(search.files, key=lambda file: file.name))


class _Search:
    """What has been found so far, good and bad."""

    def __init__(self) -> None:
        self.files: list[SourceFile] = []
        self.problems: list[Problem] = []

    def add_argument(self, path: Path) -> None:
        """Take in what one argument means."""
        try:
            found = path.lstat()
        except OSError as error:
            self.refuse(path, _clause(error))
            return
        if not stat.S_ISDIR(found.st_mode):
            self._add(path, path.name)
            return
        before = len(self.files) + len(self.problems)
        self._add_directory(path)
        if len(self.files) + len(self.problems) == before:
            self.refuse(path, "it holds no file")

    def refuse(self, path: Path, clause: str) -> None:
        """Note that something cannot be registered."""
        self.problems.append(Problem("E_SOURCE", f"{clause}.", printable(path)))

    def refuse_collisions(self) -> None:
        """Note every pair of names that cannot live side by side."""
        places: dict[str, list[Path]] = {}
        for file in self.files:
            places.setdefault(file.name, []).append(file.path)
        for one, other in collisions(file.name for file in self.files):
            first, last = places[one][0], places[other][-1]
            if one == other:
                clause = f"it would be called {one!r}, and so would {printable(first)}"
            else:
                clause = f"its name {other!r} collides with {one!r}"
            self.refuse(last, clause)

    def _add_directory(self, root: Path) -> None:
        waiting = [(root, "")]
        while waiting:
            directory, prefix = waiting.pop()
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        path, name = directory / entry.name, prefix + entry.name
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append((path, f"{name}/"))
                        else:
                            self._add(path, name)
            except OSError as error:
                self.refuse(directory, _clause(error))

    def _add(self, path: Path, name: str) -> None:
        problem = artifact_name_problem(name)
        if problem is not None:
            self.refuse(path, f"its name {problem}")
            return
        try:
            kind = path.lstat().st_mode
            for is_kind, clause in _KINDS:
                if is_kind(kind):
                    self.refuse(path, f"it is {clause}")
                    return
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size
                if resembles_pointer(os.pread(file.fileno(), CUTOFF, 0), size):
                    self.refuse(path, _POINTER)
                    return
        except OSError as error:
            self.refuse(path, _clause(error))
            return
        self.files.append(SourceFile(path=path, name=name, size=size))


def printable(path: Path) -> str:
    """Return a path as it can be shown and written to JSON, whatever it holds."""
    text = str(path)
    return text if text.isprintable() else ascii(text)[1:-1]


def _clause(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    return f"it cannot be read: {error.strerror}"


def _refusal(problems: Sequence[Problem]) -> InputError:
    first = problems[0]
    count = len(problems)
    message = (
        f"{first.path} cannot be registered: {first.message}"
        if count == 1
        else f"{count} files cannot be registered."
    )
    shown = [f"{problem.path}: {problem.message}" for problem in problems[:_SHOWN]]
    if count > _SHOWN:
        shown.append(f"… and {count - _SHOWN} more.")
    return InputError(
        message,
        *(shown if count > 1 else ()),
        *(hint for word, hint in _HINTS if any(word in p.message for p in problems)),
        code="E_SOURCE",
        problems=[problem.to_dict() for problem in problems],
    )
