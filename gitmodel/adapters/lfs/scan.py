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
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs.streams import open_regular
from gitmodel.domain.artifact import artifact_name_problem, collisions
from gitmodel.domain.problem import Problem
from gitmodel.errors import InputError
from gitmodel.formats.lfs_pointer import CUTOFF, resembles_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = (
    (stat.S_ISLNK, "a symbolic link; name what it points to"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


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
        search.refuse(Path(), "nothing was named")
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
        # normpath would also drop "..", which changes the meaning behind a link.
        absolute = Path.cwd() / path
        name = absolute.name if absolute.name != ".." else absolute.resolve().name
        before = len(self.files) + len(self.problems)
        try:
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode):
                self._add_directory(path, "")
                if len(self.files) + len(self.problems) == before:
                    self.refuse(path, "there is no file in it")
            else:
                self._add(path, name, found)
        except OSError as error:
            self.refuse(path, _clause(error))
