"""Keyless signatures: certificates of minutes, issued by a Sigstore to an identity.

- Verified offline, against the trusted root that the caller pins: no network, no
  home directory, no cache. Sigstore proves the certificate, its log entry and its
  time; whether that identity may sign is for our own policy, asked afterwards.
- Signed through Sigstore's own client. What a signature will name is foreseen from
  the token, and checked in the certificate that came.

``sigstore`` takes a third of a second to import, so only functions here import it:
whoever signs and verifies with keys never pays.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

from gitmodel.adapters.signing.certificate import identity_of
from gitmodel.adapters.signing.trust_config import (
    one_line,
    public_trusted_root,
    read_trust_config,
)
from gitmodel.errors import InputError, IntegrityError, OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography.x509 import Certificate
    from sigstore.sign import Signer
    from sigstore.verify import Verifier

    from gitmodel.adapters.signing.tokens import Token
    from gitmodel.domain.policy import Identity

_LIMIT = 1 << 20  # bytes; that of the public Sigstore has some ten thousand
_CONFIG_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_NO_SERVICES: dict[str, Any] = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "caUrls": [],
    "oidcUrls": [],
    "rekorTlogUrls": [],
    "tsaUrls": [],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a keyless bundle proves.

    Attributes:
        identity: Whom the certificate names.
        signed_at: When the certificate began; it lives for minutes.
    """

    identity: Identity
    payload_type: str
    payload: bytes
    signed_at: datetime


def verify_keyless(bundle: bytes, trusted_root: bytes) -> Proof:
    """Verify a bundle offline, by a trusted root in Sigstore's JSON.

    Raises:
        IntegrityError: The certificate is of another Sigstore, or the trusted root is
            unusable (``E_TRUST_ROOT``); it names nobody that we can tell apart
            (``E_IDENTITY``); the bundle is malformed or lacks proofs (``E_BUNDLE``);
            a signature or proof is wrong (``E_SIGNATURE``).
    """
    from sigstore.models import Bundle  # noqa: PLC0415 slow

    verifier, issuers = _verifier(trusted_root)
    try:
        found = Bundle.from_json(bundle)
    except Exception as error:
        # Hostile bytes go through half a dozen parsers, each with its own errors.
        raise _unusable(error) from error
    signing = found.signing_certificate
    try:
        payload_type, payload = verifier.verify_dsse(found, _Anyone())
    except Exception as error:
        if not _is_issued_by(signing, issuers):
            raise IntegrityError(
                "The certificate was issued by a Sigstore whose trusted root the "
                "policy does not pin.",
                code="E_TRUST_ROOT",
            ) from error
        raise IntegrityError(
            f"The keyless signature does not hold: {one_line(error)}",
            code="E_SIGNATURE",
        ) from error
    return Proof(
        identity=identity_of(signing),
        payload_type=payload_type,
        payload=payload,
        signed_at=signing.not_valid_before_utc,
    )


def read_trusted_root(data: bytes) -> bytes:
    """Return the trusted root in a file: itself, or what a trust config contains.

    Raises:
        InputError: It is no trusted root that signatures could be verified by.
    """
    if len(data) > _LIMIT:
        raise InputError(
            f"A trusted root has at most {_LIMIT:,} bytes; this is larger.",
            code="E_LIMIT",
        )
    try:
        found = json.loads(data)
        if isinstance(found, dict) and "trustedRoot" in found:
            data = json.dumps(found["trustedRoot"], indent=2).encode() + b"\n"
        _verifier(data)
    except IntegrityError as error:
        raise InputError(error.message) from error
    except ValueError as error:
        raise InputError(f"The trusted root is not JSON: {error}.") from error
    return data


