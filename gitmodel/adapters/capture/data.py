r"""Which data a model was trained on, named by digest (R013, R014, R032).

``--data`` takes ``NAME=PATH``, ``NAME=URI@sha256:<64 hex>``, and either with
``NAME@VERSION``. What ends in ``@sha256:…`` is a URI and is not read; everything
else is a path and is.

- The digest of a file is the SHA-256 of its bytes.
- The digest of a directory is the SHA-256 of its sorted lines
  ``<sha256 hex>  <path relative to the directory, with "/">\n``, one for each
  file, hidden ones included; with coreutils, inside the directory:
  ``find . -type f -printf '%P\0' | xargs -0 sha256sum | LC_ALL=C sort | sha256sum``
- So order, time stamps, modes, empty directories and the platform do not count.
- The path itself may be a symbolic link. Inside a directory links, sockets, pipes
  and devices are refused, and names that other platforms cannot write.

Nothing is copied, and no URI is fetched.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.ports import Silent
from gitmodel.errors import ConflictError, InputError, OutsideError

if TYPE_CHECKING:
    from gitmodel.domain.ports import Progress

_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._/-]{0,99})"
    r"(?:@(?P<version>[A-Za-z0-9][A-Za-z0-9._:+-]{0,99}))?"
)
_URI = re.compile(r"(?P<uri>\S+)@(?P<digest>sha256:.*)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]*:[^/?#]*@")
# Control characters, and the lone surrogates that stand for bytes outside UTF-8.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_CHUNK = 1 << 20  # bytes
_FORMS = "Write --data NAME=PATH, or --data NAME=URI@sha256:<64 hex>."


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRef:
    """One data set of a training run.

    Attributes:
        name: What people call it, such as ``transactions``.
        digest: Of its bytes; see the module for directories.
        uri: Where it was: the path or the address as it was given.
        version: The data set's own version; None where it has none.
    """

    name: str
    digest: Digest
    uri: str
    version: str | None = None

    def to_dict(self) -> dict[str, str]:
        """Return the form that an item of ``training.data`` has."""
        found = {"name": self.name}
        if self.version is not None:
            found["version"] = self.version
        return found | {"digest": str(self.digest), "uri": self.uri}


def parse_data(text: str, *, progress: Progress | None = None) -> DataRef:
    """Read one value of ``--data``, hashing what it names if that is a path.

    Raises:
        InputError: ``text`` has none of the forms, the path does not exist, or the
            directory holds what has no digest.
        ConflictError: A file changed while it was being read.
        OutsideError: A file cannot be read.
    """
    key, equals, value = text.partition("=")
    name = _NAME.fullmatch(key)
    if not equals or not value or name is None:
        raise InputError(f"{text!r} names no data set.", _FORMS)
    if _UNWRITABLE.search(value):
        raise InputError(f"{text!r} holds characters that no manifest can.", _FORMS)
    remote = _URI.fullmatch(value)
    if remote is not None:
        uri, digest = remote["uri"], Digest.parse(remote["digest"])
        if _PASSWORD.match(uri):
            raise InputError(
                f"The address of {name['name']} carries a password.",
                "A manifest is never edited: leave the password out of the address.",
            )
    elif _SCHEME.match(value):
        raise InputError(
            f"{value!r} is not a local file, and names no digest.",
            f"Write {key}={value}@sha256:<64 hex>; nothing is downloaded to hash it.",
        )
    else:
        uri, digest = value, hash_path(Path(value), progress=progress)
    return DataRef(name=name["name"], version=name["version"], digest=digest, uri=uri)


def hash_path(path: Path, *, progress: Progress | None = None) -> Digest:
    """Return the digest of a file, or of a directory, as the module defines them.

    Raises:
        InputError: ``path`` does not exist, or something in it has no digest.
        ConflictError: A file changed while it was being read.
        OutsideError: A file cannot be read.
    """
    listener = progress or Silent()
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _hash_tree(path, listener)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is neither a file nor a directory.")
        listener.start(status.st_size, str(path))
        try:
            return Digest(_hash_file(path, listener, follow=True))
        finally:
            listener.finish()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{error.filename or path} does not exist.", _FORMS) from error
    except OSError as error:
        raise OutsideError(
            f"{error.filename or path} cannot be read: {error.strerror}."
        ) from error


def _hash_tree(root: Path, progress: Progress) -> Digest:
    files = _files(root)
    if not files:
        raise InputError(f"{root} holds no files.")
    progress.start(sum(files.values()), str(root))
    # Hashing lets go of the interpreter lock, so threads do help.
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1))
    try:
        digests = pool.map(
            lambda name: _hash_file(root / name, progress, follow=False), files
        )
        lines = [
            f"{digest}  {name}\n".encode()
            for name, digest in zip(files, digests, strict=True)
        ]
    finally:
        pool.shutdown(cancel_futures=True)
        progress.finish()
    return Digest.of(b"".join(sorted(lines)))


def _files(root: Path) -> dict[str, int]:
    """Return the size of each file below ``root``, by its path with "/"."""
    sizes: dict[str, int] = {}
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        with os.scandir(root / parent) as entries:
            for entry in entries:
                name = parent + _portable(entry, root)
                if entry.is_symlink():
                    raise InputError(
                        f"{root / name} is a symbolic link, which has no digest.",
                        "Replace it by what it points to, or name that as a data set.",
                    )
                if entry.is_dir():
                    waiting.append(f"{name}/")
                elif entry.is_file():
                    sizes[name] = entry.stat(follow_symlinks=False).st_size
                else:
                    raise InputError(
                        f"{root / name} is neither a file nor a directory."
                    )
    return sizes


def _portable(entry: os.DirEntry[str], root: Path) -> str:
    name = entry.name
    if "\\" in name or _UNWRITABLE.search(name):
        raise InputError(
            f"{root} holds a file called {name!r}, which not every platform can write.",
            "Rename it without backslashes and control characters, in UTF-8.",
        )
    return name


def _hash_file(file: Path, progress: Progress, *, follow: bool) -> str:
    """Return the SHA-256 of a regular file, in hex, reading it once."""
    # O_NONBLOCK: a pipe put here since the file was listed must not hang us.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(file, flags if follow else flags | os.O_NOFOLLOW)
    with open(descriptor, "rb", buffering=0) as stream:  # noqa: PTH123 (a descriptor)
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise InputError(f"{file} is neither a file nor a directory.")
        hasher = hashlib.sha256()
        buffer = memoryview(bytearray(min(before.st_size + 1, _CHUNK)))
        while count := stream.readinto(buffer):
            hasher.update(buffer[:count])
            progress.advance(count)
        after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ConflictError(
            f"{file} changed while it was being read.",
            "Wait until nothing writes to it, and run the command again.",
        )
    return hasher.hexdigest()
