"""The first-parent line of a branch: commits, and what each of them changed.

The unit is the difference to the first parent, so a merge is judged by what it
brought to the branch (``design`` §4.6). Plumbing only: no ``log.*`` or ``diff.*``
setting can hide a change.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, TYPE_CHECKING

from gitmodel.adapters.git.process import GitProcessError, piped
from gitmodel.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository

#: A tree of a few objects can have more files than any memory has room for.
MAX_CHANGES = 1_000_000
_MEMORY = 1 << 30  # bytes; git holds all changes of a commit before it says one
_FILES = frozenset({0o100644, 0o100755})
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class PathChange:
    """One changed path: status letter (A, M, D, T), modes and blobs."""

    status: str
    path: str
    old_mode: int
    new_mode: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What people read in a log about a commit."""

    oid: str
    parents: tuple[str, ...]
    author: str
    committed_at: datetime
    message: str
    raw: bytes

    @classmethod
    def parse(cls, oid: str, raw: bytes) -> CommitInfo:
        """Read a commit object.

        Raises:
            IntegrityError: It is no commit that git would make.
        """
        header, _, body = raw.partition(b"\n\n")
        author, moment = "", 0
        parents: list[str] = []
        try:
            for line in header.split(b"\n"):
                key, _, value = line.partition(b" ")
                if key == b"parent":
                    parents.append(value.decode())
                elif key == b"author":
                    author = value.rsplit(b" ", 2)[0].decode("utf-8", "replace")
                elif key == b"committer":
                    moment = int(value.rsplit(b" ", 2)[1])
            committed_at = datetime.fromtimestamp(moment, UTC)
        except (ValueError, IndexError, OverflowError, OSError) as error:
            raise IntegrityError(
                f"Commit {oid} is malformed.", code="E_OBJECT_CORRUPT"
            ) from error
        message = body.decode("utf-8", "replace")
        return cls(oid, tuple(parents), author, committed_at, message, raw)


def first_parent_line(
    repository: Repository,
    tip: str,
    *,
    paths: Sequence[str] = (),
    limit: int | None = None,
    after: str | None = None,
) -> list[tuple[str, str | None]]:
    """Return (commit, first parent) from ``tip`` to the root, newest first.

    Args:
        repository: Where to look.
        tip: A commit id.
        paths: Keep only commits that changed one of these paths.
        limit: Keep only so many.
        after: Leave out this commit and what it descends from.
    """
    bound = () if limit is None else (f"--max-count={limit}",)
    if after is not None:
        bound = (*bound, f"^{after}")
    # With paths, --parents would give the previous commit that is shown; %P gives
    # the real one. And rev-list, since log obeys log.showSignature and log.follow.
    form = ("--no-commit-header", "--encoding=UTF-8", "--format=%H %P")
    listed = _rev_list(
        repository, "--first-parent", *(form if paths else ("--parents",)), *bound, tip,
        "--", *paths,
    )  # fmt: skip
    rows = (line.split() for line in listed.splitlines())
    return [(row[0], row[1] if len(row) > 1 else None) for row in rows]


@lru_cache(maxsize=4)  # of the same commits, which never change, several ask
def _rev_list(repository: Repository, *args: str) -> str:
    try:
        return repository.git.run("rev-list", *args).decode()
    except GitProcessError as error:
        raise _unreadable() from error


def _too_much() -> IntegrityError:
    return IntegrityError(
        f"A commit of this history changes more than {MAX_CHANGES:,} paths.",
        "git log --stat  shows which; nobody but an attacker has so many.",
        code="E_LIMIT",
    )


def _unreadable() -> IntegrityError:
    return IntegrityError(
        "git cannot read the history of this clone: objects are missing or damaged.",
        "git fsck  names them;  a fresh clone has them right.",
        code="E_OBJECT_CORRUPT",
    )


def edges(
    repository: Repository, tip: str, after: str | None = None
) -> list[tuple[str, str | None]]:
    """Return (commit, parent) for every parent of every commit that ``tip`` has.

    But for ``after`` and what that descends from.

    Whoever may push can make any commit the second parent of a merge and so take it
    off the first-parent line, without a forced push.
    """
    bound = () if after is None else (f"^{after}",)
    listed = _rev_list(repository, "--parents", *bound, tip, "--")
    rows = map(str.split, listed.splitlines())
    return [(row[0], parent) for row in rows for parent in (row[1:] or (None,))]