class KeylessSigner:
    """A ``domain.ports.IdentitySigner`` with tokens from ``token``.

    Each signature is verified as the registry will, before anyone sees it.
    """

    def __init__(self, token: Callable[[], Token], config: bytes | None) -> None:
        self._fetch = token
        self._config = config
        self._token: Token | None = None
        self._signer: Signer | None = None
        self._open = ExitStack()
        self._root: bytes | None = None

    @property
    def identity(self) -> Identity:
        """Whom the certificates will name."""
        if self._token is None:
            self._token = self._fetch()
        return self._token.identity

    @property
    def keyid(self) -> str:
        """What stands for the identity."""
        return self.identity.keyid

    def trusted_root(self) -> bytes:
        """Return the trusted root of the Sigstore that signs, as a policy pins it.

        Raises:
            InputError: The trust configuration is none.
            OutsideError: That of the public Sigstore cannot be fetched.
        """
        if self._config is not None:
            return read_trusted_root(self._config)
        return read_trusted_root(public_trusted_root())

    def bind(self, trusted_root: bytes | None) -> None:
        """Be told by which trusted root the registry will judge the signatures.

        Raises:
            RefusedError: The registry pins none.
        """
        self._root = require_pinned(trusted_root)

    def envelope(self, payload: bytes) -> bytes:
        """Return a Sigstore bundle that signs an in-toto statement.

        Raises:
            OutsideError: The Sigstore does not answer, or refuses.
            RefusedError: It is not the one whose root was bound, or it certified
                another identity than the token's.
        """
        from sigstore.dsse import Statement  # noqa: PLC0415 slow

        expected = self.identity
        try:
            bundle = self._context().sign_dsse(Statement(payload)).to_json().encode()
        except (InputError, OutsideError):
            raise
        except Exception as error:
            raise OutsideError(
                f"Sigstore did not sign: {one_line(error)}",
                "The token may have expired, or be for another Sigstore:  "
                "--trust-config FILE",
                code="E_SIGSTORE",
            ) from error
        self._require_acceptable(bundle, expected)
        return bundle + b"\n"

    def _require_acceptable(self, bundle: bytes, expected: Identity) -> None:
        try:
            found = verify_keyless(bundle, require_pinned(self._root)).identity
        except IntegrityError as error:
            raise RefusedError(
                f"What Sigstore signed would not be accepted: {error.message}",
                "--trust-config FILE  must name the Sigstore that the policy pins.",
                code=error.code,
            ) from error
        if found != expected:
            raise RefusedError(
                f"The certificate names {found}, where the token promised {expected}.",
                "gitmodel policy add-principal NAME --identity ISSUER=SAN  takes what "
                "certificates name.",
                code="E_IDENTITY",
            )

    def _context(self) -> Signer:
        """Return the signer whose certificate serves this whole run."""
        from sigstore.sign import SigningContext  # noqa: PLC0415 slow

        if self._signer is None:
            if self._token is None:
                self._token = self._fetch()
            config = read_trust_config(self._config)
            context = SigningContext.from_trust_config(config)
            self._signer = self._open.enter_context(
                context.signer(self._token.credential)
            )
        return self._signer


def require_pinned(trusted_root: bytes | None) -> bytes:
    """Return the trusted root that a policy pins.

    Raises:
        RefusedError: It pins none.
    """
    if trusted_root is None:
        raise RefusedError(
            "The policy pins no trusted root of Sigstore, so nobody can sign without "
            "a key.",
            "gitmodel policy trust-root FILE  pins one.",
            code="E_TRUST_ROOT",
        )
    return trusted_root


class _Anyone:
    """A verification policy of Sigstore's that leaves the decision to ours."""

    def verify(self, cert: Certificate) -> None:
        """Let the certificate pass."""


@lru_cache(maxsize=8)
def _verifier(trusted_root: bytes) -> tuple[Verifier, tuple[Certificate, ...]]:
    """Return what verifies by a trusted root, and the certificates of its issuers."""
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 slow
    from sigstore.verify import Verifier  # noqa: PLC0415 slow

    try:
        # The one public way to read a trusted root that needs no file.
        config = ClientTrustConfig.from_json(
            json.dumps(
                {
                    "mediaType": _CONFIG_TYPE,
                    "trustedRoot": json.loads(trusted_root),
                    "signingConfig": _NO_SERVICES,
                }
            )
        )
        root = config.trusted_root
        return Verifier(trusted_root=root), tuple(root.get_fulcio_certs())
    except Exception as error:
        raise IntegrityError(
            f"The trusted root is not one that Sigstore can use: {one_line(error)}",
            code="E_TRUST_ROOT",
        ) from error


def _is_issued_by(signing: Certificate, issuers: Iterable[Certificate]) -> bool:
    for issuer in issuers:
        try:
            signing.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _unusable(error: Exception) -> IntegrityError:
    return IntegrityError(
        f"The keyless bundle cannot be used: {one_line(error)}", code="E_BUNDLE"
    )
