"""A Sigstore of our own on loopback; the client's code runs against it unmodified.

One HTTP server on a random port of 127.0.0.1 is everything at once: an OIDC issuer, the
certificate authority with its certificate transparency, the log in both of its
versions, and a timestamp authority. Everything is made up of real signatures, so
what it certifies is verified after it has been stopped.
"""

from __future__ import annotations

from tests.support.sigstore_local.instance import GITHUB, LocalSigstore

__all__ = ["GITHUB", "LocalSigstore"]
