"""Which Sigstore signs: its services and its trusted root, as clients are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from sigstore.models import ClientTrustConfig


def read_config_file(path: Path | None) -> bytes | None:
    """Return the trust configuration in a file; None where none is named.

    Raises:
        InputError: It cannot be read.
    """
    if path is None:
        return None
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error


def read_trust_config(data: bytes | None) -> ClientTrustConfig:
    """Return a client's trust configuration; None for that of the public Sigstore.

    Raises:
        InputError: ``data`` is no such configuration.
        OutsideError: That of the public Sigstore cannot be fetched.
    """
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 slow

    if data is None:
        try:
            return ClientTrustConfig.production()
        except Exception as error:
            raise OutsideError(
                f"The public Sigstore's configuration cannot be had: {one_line(error)}",
                "--trust-config FILE  names a private Sigstore.",
                code="E_SIGSTORE",
            ) from error
    try:
        config = ClientTrustConfig.from_json(data.decode())
        _ = config.signing_config, config.trusted_root
    except Exception as error:
        raise InputError(
            f"That is no trust configuration of Sigstore: {one_line(error)}",
            "It is JSON with a trustedRoot and a signingConfig.",
        ) from error
    return config


def public_trusted_root() -> bytes:
    """Return the trusted root of the public Sigstore, as JSON.

    Raises:
        OutsideError: It cannot be fetched.
    """
    # Sigstore reads trusted roots from files, and has no public way to write one.
    inner = read_trust_config(None)._inner.trusted_root  # noqa: SLF001
    return json.dumps(json.loads(inner.to_json()), indent=2).encode() + b"\n"


def one_line(error: Exception) -> str:
    """Return one line about a foreign error, which may say nothing itself."""
    said = " ".join(str(error).split()) or " ".join(str(error.__cause__ or "").split())
    return f"{type(error).__name__}: {said}"[:300].rstrip(": ")
