"""Private keys as text: made, and decoded with or without a passphrase.

OpenSSH keys are preferred, because they tell their type and their public half in
the clear: a wrong type is refused before anyone types a passphrase. PEM keys, as
made by openssl for Model Signing, are decoded as well.

Files, their modes and their places are the business of ``keys``.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from gitmodel.adapters.signing.public_key import (
    CURVES,
    SSH_TYPES,
    public_key,
    unusable,
)
from gitmodel.errors import GitmodelError, InputError
from gitmodel.formats.sshsig import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.adapters.signing.public_key import PublicKey

    Passphrase = Callable[[], bytes | None]

_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_END = b"-----END OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"


def generate(passphrase: bytes | None = None) -> bytes:
    """Return a new ECDSA P-256 private key as OpenSSH text.

    Raises:
        InputError: The passphrase is empty.
    """
    if passphrase == b"":
        raise InputError("A passphrase cannot be empty.")
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM,
        PrivateFormat.OpenSSH,
        BestAvailableEncryption(passphrase) if passphrase else NoEncryption(),
    )


def is_openssh(data: bytes) -> bool:
    """Say whether ``data`` looks like a private key in OpenSSH format."""
    return _BEGIN in data


def public_half(private: bytes, name: str) -> PublicKey:
    """Return the public key that an OpenSSH private key carries in the clear.

    ``name`` is the file that messages speak of.

    Raises:
        InputError: It is not an OpenSSH private key, or not of a usable type.
    """
    kind, _, blob = _envelope(private, name)
    return public_key(f"{kind} {base64.b64encode(blob).decode()}")


def is_locked(private: bytes, name: str) -> bool:
    """Say whether an OpenSSH private key is protected by a passphrase.

    Raises:
        InputError: It is not an OpenSSH private key, or not of a usable type.
    """
    return _envelope(private, name)[1] != "none"


def decode(
    data: bytes, name: str, passphrase: Passphrase
) -> ec.EllipticCurvePrivateKey:
    """Return the key in ``data``; ``passphrase`` is asked only if it is encrypted.

    Raises:
        GitmodelError: The passphrase is wrong, or there is none (``E_PASSPHRASE``).
        InputError: It is not a private key, or not of a usable type.
    """
    secret = None
    try:
        if is_openssh(data):
            _, cipher, _ = _envelope(data, name)
            if cipher != "none":
                secret = _ask(name, passphrase)
            key: object = load_ssh_private_key(data, secret)
        else:
            try:
                key = load_pem_private_key(data, None)
            except TypeError:  # the library's word for "it is encrypted"
                secret = _ask(name, passphrase)
                key = load_pem_private_key(data, secret)
    except UnsupportedAlgorithm as error:
        raise InputError(
            f"The key in {name} uses an algorithm that is unknown here: {error}.",
            code="E_KEY_TYPE",
        ) from error
    except (ValueError, InvalidTag) as error:
        if secret is None:
            raise _malformed(name) from error
        raise GitmodelError(
            f"The passphrase does not open {name}", code="E_PASSPHRASE"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        kind = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
        raise unusable(f"The key in {name}", kind)
    if key.curve.name not in CURVES:
        raise unusable(f"The key in {name}", key.curve.name)
    return key


def _envelope(data: bytes, name: str) -> tuple[str, str, bytes]:
    """Return an OpenSSH key's type, cipher and public half, which are in the clear."""
    try:
        body = data.partition(_BEGIN)[2].partition(_END)[0]
        reader = Reader(base64.b64decode(b"".join(body.split()), validate=True))
        if reader.take(len(_MAGIC)) != _MAGIC:
            raise _malformed(name)
        cipher, _kdf, _options = reader.text(), reader.text(), reader.string()
        if reader.uint32() != 1:
            raise _malformed(name)
        blob = reader.string()
        kind = Reader(blob).text()
    except (binascii.Error, InputError) as error:
        raise _malformed(name) from error
    if kind not in SSH_TYPES:
        raise unusable(f"The key in {name}", f"{kind:.60}")
    return kind, cipher, blob


def _ask(name: str, passphrase: Passphrase) -> bytes:
    secret = passphrase()
    if not secret:
        raise GitmodelError(
            f"{name} is protected by a passphrase, and none was given.",
            "Run the command in a terminal, where gitmodel can ask for it.",
            code="E_PASSPHRASE",
        )
    return secret


def _malformed(name: str) -> InputError:
    return InputError(
        f"{name} does not hold a private key in OpenSSH or PEM form.",
        "Run `gitmodel key new` to make one.",
        code="E_KEY",
    )
