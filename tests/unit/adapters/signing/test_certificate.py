from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gitmodel.adapters.signing.certificate import identity_of
from gitmodel.domain.policy import Identity
from gitmodel.errors import IntegrityError

OID = x509.ObjectIdentifier
NEW, OLD = OID("1.3.6.1.4.1.57264.1.8"), OID("1.3.6.1.4.1.57264.1.1")
MACHINE = OID("1.3.6.1.4.1.57264.1.7")
ISSUER = "https://login.example.com"
ADA = x509.RFC822Name("ada@example.com")
ISSUED = ((NEW, b"\x0c" + bytes([len(ISSUER)]) + ISSUER.encode()),)


def _certificate(
    names: list[x509.GeneralName], issuers: tuple[tuple[OID, bytes], ...] = ISSUED
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    draft = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(minutes=10))
    )
    if names:
        draft = draft.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for oid, value in issuers:
        draft = draft.add_extension(x509.UnrecognizedExtension(oid, value), False)
    return draft.sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    ("name", "san"),
    [
        (ADA, "ada@example.com"),
        (x509.UniformResourceIdentifier("https://ci/x@main"), "https://ci/x@main"),
        (x509.OtherName(MACHINE, b"\x0c\x03bot"), "bot"),
        (x509.OtherName(MACHINE, b"\x0c\x81\x80" + b"b" * 128), "b" * 128),
    ],
)
def test_every_kind_of_name_is_read(name: x509.GeneralName, san: str) -> None:
    assert identity_of(_certificate([name])) == Identity(ISSUER, san)


def test_the_old_spelling_of_the_issuer_is_read() -> None:
    old = ((OLD, ISSUER.encode()),)
    assert identity_of(_certificate([ADA], old)).issuer == ISSUER
    assert identity_of(_certificate([ADA], (*old, *ISSUED))).issuer == ISSUER


@pytest.mark.parametrize(
    ("names", "issuers"),
    [
        ([], ISSUED),
        ([ADA, x509.RFC822Name("eve@example.com")], ISSUED),
        ([x509.DNSName("example.com")], ISSUED),
        ([x509.OtherName(OID("1.2.3"), b"\x0c\x03bot")], ISSUED),
        ([x509.OtherName(MACHINE, b"\x16\x03bot")], ISSUED),
        ([ADA], ()),
        ([ADA], (*ISSUED, (OLD, b"https://evil.example"))),
        ([ADA], ((OLD, b""),)),
        ([ADA], ((OLD, b"https://x\nhttps://y"),)),
        ([ADA], ((NEW, b"\x0c"),)),
        ([ADA], ((NEW, b"\x0c\x04bot"),)),
        ([ADA], ((NEW, b"\x0c\x02bot"),)),
        ([ADA], ((NEW, b"\x0c\x83\x00\x00\x03bot"),)),
    ],
)
def test_who_is_not_named_once_is_nobody(
    names: list[x509.GeneralName], issuers: tuple[tuple[OID, bytes], ...]
) -> None:
    with pytest.raises(IntegrityError) as caught:
        identity_of(_certificate(names, issuers))
    assert caught.value.code == "E_IDENTITY"
