"""Keeps what can be worked out again: believed only if it is surely this user's own.

One file per name, in a directory of this clone. Whatever is odd about a file is as if
there were none, and what cannot be written is not kept; nobody hears about either.

- Read: a plain file of this user's that nobody else may write, not too large, from
  this edition of the program, whose first line is the digest of the rest. So a damaged
  or torn file counts for nothing, and neither does what somebody else put there.
- Written: beside its place, then renamed. Who reads meanwhile, or is killed, sees all
  of the old or all of the new.
- Bounded: files that were written longest ago go first.

Somebody who can write as this user can lie in it, as they can in git's own files.
Nothing that a signature has to answer for may be taken from here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_FILE = 16 << 20  # bytes
MAX_TOTAL = 64 << 20  # bytes of all files
# Neither a link nor a pipe that somebody put there does any harm.
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Cache:
    """Values of JSON by name, in one directory."""

    def __init__(
        self, directory: Path, edition: str, *, read_only: bool = False
    ) -> None:
        """Use ``directory``; what another ``edition`` wrote is not read."""
        self._directory = directory
        self._edition = edition
        self._read_only = read_only

    def get(self, name: str) -> Any:
        """Return what was kept under a name; None for nothing that can be believed."""
        try:
            data = _read(self._path(name))
            digest, _, body = data.partition(b"\n")
            if digest.decode() != hashlib.sha256(body).hexdigest():
                return None
            edition, said, value = json.loads(body)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return value if (edition, said) == (self._edition, name) else None

    def put(self, name: str, value: object) -> None:
        """Keep a value under a name, in place of what was there."""
        body = json.dumps([self._edition, name, value], separators=(",", ":")).encode()
        if self._read_only or len(body) > MAX_FILE - 100:
            return
        path = self._path(name)
        # A name of its own: another process may be writing the same.
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            try:
                descriptor = os.open(beside, _NEW, 0o600)
                with open(descriptor, "wb") as file:  # noqa: PTH123 (a descriptor)
                    file.write(hashlib.sha256(body).hexdigest().encode())
                    file.write(b"\n" + body)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
            self._shrink()

    def _path(self, name: str) -> Path:
        # By digest: names of models are not names of files everywhere.
        return self._directory / hashlib.sha256(name.encode()).hexdigest()[:32]

    def _shrink(self) -> None:
        found = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process shrinks as well
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
        excess = sum(size for _, size, _ in found) - MAX_TOTAL
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            Path(path).unlink(missing_ok=True)
            excess -= size


def _read(path: Path) -> bytes:
    """Return the bytes of a file that nobody else can have written.

    Raises:
        OSError: It is none, or not here.
    """
    descriptor = os.open(path, _OLD)
    with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
        found = os.fstat(descriptor)
        mine = found.st_uid in (os.getuid(), 0) and not found.st_mode & _OTHERS_WRITE
        if not (stat.S_ISREG(found.st_mode) and mine and found.st_size <= MAX_FILE):
            raise PermissionError(path)
        return file.read(MAX_FILE)
