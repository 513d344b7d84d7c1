"""A PKCS#11 token in software, with one P-256 key in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

PIN = "648219"
LABEL = "models"
KEY_ID = 2
URI = f"hsm:{KEY_ID}?label={LABEL}"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def module() -> Path | None:
    """Return the PKCS#11 module of SoftHSM, if it is installed with its tool."""
    found = (Path(path) for path in _MODULES)
    path = next((path for path in found if path.exists()), None)
    return path if shutil.which("softhsm2-util") else None


def make_token(directory: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    """Make a token that holds ``key``; return what SOFTHSM2_CONF must name."""
    tokens = directory / "tokens"
    tokens.mkdir()
    config = directory / "softhsm2.conf"
    config.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\n"
        "log.level = ERROR\n"
    )
    pem = directory / "imported.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    identifier = f"{KEY_ID:02x}"
    for command in (
        ("--init-token", "--free", "--label", LABEL, "--so-pin", "0000"),
        ("--import", pem, "--token", LABEL, "--label", "signing", "--id", identifier),
    ):
        subprocess.run(
            ["softhsm2-util", *command, "--pin", PIN],
            env={"PATH": os.environ["PATH"], "SOFTHSM2_CONF": str(config)},
            capture_output=True,
            check=True,
        )
    pem.unlink()
    return config
