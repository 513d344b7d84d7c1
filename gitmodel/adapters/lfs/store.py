"""The directory in which git-lfs keeps its objects, and what is in it.

- An object lives at ``objects/aa/bb/<sha256>``, where git-lfs looks for it.
- git-lfs takes an object for present when a file of the right size is there, and
  checks it out unread: ``state`` says as much, only ``verify`` knows the bytes.
- The empty object has no file; it is always present.
"""

from __future__ import annotations

import enum
import os
import stat
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gitmodel.adapters.lfs import failures
from gitmodel.adapters.lfs.crew import Crew, workers_for
from gitmodel.adapters.lfs.streams import hash_file, open_regular
from gitmodel.domain.ports import Silent
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError, IntegrityError, NotFoundError, OutsideError
from gitmodel.formats.lfs_pointer import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.ports import Progress
    from gitmodel.formats.lfs_pointer import Pointer

E_MISSING = "E_ARTIFACT_MISSING"
E_DIGEST = "E_ARTIFACT_DIGEST"
E_UNREADABLE = "E_ARTIFACT_UNREADABLE"

# What becomes of problems, the worst first.
_CASES: tuple[tuple[type[GitmodelError], str, str], ...] = (
    (
        IntegrityError,
        E_DIGEST,
        "rm {path}  and fetch it again:  gitmodel pull MODEL@VERSION .",
    ),
    (OutsideError, E_UNREADABLE, "ls -l {path}  and  dmesg | tail  may say why."),
    (
        NotFoundError,
        E_MISSING,
        "gitmodel pull MODEL@VERSION  fetches it;  git lfs fetch --all  everything.",
    ),
)


class State(enum.Enum):
    """What a look at the size alone says about an object."""

    MISSING = "missing"
    WRONG_SIZE = "wrong-size"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Store:
    """An LFS storage directory; see ``locate``.

    Attributes:
        root: The directory that holds ``objects`` and ``tmp``; it need not exist.
    """

    root: Path

    @property
    def objects(self) -> Path:
        """Where the objects are: what ``git lfs env`` calls LocalMediaDir."""
        return self.root / "objects"

    @property
    def scratch(self) -> Path:
        """Where objects are while they are being written, on the same file system."""
        return self.root / "tmp"

    @property
    def incomplete(self) -> Path:
        """Where git-lfs keeps what it has of an object that it is downloading."""
        return self.root / "incomplete"

    def path_of(self, digest: Digest) -> Path:
        """Return where the object is, or would be."""
        return self.objects / digest.hex[:2] / digest.hex[2:4] / digest.hex

    def has(self, digest: Digest, size: int) -> bool:
        """Say whether git-lfs would take the object for present."""
        return self.state(digest, size) is State.PRESENT

    def state(self, digest: Digest, size: int) -> State:
        """Look whether an object is there with the right size, reading no bytes.

        Raises:
            OutsideError: The store cannot be read.
        """
        if size == 0:
            return State.PRESENT
        path = self.path_of(digest)
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return State.MISSING
        except OSError as error:
            raise failures.reading(path, error) from error
        if stat.S_ISREG(found.st_mode) and found.st_size == size:
            return State.PRESENT
        return State.WRONG_SIZE

    def open(self, pointer: Pointer) -> BinaryIO:
        """Open an object for reading; its bytes are not verified.

        Raises:
            NotFoundError: It is not here (E_ARTIFACT_MISSING).
            IntegrityError: It has the wrong size (E_ARTIFACT_DIGEST).
            OutsideError: It cannot be read.
        """
        problem = self.look(pointer)
        if problem is not None:
            raise as_error([problem])
        if pointer.size == 0:
            return BytesIO()
        path = self.path_of(pointer.digest)
        try:
            return path.open("rb")
        except OSError as error:
            raise failures.reading(path, error) from error

    def verify(
        self, pointer: Pointer, progress: Progress | None = None
    ) -> Problem | None:
        """Read an object's bytes and say what is wrong with them; None if nothing.

        The problem is E_ARTIFACT_MISSING, E_ARTIFACT_DIGEST or E_ARTIFACT_UNREADABLE;
        its ``path`` is that of the object in the store. ``progress`` is advanced,
        not started: one listener hears about many objects.
        """
        return self.verify_all([pointer], progress)[0]

    def verify_all(
        self, pointers: Sequence[Pointer], progress: Progress | None = None
    ) -> list[Problem | None]:
        """Verify many objects, several at a time; the answers are in their order."""
        listener = progress or Silent()
        with Crew(listener.advance, workers_for(len(pointers))) as crew:
            found = [
                crew.submit(0, partial(self._verify, pointer, crew.advance))
                for pointer in pointers
            ]
            for future in found:
                future.exception()  # wait, here, where Ctrl-C arrives
        return [future.result() for future in found]

    def _verify(
        self, pointer: Pointer, advance: Callable[[int], None]
    ) -> Problem | None:
        problem = self.look(pointer)
        if problem is not None or pointer.size == 0:
            return problem
        try:
            with open_regular(self.path_of(pointer.digest)) as file:
                digest = hash_file(file, pointer.size, advance)
        except (EOFError, FileNotFoundError):
            return self._problem(pointer, E_DIGEST, "changed while it was being read")
        except OSError as error:
            said = f"cannot be read: {error.strerror}"
            return self._problem(pointer, E_UNREADABLE, said)
        return None if digest == pointer.digest else self.altered(pointer, digest)

    def look(self, pointer: Pointer) -> Problem | None:
        """Say what is wrong with an object at first sight, reading no bytes."""
        if pointer.size == 0 and pointer.digest != EMPTY:
            return self._problem(pointer, E_DIGEST, "is said to be empty, and is not")
        try:
            state = self.state(pointer.digest, pointer.size)
        except GitmodelError as error:
            return self._problem(pointer, E_UNREADABLE, f"cannot be had: {error}")
        match state:
            case State.MISSING:
                said = "is not in the LFS store of this clone"
                return self._problem(pointer, E_MISSING, said)
            case State.WRONG_SIZE:
                said = f"is not a file of {pointer.size:,} bytes, as it should be"
                return self._problem(pointer, E_DIGEST, said)
            case State.PRESENT:
                return None

    def altered(self, pointer: Pointer, digest: Digest) -> Problem:
        """Say that the bytes of an object have another digest."""
        return self._problem(pointer, E_DIGEST, f"has been altered; it is {digest} now")

    def _problem(self, pointer: Pointer, code: str, said: str) -> Problem:
        path = str(self.path_of(pointer.digest))
        return Problem(code, f"Object {pointer.digest} {said}.", path)


def as_error(problems: Sequence[Problem]) -> GitmodelError:
    """Return the error that says what ``look`` or ``verify`` found; not empty."""
    kind, code, hint = next(
        case for case in _CASES if any(problem.code == case[1] for problem in problems)
    )
    first = next(problem for problem in problems if problem.code == code)
    others = len(problems) - 1
    return kind(
        first.message + (f" {others} more cannot be used either." if others else ""),
        hint.format(path=first.path),
        code=code,
        problems=[problem.to_dict() for problem in problems],
    )


def locate(common_git_dir: Path, lfs_storage: str | None) -> Path:
    """Return the LFS storage directory of a repository, as git-lfs finds it.

    Args:
        common_git_dir: The git directory that all linked worktrees share.
        lfs_storage: The value of ``lfs.storage``, relative to that directory or
            absolute; ``~`` means nothing special. None or "" if it is not set.
    """
    return Path(os.path.normpath(common_git_dir / (lfs_storage or "lfs")))
