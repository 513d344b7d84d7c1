"""Who made a signature, by the policy: one of its keys, or one of its identities.

The one place where both kinds of signer become a principal. A key is looked for in
the policy; a certificate is proved by the trusted root that the policy pins, and
only then is the identity that it names looked for, exactly as written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.signing import dsse
from gitmodel.errors import IntegrityError

if TYPE_CHECKING:
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.policy import Identity
    from gitmodel.formats.bundle import Bundle
    from gitmodel.registry.policies import Edition


@dataclass(frozen=True, slots=True)
class Author:
    """Who signed: a principal, by a key or identity with this id."""

    principal: str
    keyid: str


def author_of(bundle: Bundle, edition: Edition) -> Author:
    """Return who signed a bundle.

    Raises:
        IntegrityError: Nobody of this policy did (``E_UNTRUSTED_KEY``, ``E_IDENTITY``,
            ``E_TRUST_ROOT``), or the signature is wrong (``E_SIGNATURE``).
    """
    if bundle.keyless is not None:
        return _by_identity(bundle, bundle.keyless, edition)
    key = dsse.verify_bundle(bundle, edition.keys)
    return Author(edition.policy.owner_of(key.keyid) or "", key.keyid)


def model_author(bundle: Bundle, edition: Edition) -> tuple[Author, dict[str, Digest]]:
    """Return who signed a model, and the digests of its files.

    Raises:
        IntegrityError: As :func:`author_of`, or it is no model signature (``E_OMS``).
    """
    return author_of(bundle, edition), dsse.oms_resources(bundle)


def _by_identity(bundle: Bundle, raw: bytes, edition: Edition) -> Author:
    # Sigstore takes a third of a second to import; keys never need it.
    from gitmodel.adapters.signing.keyless import verify_keyless  # noqa: PLC0415

    if edition.trusted_root is None:
        raise IntegrityError(
            "The signature is by a certificate, and the policy pins no trusted root "
            "to judge it by, or its file is missing.",
            code="E_TRUST_ROOT",
        )
    proof = verify_keyless(raw, edition.trusted_root)
    if (proof.payload_type, proof.payload) != (bundle.payload_type, bundle.payload):
        raise IntegrityError(
            "What the certificate signs is not what the bundle says.",
            code="E_SIGNATURE",
        )
    identity = proof.identity
    owner = edition.policy.owner_of_identity(identity.issuer, identity.san)
    if owner is None:
        raise IntegrityError(
            f"The signature is by {identity}, who is not trusted here.",
            code="E_IDENTITY",
        )
    return Author(owner, identity.keyid)


def is_known(bundle: Bundle, edition: Edition) -> bool:
    """Say whether a bundle claims a signer of this policy; it proves nothing."""
    if bundle.keyless is None:
        return any(key.keyid == bundle.hint for key in edition.keys)
    claimed = _claimed(bundle)
    return claimed is not None and edition.policy.owner_of(claimed.keyid) is not None


def describe(bundle: Bundle) -> str:
    """Return whom a bundle claims as its signer, for a message."""
    if bundle.keyless is None:
        return f"key {bundle.hint[:8]}"
    return f"the identity {_claimed(bundle) or 'of nobody'}"


def _claimed(bundle: Bundle) -> Identity | None:
    from gitmodel.adapters.signing.certificate import claimed_identity  # noqa: PLC0415

    return claimed_identity(bundle)