def changes(
    repository: Repository,
    line: Sequence[tuple[str, str | None]],
    *,
    paths: Sequence[str] = (),
) -> Iterator[tuple[str, tuple[PathChange, ...]]]:
    """Yield (commit, changed paths) for each pair of ``line`` that differs.

    Raises:
        IntegrityError: git cannot read the trees (``E_OBJECT_CORRUPT``), or one pair
            differs in more than ``MAX_CHANGES`` paths (``E_LIMIT``).
    """
    if not line:
        return
    process = repository.git.start(
        "diff-tree", "--stdin", "--root", "-r", "-z", "--raw", "--no-renames",
        "--no-abbrev", "--no-ext-diff", "--ignore-submodules=none", "--always",
        *(("--", *paths) if paths else ()), memory=_MEMORY,
    )  # fmt: skip
    stdin, stdout = piped(process)
    request = "".join(
        f"{commit} {parent}\n" if parent else f"{commit}\n" for commit, parent in line
    )

    def ask() -> None:
        with suppress(BrokenPipeError), stdin:  # git died: its status tells
            stdin.write(request.encode())

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    said, finished = b"", False
    try:
        yield from _grouped(_fields(stdout))
        finished = True
    finally:
        if not finished:
            process.kill()
        stdout.close()
        asker.join()
        if process.stderr is not None:
            with process.stderr as errors:
                said = errors.read()
        process.wait()
    if process.returncode != 0:
        raise _too_much() if b"memory" in said else _unreadable()


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what stands between NULs, without holding more than a chunk."""
    rest = b""
    while chunk := os.read(stream.fileno(), _CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole


def _grouped(
    fields: Iterator[bytes],
) -> Iterator[tuple[str, tuple[PathChange, ...]]]:
    commit = ""
    found: list[PathChange] = []
    for field in fields:
        if not field.startswith(b":"):
            if found:
                yield commit, tuple(found)
                found = []
            commit = field.decode().strip()
            continue
        if len(found) >= MAX_CHANGES:
            raise _too_much()
        old_mode, new_mode, old, new, status = field[1:].decode().split()
        path = next(fields, b"").decode("utf-8", "surrogateescape")
        found.append(
            PathChange(status, path, int(old_mode, 8), int(new_mode, 8), old, new)
        )
    if found:
        yield commit, tuple(found)


def commit_infos(reader: ObjectReader, oids: Sequence[str]) -> Iterator[CommitInfo]:
    """Yield the commits of ``oids``, in order."""
    for oid, found in zip(oids, reader.read_many(oids), strict=True):
        yield CommitInfo.parse(oid, found.data)


def is_ancestor(repository: Repository, older: str, newer: str) -> bool:
    """Say whether ``newer`` descends from ``older``, or is the same commit."""
    asked = ("merge-base", "--is-ancestor", older, newer)
    return repository.git.attempt(*asked)[0] == 0


def added_blobs(
    repository: Repository, tip: str, have: Sequence[str], *, below: int
) -> list[str]:
    """Return the blobs of fewer than ``below`` bytes that ``tip`` adds to ``have``.

    Every commit counts, merged ones too, not only what is left of them in ``tip``;
    of a merge, what it took from none of its parents. Commits of ``have`` that are
    not here are left out.
    """
    wanted = "".join([f"{tip}\n", *(f"^{commit}\n" for commit in have)])
    listed = repository.git.run(
        "rev-list", "--parents", "--ignore-missing", "--stdin", stdin=wanted.encode()
    ).decode()
    parents = {row[0]: row[1:] for row in map(str.split, listed.splitlines())}
    line = [
        (commit, old) for commit, olds in parents.items() for old in (olds or (None,))
    ]
    added: dict[str, list[set[str]]] = {}
    for commit, paths in changes(repository, line):
        blobs = {change.new for change in paths if change.new_mode in _FILES}
        added.setdefault(commit, []).append(blobs)
    found = {
        blob
        for commit, differences in added.items()
        if len(differences) == max(1, len(parents[commit]))
        for blob in set.intersection(*differences)
    }
    sizes = repository.git.run(
        "cat-file", "--batch-check=%(objectname) %(objectsize)",
        stdin="".join(f"{blob}\n" for blob in sorted(found)).encode(),
    )  # fmt: skip
    rows = (line.split() for line in sizes.decode().splitlines())
    return [oid for oid, size in rows if size.isdecimal() and int(size) < below]
