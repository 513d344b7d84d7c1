"""Keys and certificates: what a Sigstore is made of."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

PURPOSES = (
    "digital_signature", "content_commitment", "key_encipherment",
    "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
    "encipher_only", "decipher_only",
)  # fmt: skip
Extension = tuple[x509.ExtensionType, bool]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True)
class Key:
    """A P-256 key."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> Key:
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def spki(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.spki).digest()

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True)
class Authority:
    """A key with a certificate that may sign others."""

    key: Key
    certificate: x509.Certificate

    @classmethod
    def root(cls, name: str, begin: datetime, end: datetime) -> Authority:
        key = Key.new()
        draft = _draft(_name(name), key.private.public_key(), begin, end)
        return cls(key, _finish(draft, _name(name), key, key, ca=1))

    def subordinate(self, name: str, begin: datetime, end: datetime) -> Authority:
        """Return an authority whose certificates may only sign code."""
        key = Key.new()
        draft = _draft(_name(name), key.private.public_key(), begin, end)
        # As in real intermediates, and never critical: webpki insists.
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        draft = draft.add_extension(usage, critical=False)
        return Authority(
            key, _finish(draft, self.certificate.subject, key, self.key, ca=0)
        )

    def leaf(
        self,
        public: ec.EllipticCurvePublicKey,
        begin: datetime,
        end: datetime,
        extensions: Sequence[Extension],
        name: str | None = None,
    ) -> x509.CertificateBuilder:
        """Return what is ready to be signed, or to get one extension more."""
        subject = _name(name) if name else x509.Name([])
        draft = _draft(subject, public, begin, end)
        for extension, critical in extensions:
            draft = draft.add_extension(extension, critical)
        return _common(draft, self.certificate.subject, public, self.key, ca=None)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "gitmodel-test"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _draft(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _common(
    draft: x509.CertificateBuilder,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_key: Key,
    *,
    ca: int | None,
) -> x509.CertificateBuilder:
    allowed = {"digital_signature"} if ca is None else {"key_cert_sign", "crl_sign"}
    usage = x509.KeyUsage(**{purpose: purpose in allowed for purpose in PURPOSES})
    if ca is not None:
        draft = draft.add_extension(
            x509.BasicConstraints(ca=True, path_length=ca), True
        )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        issuer_key.private.public_key()
    )
    return (
        draft.issuer_name(issuer)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(authority, critical=False)
    )


def _finish(
    draft: x509.CertificateBuilder,
    issuer: x509.Name,
    key: Key,
    issuer_key: Key,
    *,
    ca: int,
) -> x509.Certificate:
    public = key.private.public_key()
    ready = _common(draft, issuer, public, issuer_key, ca=ca)
    return ready.sign(issuer_key.private, hashes.SHA256())
