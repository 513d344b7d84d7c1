"""The certificate authority: a token in, a certificate of ten minutes out.

The certificate carries the proof (SCT) of a certificate transparency log, whose key
is here too.
"""

from __future__ import annotations

import base64
import struct
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.sigstore_local.material import Authority, Extension, Key, pem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LIFE = timedelta(minutes=10)
_FULCIO = "1.3.6.1.4.1.57264.1"
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_EMAIL_ISSUERS = {"https://accounts.google.com", "https://oauth2.sigstore.dev/auth"}


class Fulcio:
    def __init__(
        self, oidc: Key, begin: datetime, end: datetime, now: Callable[[], datetime]
    ) -> None:
        self._oidc, self._now = oidc, now
        self.root = Authority.root("root", begin, end)
        self.intermediate = self.root.subordinate("intermediate", begin, end)
        self.ct_key = Key.new()
        #: Says whom to certify; tests replace it to certify something strange.
        self.names_of: Callable[[dict[str, Any]], list[x509.GeneralName]] = names_of

    @property
    def chain(self) -> list[x509.Certificate]:
        return [self.intermediate.certificate, self.root.certificate]

    def certify(self, body: dict[str, Any], bearer: str) -> dict[str, Any]:
        """Answer a request for a certificate."""
        claims = jwt.decode(
            bearer,
            self._oidc.private.public_key(),
            algorithms=["ES256"],
            audience="sigstore",
        )
        csr = x509.load_pem_x509_csr(
            base64.b64decode(body["certificateSigningRequest"])
        )
        assert csr.is_signature_valid
        public = csr.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        leaf = self._issue(public, claims)
        chain = [pem(certificate) for certificate in (leaf, *self.chain)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _issue(
        self, public: ec.EllipticCurvePublicKey, claims: dict[str, Any]
    ) -> x509.Certificate:
        begin = self._now().replace(microsecond=0)
        code_signing = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        issuer = claims["iss"]
        extensions: list[Extension] = [
            (code_signing, False),
            # The subject is empty, and then the alternative name must be critical.
            (x509.SubjectAlternativeName(self.names_of(claims)), True),
            (_extension("1", issuer.encode()), False),
            (_extension("8", core.UTF8String(issuer).dump()), False),
        ]
        draft = self.intermediate.leaf(public, begin, begin + LIFE, extensions)
        # The proof comes last: what it covers is the certificate without it.
        key = self.intermediate.key.private
        covered = draft.sign(key, hashes.SHA256()).tbs_certificate_bytes
        proof = core.OctetString(self._sct_list(covered, begin)).dump()
        draft = draft.add_extension(
            x509.UnrecognizedExtension(_SCT_LIST, proof), critical=False
        )
        return draft.sign(key, hashes.SHA256())

    def _sct_list(self, covered: bytes, when: datetime) -> bytes:
        stamp = int(when.timestamp()) * 1000
        signed = (
            struct.pack("!BBQH", 0, 0, stamp, 1)
            + self.intermediate.key.id
            + len(covered).to_bytes(3, "big")
            + covered
            + b"\0\0"
        )
        signature = self.ct_key.sign(signed)
        sct = (
            b"\0"
            + self.ct_key.id
            + struct.pack("!QH", stamp, 0)
            + b"\x04\x03"
            + struct.pack("!H", len(signature))
            + signature
        )
        return struct.pack("!HH", len(sct) + 2, len(sct)) + sct


def names_of(claims: dict[str, Any]) -> list[x509.GeneralName]:
    """Return whom a token's certificate names, as the real authority decides it."""
    if "job_workflow_ref" in claims:
        uri = f"https://github.com/{claims['job_workflow_ref']}"
        return [x509.UniformResourceIdentifier(uri)]
    if "ci_config_ref_uri" in claims:
        return [
            x509.UniformResourceIdentifier(f"https://{claims['ci_config_ref_uri']}")
        ]
    name = claims["email"] if claims["iss"] in _EMAIL_ISSUERS else claims["sub"]
    if "@" in name and "://" not in name:
        return [x509.RFC822Name(name)]
    return [x509.UniformResourceIdentifier(name)]


def _extension(number: str, value: bytes) -> x509.UnrecognizedExtension:
    oid = x509.ObjectIdentifier(f"{_FULCIO}.{number}")
    return x509.UnrecognizedExtension(oid, bytes(value))
