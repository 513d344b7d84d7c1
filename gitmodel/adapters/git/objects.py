"""Reads objects by id through ``cat-file --batch``: one process for thousands.

Reading by id is what makes verification honest: neither the work tree, nor
attributes, nor replace refs can change what is seen.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NamedTuple

from gitmodel.adapters.git.process import piped
from gitmodel.adapters.git.trees import Entry, decode
from gitmodel.errors import IntegrityError, OutsideError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from gitmodel.adapters.git.repository import Repository

#: Documents are at most 1 MiB and signatures some more; this bounds what a
#: hostile registry can make a reader hold in memory.
MAX_OBJECT = 8 << 20
_CHUNK = 1 << 20


class GitObject(NamedTuple):
    """An object's type (blob, tree, commit, tag) and content."""

    kind: str
    data: bytes


class ObjectReader:
    """Reads objects of one repository; close it, or use it as a context."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._hash_size = 32 if repository.hash_name == "sha256" else 20
        self._process: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, dict[str, Entry]] = {}

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
            for pipe in piped(self._process):
                with suppress(BrokenPipeError):
                    pipe.close()
            self._process.wait()
            self._process = None

    def read(self, oid: str) -> GitObject:
        """Return one object.

        Raises:
            IntegrityError: It is missing or larger than ``MAX_OBJECT``.
        """
        if self._process is None:
            self._process = self._repository.git.start("cat-file", "--batch")
        stdin, stdout = piped(self._process)
        with suppress(BrokenPipeError):  # git died: what it does not say tells it
            stdin.write(oid.encode() + b"\n")
            stdin.flush()
        return _one(stdout, oid)

    def read_many(self, oids: Iterable[str]) -> Iterator[GitObject]:
        """Yield objects in the order of ``oids``, streaming both ways."""
        wanted = list(oids)
        if not wanted:
            return
        process = self._repository.git.start("cat-file", "--batch", "--buffer")
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
                yield _one(stdout, oid)
        finally:
            process.kill()
            stdout.close()
            asker.join()
            process.wait()

    def tree(self, oid: str) -> dict[str, Entry]:
        """Return the entries of a tree; the caller must not change them."""
        if oid not in self._trees:
            kind, data = self.read(oid)
            if kind != "tree":
                raise IntegrityError(f"Object {oid} is a {kind}, not a tree.")
            self._trees[oid] = decode(data, self._hash_size)
        return self._trees[oid]


def _one(stream: IO[bytes], oid: str) -> GitObject:
    header = stream.readline().split()
    if not header:
        raise OutsideError("git cat-file ended early.", code="E_GIT")
    if header[-1] == b"missing":
        raise IntegrityError(
            f"Object {oid} is missing from this clone.",
            "git fsck  shows what is missing;  git fetch  may bring it.",
            code="E_OBJECT_MISSING",
        )
    kind, size = header[1].decode(), int(header[2])
    if size > MAX_OBJECT:
        for _ in range(0, size, _CHUNK):
            stream.read(min(_CHUNK, size))
            size -= _CHUNK
        stream.read(1)
        raise IntegrityError(
            f"Object {oid} has more than {MAX_OBJECT >> 20} MiB; no document, "
            "signature or pointer is that large.",
            code="E_LIMIT",
        )
    data = stream.read(size)
    stream.read(1)
    return GitObject(kind, data)
