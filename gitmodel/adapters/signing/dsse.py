"""Signs and verifies DSSE envelopes: gitmodel's statements, and whole models.

- Who signed is decided by the signature alone. A bundle's hint picks the key to
  try; a hint that lies makes the signature wrong, nothing more.
- ``verify_statement`` and ``verify_oms`` also check the payload type, which is
  why callers should prefer them to ``verify_bundle``.

What a signer is allowed to say is for the policy, not for this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.signing.public_key import public_key
from gitmodel.domain.ports import IdentitySigner
from gitmodel.errors import IntegrityError
from gitmodel.formats import oms
from gitmodel.formats.bundle import Bundle, pae
from gitmodel.formats.statement import PAYLOAD_TYPE, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.ports import DocumentSigner, Signer


def sign_bundle(
    signer: Signer, payload_type: str, payload: bytes, hint: str | None = None
) -> Bundle:
    """Sign ``payload``; the hint is the keyid unless the format wants another."""
    return Bundle(
        payload_type=payload_type,
        payload=payload,
        signature=signer.sign(pae(payload_type, payload)),
        hint=signer.keyid if hint is None else hint,
    )


def verify_bundle(bundle: Bundle, keys: Iterable[PublicKey]) -> PublicKey:
    """Return which of ``keys`` signed; the payload type is not looked at.

    Raises:
        IntegrityError: The key is none of ``keys`` (``E_UNTRUSTED_KEY``), or the
            signature is not its own (``E_SIGNATURE``).
    """
    if bundle.keyless is not None:
        raise IntegrityError(
            "The signature is by a certificate, where one by a key belongs.",
            code="E_UNTRUSTED_KEY",
        )
    hint = bundle.hint
    candidates = _named(hint, tuple(keys))
    message = pae(bundle.payload_type, bundle.payload)
    for key in candidates:
        if key.verify(bundle.signature, message):
            return key
    if hint and candidates:
        raise IntegrityError(
            f"The signature that names key {hint[:8]!r} was not made by it, "
            "or what it signs was changed.",
            code="E_SIGNATURE",
        )
    raise IntegrityError(
        f"The signature names key {hint[:8]!r}, which is not trusted here."
        if hint
        else "None of the trusted keys made the signature.",
        code="E_UNTRUSTED_KEY",
    )


def sign_statement(signer: DocumentSigner, statement: Statement) -> Bundle:
    """Sign an in-toto statement."""
    payload = statement.to_bytes()
    if isinstance(signer, IdentitySigner):
        return _keyless(signer, payload)
    return sign_bundle(signer, PAYLOAD_TYPE, payload)


def verify_statement(
    bundle: Bundle, keys: Iterable[PublicKey]
) -> tuple[PublicKey, Statement]:
    """Return who signed and what they said.

    Raises:
        IntegrityError: As ``verify_bundle``, or the payload is not a statement.
    """
    return verify_bundle(bundle, keys), Statement.from_bundle(bundle)


def oms_bundle(
    signer: DocumentSigner, name: str, files: Iterable[tuple[str, Digest]]
) -> Bundle:
    """Sign every file of the model directory ``name``, as Model Signing does.

    Raises:
        InputError: There is no file, a name occurs twice or leaves the directory.
    """
    payload = oms.statement(name, files)
    if isinstance(signer, IdentitySigner):
        return _keyless(signer, payload)
    hint = public_key(signer.public).oms_hint
    return sign_bundle(signer, PAYLOAD_TYPE, payload, hint)


def verify_oms(
    bundle: Bundle, keys: Iterable[PublicKey]
) -> tuple[PublicKey, dict[str, Digest]]:
    """Return who signed, and the digests of the files; ``oms.compare`` uses them.

    Raises:
        IntegrityError: As ``verify_bundle``, or the payload is not a model statement
            that gitmodel can check (``E_OMS``).
    """
    key = verify_bundle(bundle, keys)
    return key, oms_resources(bundle)


def oms_resources(bundle: Bundle) -> dict[str, Digest]:
    """Return the digests of the files in a bundle whose signature was verified.

    Raises:
        IntegrityError: The payload is not a model statement (``E_OMS``).
    """
    if bundle.payload_type != PAYLOAD_TYPE:
        raise IntegrityError(
            f"The signed payload is {bundle.payload_type!r:.80}, not {PAYLOAD_TYPE}.",
            code="E_OMS",
        )
    return oms.resources_of(bundle.payload)


def _keyless(signer: IdentitySigner, payload: bytes) -> Bundle:
    return Bundle.from_bytes(signer.envelope(payload), "The new signature")


def _named(hint: str, keys: Sequence[PublicKey]) -> Sequence[PublicKey]:
    if not hint:
        return keys
    return [key for key in keys if key.keyid == hint] or [
        key for key in keys if key.oms_hint == hint
    ]
