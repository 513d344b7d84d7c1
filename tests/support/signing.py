"""Keys that are made on the spot, for tests that sign."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from gitmodel.adapters.signing.keys import FileSigner

CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}


def a_private_key(curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """Return a new private key on ``curve``."""
    return ec.generate_private_key(CURVES[curve])


def a_signer(curve: str = "P-256") -> FileSigner:
    """Return a signer with a new key on ``curve``."""
    return FileSigner(a_private_key(curve))
