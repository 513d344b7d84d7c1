"""Sigstore bundle v0.3: one DSSE envelope, one signature, by a key or a certificate.

- Read strictly: exact media type, exactly one signature, canonical base64, no
  duplicate or unknown members, at most ``LIMIT`` bytes.
- The hint only helps to find a key. It proves nothing, no more than the name of
  the file: ``adapters.signing.dsse`` decides who signed.
- Transparency log entries and timestamps are let through unread: they grant
  nothing to a signature made with a managed key.

A keyless bundle carries a certificate and its proofs instead of a hint. What they
prove is for Sigstore to judge, from the exact bytes, which are kept.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.canonical_json import loads, members

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

#: Bytes of a bundle that are read at most, unless the caller allows more: room
#: for an OMS statement about some 20,000 files.
LIMIT = 4 * 1024 * 1024

_CODE = "E_BUNDLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A signed payload; ``Bundle.from_bytes(b.to_bytes(), name) == b``.

    Attributes:
        payload_type: Media type of the payload; it is covered by the signature.
        payload: The bytes that were signed, wrapped by ``pae``.
        signature: DER ECDSA signature of ``pae(payload_type, payload)``.
        hint: What the signer calls the key; "" for no hint.
        keyless: The bytes of a bundle that carries a certificate; None for a key.
    """

    payload_type: str
    payload: bytes
    signature: bytes
    hint: str
    keyless: bytes | None = None

    @classmethod
    def from_bytes(cls, data: bytes, name: str, *, limit: int = LIMIT) -> Bundle:
        """Read a bundle; ``name`` is the file that messages speak of.

        Raises:
            IntegrityError: It is not such a bundle (``E_BUNDLE``).
        """
        if len(data) > limit:
            raise IntegrityError(
                f"{name} is no signature: it is larger than {limit:,} bytes.",
                code=_CODE,
            )
        try:
            return _bundle(loads(data), data)
        except InputError as error:
            raise IntegrityError(
                f"{name} is not a signature that gitmodel can read: {error.message}",
                code=_CODE,
            ) from error

    def to_bytes(self) -> bytes:
        """Return the bundle as JSON for people and git to read, with a newline."""
        if self.keyless is not None:
            return self.keyless
        document = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "publicKey": {"hint": self.hint},
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [{"sig": base64.b64encode(self.signature).decode()}],
            },
        }
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding, the bytes that get signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _bundle(value: object, data: bytes) -> Bundle:
    top = members(
        value, "the bundle", ("mediaType", "verificationMaterial", "dsseEnvelope")
    )
    if top["mediaType"] != MEDIA_TYPE:
        raise InputError(f"its media type is not {MEDIA_TYPE}.")
    envelope = members(
        top["dsseEnvelope"], "dsseEnvelope", ("payload", "payloadType", "signatures")
    )
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise InputError("it does not hold exactly one signature.")
    signature = members(signatures[0], "the signature", ("sig",), ("keyid",))
    payload_type = envelope["payloadType"]
    if not isinstance(payload_type, str) or not payload_type:
        raise InputError("payloadType is not a string.")
    material = top["verificationMaterial"]
    keyless = isinstance(material, dict) and "certificate" in material
    if keyless:
        _require_certificate(material)
    return Bundle(
        payload_type=payload_type,
        payload=_base64(envelope["payload"], "payload"),
        signature=_base64(signature["sig"], "sig"),
        hint="" if keyless else _hint(material),
        keyless=data if keyless else None,
    )


def _require_certificate(value: object) -> None:
    material = members(
        value,
        "verificationMaterial",
        ("certificate", "tlogEntries"),
        ("timestampVerificationData",),
    )
    found = members(material["certificate"], "the certificate", ("rawBytes",))
    _base64(found["rawBytes"], "the certificate")
    entries = material["tlogEntries"]
    if not isinstance(entries, list) or len(entries) != 1:
        raise InputError("it does not hold exactly one transparency log entry.")


def _hint(value: Any) -> str:
    material = members(
        value,
        "verificationMaterial",
        ("publicKey",),
        ("tlogEntries", "timestampVerificationData"),
    )
    # Model signing before 1.1 wrote rawBytes and keyDetails, and no hint.
    key = members(
        material["publicKey"], "publicKey", (), ("hint", "rawBytes", "keyDetails")
    )
    hint = key.get("hint", "")
    if not isinstance(hint, str):
        raise InputError("the hint is not a string.")
    return hint


def _base64(value: object, what: str) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"{what} is not a string.")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{what} is not base64.") from error
    # The decoder ignores the unused bits of the last character.
    if not data or base64.b64encode(data).decode() != value:
        raise InputError(f"{what} is not base64 in its canonical form.")
    return data
