"""Reads objects by id through ``cat-file --batch``: one process for thousands.

Reading by id is what makes verification honest: neither the work tree, nor
attributes, nor replace refs can change what is seen. git does not hash what it
reads from its object store, so that is done here.
"""

from __future__ import annotations

import hashlib
import os
import select
import threading
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gitmodel.adapters.git.process import piped
from gitmodel.adapters.git.trees import Entry, decode
from gitmodel.errors import GitmodelError, IntegrityError, OutsideError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from gitmodel.adapters.git.repository import Repository

#: Documents are at most 1 MiB and signatures some more; this bounds what a
#: hostile registry can make a reader hold in memory.
MAX_OBJECT = 8 << 20
#: Seconds that git may say nothing in the middle of an answer. An object whose
#: header lies about its size makes it wait for the next question instead.
PATIENCE = 20.0
_CHUNK = 1 << 16
#: From how many objects on another process is cheaper than asking one by one.
_MANY = 20
# git streams what is larger, so that nobody ever holds it all.
_STREAMING = ("-c", f"core.bigFileThreshold={MAX_OBJECT}")


class GitObject(NamedTuple):
    """An object's type (blob, tree, commit, tag) and content."""

    kind: str
    data: bytes


class ObjectReader:
    """Reads objects of one repository; close it, or use it as a context."""

    def __init__(self, repository: Repository, patience: float = PATIENCE) -> None:
        self.repository = repository
        self._hash_size = 32 if repository.hash_name == "sha256" else 20
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: _Answers | None = None
        self._trees: dict[str, dict[str, Entry]] = {}
        self._refused: dict[str, IntegrityError] = {}

    def twin(self) -> ObjectReader:
        """Return a reader with a process of its own, that knows the same trees."""
        other = ObjectReader(self.repository, self._patience)
        other._trees = dict(self._trees)
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the git process."""
        if self._process is not None:
            # Not waiting for its end by itself: it may be in the middle of a blob.
            self._process.kill()
            for pipe in piped(self._process):
                with suppress(BrokenPipeError):
                    pipe.close()
            self._process.wait()
            self._process = self._answers = None

    def read(self, oid: str) -> GitObject:
        """Return one object.

        Raises:
            IntegrityError: It is missing, larger than ``MAX_OBJECT``, or not what its
                id says.
        """
        if oid in self._refused:
            raise self._refused[oid]
        if self._process is None or self._answers is None:
            self._process = self._start()
            self._answers = self._listen(self._process)
        stdin, _ = piped(self._process)
        with suppress(BrokenPipeError):  # git died: what it does not say tells it
            stdin.write(oid.encode() + b"\n")
            stdin.flush()
        try:
            return self._answers.object(oid)
        except GitmodelError as error:
            if error.code != "E_OBJECT_MISSING":
                # The rest of this answer would be taken for the next one. And who
                # has waited in vain once does not wait so long again.
                self.close()
                self._patience = min(self._patience, 1.0)
                if isinstance(error, IntegrityError):
                    self._refused[oid] = error
            raise

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        return self.repository.git.start(*_STREAMING, "cat-file", "--batch", *options)

    def _listen(self, process: subprocess.Popen[bytes]) -> _Answers:
        return _Answers(process, self._patience, self.repository)

    def read_many(self, oids: Iterable[str]) -> Iterator[GitObject]:
        """Yield objects in the order of ``oids``, streaming both ways."""
        wanted = list(oids)
        if not wanted:
            return
        process = self._start("--buffer")
        answers = self._listen(process)
        stdin, stdout = piped(process)

        def ask() -> None:
            try:
                stdin.write("".join(f"{oid}\n" for oid in wanted).encode())
                stdin.close()
            except BrokenPipeError:
                pass  # git died: the reader finds its output cut short and says so

        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        try:
            for oid in wanted:
                yield answers.object(oid)
        finally:
            process.kill()
            stdout.close()
            asker.join()
            process.wait()

    def read_all(self, oids: Sequence[str]) -> Iterator[GitObject]:
        """Yield objects in the order of ``oids``, in one go if they are many."""
        return self.read_many(oids) if len(oids) >= _MANY else map(self.read, oids)

    @cached_property
    def empty_tree(self) -> str:
        """The id of the tree without entries."""
        return hashlib.new(self.repository.hash_name, b"tree 0\0").hexdigest()

    def read_ahead(self, trees: Iterable[str]) -> None:
        """Read trees that are about to be asked for, in one go if they are many.

        Raises:
            IntegrityError: One is missing, or no proper tree.
        """
        unknown = [oid for oid in dict.fromkeys(trees) if oid not in self._trees]
        if len(unknown) < _MANY:
            return
        for oid, (kind, data) in zip(unknown, self.read_many(unknown), strict=True):
            if kind == "tree":
                self._trees[oid] = decode(data, self._hash_size)

    def tree(self, oid: str) -> dict[str, Entry]:
        """Return the entries of a tree; the caller must not change them."""
        if oid not in self._trees:
            kind, data = self.read(oid)
            if kind != "tree":
                raise IntegrityError(
                    f"Object {oid} is a {kind}, not a tree.", code="E_TREE"
                )
            self._trees[oid] = decode(data, self._hash_size)
        return self._trees[oid]


class _Answers:
    """What one ``cat-file --batch`` says, believed only as far as it can be checked."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        patience: float,
        repository: Repository,
    ) -> None:
        self._process = process
        self._descriptor = piped(process)[1].fileno()
        self._patience = patience
        self._hash_name = repository.hash_name
        self._repository = repository
        self._silent = False
        self._held = b""
        self._at = 0

    def object(self, oid: str) -> GitObject:
        """Return the object that was asked for next."""
        header = self._line().split()
        if header[-1:] == [b"missing"]:
            raise IntegrityError(
                f"Object {oid} is missing from this clone.",
                "git fsck  shows what is missing;  git fetch  may bring it.",
                code="E_OBJECT_MISSING",
            )
        if not header:
            raise self._ended(oid)
        if len(header) != 3:  # noqa: PLR2004 (id, type, size)
            raise _corrupt(oid)
        kind, size = header[1], int(header[2])
        if size > MAX_OBJECT:
            raise IntegrityError(
                f"Object {oid} has more than {MAX_OBJECT >> 20} MiB; no document, "
                "signature or pointer is that large.",
                code="E_LIMIT",
            )
        data = self._exactly(size + 1)[:-1]
        named = hashlib.new(self._hash_name, b"%b %d\0" % (kind, size))
        named.update(data)
        if named.hexdigest() != oid:
            raise _corrupt(oid)
        return GitObject(kind.decode(), data)

    def _ended(self, oid: str) -> GitmodelError:
        """Return why there is no answer at all.

        In a partial clone git asks the remote for what is not here.
        """
        partial = self._repository.is_partial
        hints = ("A clone made without --filter has it at hand.",) if partial else ()
        if self._silent:
            said = (
                f"git said nothing for {self._patience:g} seconds about object {oid}."
            )
            return OutsideError(said, *hints, code="E_GIT")
        if self._process.wait() < 0:
            return OutsideError("git cat-file was killed.", code="E_GIT")
        if partial:
            said = f"git could not get object {oid} of this partial clone."
            return OutsideError(said, *hints, code="E_GIT")
        return _corrupt(oid)

    def _line(self) -> bytes:
        while (end := self._held.find(b"\n", self._at)) < 0 and self._more():
            pass
        start, self._at = self._at, end + 1 if end >= 0 else len(self._held)
        return self._held[start : self._at]

    def _exactly(self, count: int) -> bytes:
        while len(self._held) - self._at < count and self._more(count):
            pass
        start, self._at = self._at, self._at + count
        return self._held[start : self._at]

    def _more(self, count: int = 0) -> bool:
        """Take in what git says next; False if that is nothing."""
        ready, _, _ = select.select([self._descriptor], [], [], self._patience)
        self._silent = not ready
        data = os.read(self._descriptor, max(count, _CHUNK)) if ready else b""
        self._held = self._held[self._at :] + data
        self._at = 0
        return bool(data)


def _corrupt(oid: str) -> IntegrityError:
    return IntegrityError(
        f"Object {oid} in this clone is not what its id says: it was damaged or "
        "altered.",
        "git fsck  names what is damaged;  a fresh clone has it right.",
        code="E_OBJECT_CORRUPT",
    )
