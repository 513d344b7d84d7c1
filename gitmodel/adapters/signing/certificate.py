"""Whom a Sigstore certificate names: its issuer and its one alternative name.

This reads; it proves nothing. ``keyless`` calls it once a certificate is verified.
A certificate that names two people, or whose issuer is said in two ways, is of use
to nobody: policy must not depend on which one a reader happens to take.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from cryptography import x509

from gitmodel.domain.policy import Identity
from gitmodel.errors import GitmodelError, IntegrityError

if TYPE_CHECKING:
    from gitmodel.formats.bundle import Bundle

_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_OLD_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_OTHER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
_UTF8 = 0x0C
_LONG = 0x80
_MAX_LENGTH_BYTES = 2


def identity_of(certificate: x509.Certificate) -> Identity:
    """Return whom a certificate names.

    Raises:
        IntegrityError: It names nobody, or more than one (``E_IDENTITY``).
    """
    try:
        extensions = certificate.extensions
        names = list(
            extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        )
        return Identity(_issuer(extensions), _name(names))
    except (ValueError, x509.ExtensionNotFound, GitmodelError) as error:
        raise IntegrityError(
            f"The certificate does not name one identity: {error}.", code="E_IDENTITY"
        ) from error


def claimed_identity(bundle: Bundle) -> Identity | None:
    """Return whom an unverified bundle's certificate names; None if nobody.

    Only good for saying what is wrong, never for saying who signed.
    """
    try:
        material = json.loads(bundle.keyless or b"{}")["verificationMaterial"]
        raw = base64.b64decode(material["certificate"]["rawBytes"])
        return identity_of(x509.load_der_x509_certificate(raw))
    except (ValueError, KeyError, TypeError, IntegrityError):
        return None


def _issuer(extensions: x509.Extensions) -> str:
    said = {
        _utf8(extension.value.value)
        if extension.oid == _ISSUER
        else extension.value.value.decode()
        for extension in extensions
        if extension.oid in {_ISSUER, _OLD_ISSUER}
        and isinstance(extension.value, x509.UnrecognizedExtension)
    }
    if len(said) != 1:
        raise ValueError(f"it states {len(said)} issuers")
    return said.pop()


def _name(names: list[x509.GeneralName]) -> str:
    match names:
        case [x509.RFC822Name() | x509.UniformResourceIdentifier() as name]:
            return name.value
        case [x509.OtherName() as name] if name.type_id == _OTHER_NAME:
            return _utf8(name.value)
        case [name]:
            raise ValueError(f"its name is a {type(name).__name__}")
        case _:
            raise ValueError(f"it has {len(names)} alternative names")


def _utf8(der: bytes) -> str:
    """Read a DER UTF8String, all of ``der``."""
    if len(der) < 2 or der[0] != _UTF8:  # noqa: PLR2004 tag and length
        raise ValueError("a field is no UTF8String")
    length, start = der[1], 2
    if length > _LONG:
        start += length - _LONG
        if length - _LONG > _MAX_LENGTH_BYTES:
            raise ValueError("a field is too long")
        length = int.from_bytes(der[2:start], "big")
    if start + length != len(der):
        raise ValueError("a field has another length than it says")
    return der[start:].decode()
