"""Keys in files: written once, read with care, and used to sign.

- One ECDSA P-256 key per principal, in OpenSSH format, so that git and ssh-agent
  use the same file.
- A key file is made with mode 0600, never over another one, never through a
  symbolic link; one that other people can read is not used.
- Where the path names a ``.pub`` file, as git's ``user.signingkey`` may, the
  private key beside it is meant.

Which file to use, and how to ask for a passphrase, is for the caller to know.
"""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gitmodel.adapters.signing.private_key import (
    decode,
    generate,
    is_locked,
    is_openssh,
    public_half,
)
from gitmodel.adapters.signing.public_key import (
    ECDSA,
    PublicKey,
    declared_key,
    of_private,
    public_key,
)
from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    InputError,
    NotFoundError,
    OutsideError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = [
    "FileSigner",
    "PublicKey",
    "declared_key",
    "generate",
    "is_protected",
    "load",
    "public_key",
    "read_public",
    "write_new",
]

_LIMIT = 64 * 1024  # bytes of a key file


class FileSigner:
    """A ``domain.ports.Signer`` whose key was read from a file."""

    __slots__ = ("_private", "public_key")

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.public_key = of_private(private)

    @property
    def keyid(self) -> str:
        """SHA-256 hex of the public key's SubjectPublicKeyInfo DER."""
        return self.public_key.keyid

    @property
    def public(self) -> str:
        """The public key as one OpenSSH line without comment."""
        return self.public_key.ssh

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA signature of ``message``."""
        return self._private.sign(message, ECDSA[self.public_key.curve])


def write_new(path: Path, private: bytes, *, comment: str = "") -> PublicKey:
    """Write what ``generate`` made to ``path``, and its public key to ``<path>.pub``.

    Missing directories are made with mode 0700. Afterwards both files are on disk,
    or neither is.

    Raises:
        ConflictError: One of the two exists, be it as a symbolic link.
        InputError: ``private`` is no OpenSSH key, the comment is not printable, or
            the path ends in ``.pub``.
        OutsideError: The file system refuses.
    """
    if path.suffix == ".pub":
        raise InputError(f"{path} is the name of a public key; drop the .pub.")
    if not comment.isprintable():
        raise InputError("The comment of a key is one printable line.")
    public = public_half(private, str(path))
    line = f"{public.ssh} {comment}".rstrip() + "\n"
    try:
        _make_parents(path.parent)
        with ExitStack() as undo:
            _create(path, private, 0o600, undo)
            _create(path.with_name(path.name + ".pub"), line.encode(), 0o644, undo)
            undo.pop_all()
        _sync_directory(path.parent)
    except FileExistsError as error:
        raise ConflictError(
            f"{error.filename} exists; a key is never overwritten.",
            "gitmodel key list  shows your keys;  gitmodel key new --out FILE  makes "
            "another.",
        ) from error
    except OSError as error:
        raise OutsideError(f"Cannot write {path}: {error.strerror}.") from error
    return public


def load(path: Path, passphrase: Callable[[], bytes | None]) -> FileSigner:
    """Read a private key; ``passphrase`` is asked only if the key is encrypted.

    Raises:
        NotFoundError: There is no such file.
        GitmodelError: Others can read the file (``E_KEY_MODE``); the passphrase is
            wrong, or there is none (``E_PASSPHRASE``).
        InputError: It is not a private key, or not of a usable type.
        OutsideError: The file cannot be read.
    """
    path = path.with_suffix("") if path.suffix == ".pub" else path
    return FileSigner(decode(_read(path, private=True), str(path), passphrase))


def read_public(path: Path) -> PublicKey:
    """Read the public key at ``path``, or the public half of the private key there.

    An encrypted OpenSSH key needs no passphrase for this.

    Raises:
        NotFoundError: There is no such file.
        InputError: It holds no usable key.
        OutsideError: The file cannot be read.
    """
    data = _read(path, private=False)
    return public_half(data, str(path)) if is_openssh(data) else public_key(data)


def is_protected(path: Path) -> bool:
    """Say whether the OpenSSH private key at ``path`` needs a passphrase.

    Raises:
        NotFoundError: There is no such file.
        InputError: It holds no usable key.
        OutsideError: The file cannot be read.
    """
    data = _read(path, private=False)
    return is_openssh(data) and is_locked(data, str(path))


def _read(path: Path, *, private: bool) -> bytes:
    try:
        # Without O_NONBLOCK, a pipe that nobody writes to would block for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path} is not a regular file.", code="E_KEY")
            if private:
                _require_private(path, status)
            data = os.read(handle, _LIMIT + 1)
        finally:
            os.close(handle)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no key at {path}",
            f"gitmodel key new --out {path}  makes one;  "
            "gitmodel key list  shows yours.",
        ) from error
    except OSError as error:
        raise OutsideError(f"Cannot read {path}: {error.strerror}.") from error
    if len(data) > _LIMIT:
        raise InputError(f"{path} is too large to be a key.", code="E_KEY")
    return data


def _require_private(path: Path, status: os.stat_result) -> None:
    # Like ssh, leave the group alone where someone else owns the file: containers
    # get secrets as root:group 0440 and could not change that.
    mine = status.st_uid == os.geteuid()
    if status.st_mode & (0o077 if mine else 0o007):
        raise GitmodelError(
            f"Others can read {path} (mode {stat.S_IMODE(status.st_mode):04o}), "
            "so they may have a copy of the key.",
            f"Run `chmod 600 {shlex.quote(str(path))}`, or make a new key.",
            code="E_KEY_MODE",
        )


def _make_parents(directory: Path) -> None:
    if not directory.exists():
        _make_parents(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def _create(path: Path, data: bytes, mode: int, undo: ExitStack) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, mode)
    undo.callback(path.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
