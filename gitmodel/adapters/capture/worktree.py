"""Whether a work tree holds anything that its commit does not.

- A tracked change, an untracked file that is not ignored, and either of them
  inside a checked-out submodule, make a work tree dirty.
- Clean filters are programs that the repository names, so none is run. A Git LFS
  file is compared with its pointer here instead. A file of any other filter
  (git-crypt, nbstripout) counts as changed once its time stamp has changed.
- Files marked ``assume-unchanged`` or ``skip-worktree`` are not looked at, as in
  ``git status``.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from gitmodel.adapters.capture.process import ask_git, reason
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_POINTER = 1024  # bytes; what git-lfs itself reads of a candidate
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n"
)
_ONLY_CONTENT_CHANGED = b"1 .M N..."
_GITLINK = b"160000 "


def is_dirty(top: Path, *, ignored: str | None = None) -> bool:
    """Say whether the work tree at ``top`` differs from its commit.

    Args:
        top: Root of the work tree.
        ignored: One path below ``top`` that does not count, such as a registry.

    Raises:
        OutsideError: git fails or cannot be run.
    """
    filters = _without_filters(top)
    where = [".", f":(exclude,literal){ignored}"] if ignored else []
    status = _output(
        top,
        "status",
        "--porcelain=v2",
        "-z",
        "--no-renames",
        "--untracked-files=normal",
        # "dirty": compare submodule commits in process; `_submodules` does the rest
        # without letting git start itself under the submodule's configuration.
        "--ignore-submodules=dirty",
        "--",
        *where,
        overrides=filters,
    )
    changes = [entry for entry in status.split(b"\0") if entry]
    if changes and not _only_smudged(top, changes):
        return True
    return any(is_dirty(module) for module in _submodules(top))


def _without_filters(top: Path) -> tuple[tuple[str, str], ...]:
    """Return overrides that switch off each configured filter driver."""
    listed = ask_git(
        top, "config", "-z", "--name-only", "--get-regexp", r"^filter\..*\."
    )
    names = {
        os.fsdecode(key).removeprefix("filter.").rpartition(".")[0]
        for key in listed.stdout.split(b"\0")
        if key
    }
    return tuple(
        (f"filter.{name}.{variable}", value)
        for name in sorted(names)
        for variable, value in (("clean", ""), ("process", ""), ("required", "false"))
    )


def _only_smudged(top: Path, changes: list[bytes]) -> bool:
    """Say whether each change is an LFS file that still matches its pointer."""
    if not all(change.startswith(_ONLY_CONTENT_CHANGED) for change in changes):
        return False
    # 1 XY sub mode-HEAD mode-index mode-worktree hash-HEAD hash-index path
    fields = [change.split(b" ", 8) for change in changes]
    if any(field[4] != field[5] for field in fields):
        return False
    paths = [field[8] for field in fields]
    attributes = _output(
        top, "check-attr", "-z", "--stdin", "filter", stdin=b"\0".join(paths) + b"\0"
    ).split(b"\0")[2::3]
    if any(value != b"lfs" for value in attributes):
        return False
    blobs = _small_blobs(top, [field[7] for field in fields])
    return all(
        _holds(top / os.fsdecode(path), blobs.get(field[7], b""))
        for path, field in zip(paths, fields, strict=True)
    )


def _small_blobs(top: Path, names: list[bytes]) -> dict[bytes, bytes]:
    """Read those of the blobs that are small enough to be LFS pointers."""
    listed = ask_git(top, "cat-file", "--batch-check", stdin=b"\n".join(names) + b"\n")
    if listed.returncode:
        return {}  # a partial clone without the blob: nothing is fetched to find out
    small = [
        line.split(b" ")[0]
        for line in listed.stdout.splitlines()
        if not line.endswith(b" missing")
        and int(line.rpartition(b" ")[2]) <= _LARGEST_POINTER
    ]
    lines = b"".join(name + b"\n" for name in small)
    data = _output(top, "cat-file", "--batch", stdin=lines)
    found: dict[bytes, bytes] = {}
    while data:
        head, _, rest = data.partition(b"\n")
        name, _, size = head.split(b" ")
        found[name], data = rest[: int(size)], rest[int(size) + 1 :]
    return found


def _holds(file: Path, pointer: bytes) -> bool:
    """Say whether ``file`` has exactly the bytes that ``pointer`` names."""
    match = _POINTER.fullmatch(pointer)
    if match is None or file.is_symlink() or not file.is_file():
        return False
    if file.stat().st_size != int(match[2]):
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == match[1].decode()


def _submodules(top: Path) -> list[Path]:
    """Return the roots of the submodules that are checked out."""
    index = _output(top, "ls-files", "--stage", "-z")
    links = [
        top / os.fsdecode(entry.partition(b"\t")[2])
        for entry in index.split(b"\0")
        if entry.startswith(_GITLINK)
    ]
    return [link for link in links if (link / ".git").exists()]


def _output(
    top: Path,
    *arguments: str,
    stdin: bytes = b"",
    overrides: tuple[tuple[str, str], ...] = (),
) -> bytes:
    answer = ask_git(top, *arguments, stdin=stdin, overrides=overrides)
    if answer.returncode:
        raise OutsideError(
            f"git {arguments[0]} failed in {top}: {reason(answer)}.",
            f"Run: git -C {top} status",
        )
    return answer.stdout
