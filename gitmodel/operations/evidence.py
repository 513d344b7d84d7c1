"""What people point at as evidence: a file of theirs, or something elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from gitmodel.adapters.capture.data import hash_path
from gitmodel.domain.attestation import Evidence
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

_URI = re.compile(
    r"(?P<uri>[A-Za-z][A-Za-z0-9+.-]*://\S+?)(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s]*:[^/\s]*@")


def evidence_of(text: str) -> Evidence:
    """Return the evidence that ``text`` names; a file is hashed, and kept by nobody.

    Args:
        text: ``URI``, ``URI@sha256:<64 hex>``, or the path of a file or a directory,
            of which the name and the digest are recorded.

    Raises:
        InputError: There is no such file, or the URI carries a password.
        ConflictError: A file changed while it was being read.
        OutsideError: A file cannot be read.
    """
    if _PASSWORD.match(text):
        raise InputError(
            "The address of the evidence carries a password.",
            "An entry is never edited: leave the password out of the address.",
        )
    if match := _URI.fullmatch(text):
        digest = match["digest"]
        return Evidence(match["uri"], Digest.parse(digest) if digest else None)
    path = Path(text)
    if not path.exists():
        raise InputError(
            f"The evidence {text} does not exist.",
            "Name a file, a directory, or a URI such as https://…",
        )
    return Evidence(path.resolve().name, hash_path(path))
