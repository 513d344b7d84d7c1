"""SSHSIG, the signature format of ``ssh-keygen -Y``, and the SSH wire encoding.

Specification: PROTOCOL.sshsig and RFC 4251 §5. The blob is read strictly: one
spelling per value, nothing left over. Its armor may be folded anywhere, as other
tools do.

This module knows bytes, not keys: ``adapters.signing.commit`` does the maths.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import NoReturn

from gitmodel.errors import InputError, IntegrityError

NAMESPACE_GIT = "git"

_MAGIC = b"SSHSIG"
_VERSION = 1
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_WIDTH = 70  # as ssh-keygen folds it
_LIMIT = 16 * 1024  # characters; an RSA-16384 signature fits


def string(data: bytes) -> bytes:
    """Return an SSH string: a 32-bit length, then ``data``."""
    return len(data).to_bytes(4) + data


def mpint(number: int) -> bytes:
    """Return an SSH multiple-precision integer; ``number`` is not negative."""
    # One bit more than it has, so that the sign bit stays clear; 0 has no bytes.
    length = number.bit_length() // 8 + 1 if number else 0
    return string(number.to_bytes(length))


class Reader:
    """Takes SSH wire values off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            InputError: There are fewer left.
        """
        end = self._at + count
        if end > len(self._data):
            _refuse("it ends too early")
        found = self._data[self._at : end]
        self._at = end
        return found

    def uint32(self) -> int:
        """Return the next 32-bit number."""
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        """Return the next string."""
        return self.take(self.uint32())

    def text(self) -> str:
        """Return the next string, as ASCII.

        Raises:
            InputError: It is not ASCII.
        """
        try:
            return self.string().decode("ascii")
        except UnicodeDecodeError:
            _refuse("a name in it is not ASCII")

    def mpint(self) -> int:
        """Return the next integer.

        Raises:
            InputError: It is negative, or longer than it need be.
        """
        data = self.string()
        number = int.from_bytes(data)
        if mpint(number) != string(data):
            _refuse("a number in it is not written in the shortest way")
        return number

    def finish(self) -> None:
        """Say that nothing may be left.

        Raises:
            InputError: Something is left.
        """
        if self._at != len(self._data):
            _refuse("bytes follow its end")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSignature:
    """A parsed SSHSIG blob; ``SshSignature.from_armor(s.to_armor()) == s``.

    Attributes:
        public_key: Wire form of the key that claims to have signed.
        namespace: What the signature is for, such as ``git``.
        hash_algorithm: Digest of the message that was signed, such as ``sha512``.
        algorithm: Signature algorithm, such as ``ecdsa-sha2-nistp256``.
        signature: What the algorithm made; for ECDSA the mpints r and s.
    """

    public_key: bytes
    namespace: str
    hash_algorithm: str
    algorithm: str
    signature: bytes

    @classmethod
    def from_armor(cls, text: str) -> SshSignature:
        """Read the armored form, as it stands in a commit.

        Raises:
            IntegrityError: It is not an SSH signature (``E_SIGNATURE``).
        """
        try:
            return _parse(_dearmor(text))
        except InputError as error:
            raise IntegrityError(
                f"The SSH signature is malformed: {error.message}",
                code="E_SIGNATURE",
            ) from error

    def to_armor(self) -> str:
        """Return the armored form, ending with a newline."""
        blob = (
            _MAGIC
            + _VERSION.to_bytes(4)
            + string(self.public_key)
            + string(self.namespace.encode())
            + string(b"")
            + string(self.hash_algorithm.encode())
            + string(string(self.algorithm.encode()) + string(self.signature))
        )
        body = base64.b64encode(blob).decode()
        lines = [body[at : at + _WIDTH] for at in range(0, len(body), _WIDTH)]
        return "\n".join([_BEGIN, *lines, _END, ""])


def signed_data(namespace: str, hash_algorithm: str, digest: bytes) -> bytes:
    """Return the bytes that the key signs for a message with this ``digest``."""
    return (
        _MAGIC
        + string(namespace.encode())
        + string(b"")
        + string(hash_algorithm.encode())
        + string(digest)
    )


def _parse(blob: bytes) -> SshSignature:
    reader = Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC:
        _refuse("it does not begin with SSHSIG")
    if (version := reader.uint32()) != _VERSION:
        _refuse(f"its version is {version}, not {_VERSION}")
    public_key = reader.string()
    namespace = reader.text()
    if reader.string():
        _refuse("its reserved field is in use")
    hash_algorithm = reader.text()
    inner = Reader(reader.string())
    reader.finish()
    algorithm, signature = inner.text(), inner.string()
    inner.finish()
    return SshSignature(
        public_key=public_key,
        namespace=namespace,
        hash_algorithm=hash_algorithm,
        algorithm=algorithm,
        signature=signature,
    )


def _dearmor(text: str) -> bytes:
    if len(text) > _LIMIT:
        _refuse(f"it is longer than {_LIMIT:,} characters")
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:  # noqa: PLR2004
        _refuse("it does not stand between its BEGIN and END lines")
    joined = "".join(lines[1:-1])
    try:
        blob = base64.b64decode(joined, validate=True)
    except (binascii.Error, ValueError):
        _refuse("it is not base64")
    if base64.b64encode(blob).decode() != joined:
        _refuse("it is not base64 in its canonical form")
    return blob


def _refuse(why: str) -> NoReturn:
    raise InputError(f"{why}.", code="E_SIGNATURE")
