"""Public keys: ECDSA on P-256, P-384 and P-521, as OpenSSH lines or PEM.

- A key is known by its ``keyid``, computed here from the key itself and never
  taken from a document, a file name or a signature's hint.
- Each curve has one digest: SHA-256, SHA-384, SHA-512, in that order, as OpenSSH,
  Sigstore and Model Signing agree. A signature cannot choose a weaker one.
- Parsing is remembered: thousands of signatures come from a handful of keys.

Ed25519 and RSA keys are refused, because verifiers of model signatures refuse them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from gitmodel.errors import InputError

CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
ECDSA = {
    "P-256": ec.ECDSA(hashes.SHA256()),
    "P-384": ec.ECDSA(hashes.SHA384()),
    "P-521": ec.ECDSA(hashes.SHA512()),
}
SSH_TYPES = {f"ecdsa-sha2-nistp{size}" for size in (256, 384, 521)}

_LIMIT = 16 * 1024  # bytes of a public key
_REMEMBERED = 4096  # keys
_PEM = b"-----BEGIN PUBLIC KEY-----"
_SSH_TYPE = re.compile(r"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9-]+(?:@openssh\.com)?")
_HINT = "Run `gitmodel key new` to make an ECDSA P-256 key."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that verifies; made by ``public_key`` alone.

    Attributes:
        keyid: SHA-256 hex of the SubjectPublicKeyInfo DER.
        ssh: The key as one OpenSSH line without comment.
        pem: The key as SubjectPublicKeyInfo PEM, ending with a newline.
        curve: ``P-256``, ``P-384`` or ``P-521``.
    """

    keyid: str
    ssh: str
    pem: str
    curve: str

    @property
    def oms_hint(self) -> str:
        """What Model Signing calls this key: SHA-256 hex of the PEM text."""
        return hashlib.sha256(self.pem.encode()).hexdigest()

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Say whether ``signature``, DER, is this key's over ``message``."""
        try:
            _loaded(self.pem).verify(signature, message, ECDSA[self.curve])
        except InvalidSignature:
            return False
        return True

    def verify_raw(self, r: int, s: int, message: bytes) -> bool:
        """Say whether the pair ``r``, ``s`` is this key's signature of ``message``."""
        if r <= 0 or s <= 0:
            return False
        return self.verify(utils.encode_dss_signature(r, s), message)


def public_key(text: str | bytes) -> PublicKey:
    """Read a public key, PEM or one OpenSSH line; its comment is dropped.

    Raises:
        InputError: It is no such key; the message says what it is, where known.
    """
    return _parse(text.encode() if isinstance(text, str) else text)


def declared_key(keyid: str, text: str) -> PublicKey:
    """Read a public key that a document lists under ``keyid``.

    Raises:
        InputError: It is no key, or not the one that the keyid names
            (``E_KEYID``): a key with two names could count twice.
    """
    key = public_key(text)
    if key.keyid != keyid:
        raise InputError(
            f"The key listed as {keyid[:8]} is in truth {key.keyid[:8]}",
            code="E_KEYID",
        )
    return key


def of_private(private: ec.EllipticCurvePrivateKey) -> PublicKey:
    """Return the public half of a private key on one of the three curves."""
    return public_key(
        private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
    )


def unusable(what: str, kind: str) -> InputError:
    """Return the error that says why a key of ``kind`` cannot sign statements."""
    return InputError(
        f"{what} is of type {kind}; statements need ECDSA P-256, P-384 or P-521, "
        "which is what verifiers of model signatures accept.",
        _HINT,
        code="E_KEY_TYPE",
    )


@lru_cache(_REMEMBERED)
def _parse(data: bytes) -> PublicKey:
    data = data.strip()
    if len(data) > _LIMIT or b"PRIVATE KEY" in data:
        raise InputError(
            "That is not a public key"
            + (", but a private one." if b"PRIVATE KEY" in data else "."),
            "Give the file that ends in .pub.",
            code="E_KEY",
        )
    try:
        key = _load_one_pem(data) if _PEM in data else _load_line(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            "That is not a public key in PEM or OpenSSH form.",
            "A public key is one line that begins with ecdsa-sha2-nistp256.",
            code="E_KEY",
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        kind = type(key).__name__.removesuffix("PublicKey").lstrip("_")
        raise unusable("The public key", kind)
    if key.curve.name not in CURVES:
        raise unusable("The public key", key.curve.name)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(
        keyid=hashlib.sha256(der).hexdigest(),
        ssh=key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
        pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        curve=CURVES[key.curve.name],
    )


def _load_one_pem(data: bytes) -> object:
    if data.count(b"-----BEGIN") != 1:
        raise ValueError("not one key")
    return load_pem_public_key(data)


def _load_line(data: bytes) -> object:
    # The library would take the key out of a certificate or of a security key's
    # line and drop what else these say; for us both are keys that cannot sign.
    line = data.decode()
    kind = line.partition(" ")[0]
    if kind not in SSH_TYPES and _SSH_TYPE.fullmatch(kind):
        raise unusable("The public key", kind)
    if kind not in SSH_TYPES or "\n" in line:
        raise ValueError("not one line of OpenSSH")
    return load_ssh_public_key(data)


@lru_cache(_REMEMBERED)
def _loaded(pem: str) -> ec.EllipticCurvePublicKey:
    # Only ``_parse`` writes the PEM text of a PublicKey, and only of ECDSA keys.
    return cast("ec.EllipticCurvePublicKey", load_pem_public_key(pem.encode()))
