"""The signature header of a raw commit object: taken out and put in.

Git signs the commit without this header and stores the signature in ``gpgsig``,
or in ``gpgsig-sha256`` where object ids are SHA-256; the commit's own tree id
tells which. Git drops *every* header that begins with ``gpgsig`` before it
verifies and joins what two of them hold; a commit with any other such header
means different things to different readers, and is refused.
"""

from __future__ import annotations

import re

from gitmodel.errors import IntegrityError

_TREE = re.compile(rb"tree ([0-9a-f]+)\n")
_HEADERS = {40: b"gpgsig", 64: b"gpgsig-sha256"}
_SIGNATURES = re.compile(rb"(?m:^)gpgsig[^\n]*\n(?: [^\n]*\n)*")


def split_signature(raw: bytes) -> tuple[bytes, str | None]:
    """Return the bytes that were signed, and the signature or None.

    Raises:
        IntegrityError: ``raw`` is no commit, or bears two signatures or one that
            its object format does not use (``E_COMMIT``).
    """
    head, body, header = _parts(raw)
    found = [*_SIGNATURES.finditer(head)] if b"\ngpgsig" in head else []
    if not found:
        return raw, None
    start, end = found[0].span()
    if len(found) > 1 or not head.startswith(header + b" ", start):
        raise IntegrityError(
            "The commit bears more than its one signature header; "
            "git and gitmodel would not read the same.",
            code="E_COMMIT",
        )
    text = head[start + len(header) + 1 : end].replace(b"\n ", b"\n")
    # Foreign signatures may hold any bytes; they are not verified, only carried.
    return head[:start] + head[end:] + body, text.decode("utf-8", "surrogateescape")


def with_signature(raw: bytes, armored: str) -> bytes:
    r"""Return the unsigned commit ``raw`` with its signature header.

    ``split_signature(with_signature(raw, s)) == (raw, s)`` if ``s`` ends in ``\n``.

    Raises:
        IntegrityError: ``raw`` is no commit, or is signed already (``E_COMMIT``).
    """
    head, body, header = _parts(raw)
    if b"\ngpgsig" in head:
        raise IntegrityError("The commit is signed already.", code="E_COMMIT")
    signature = armored.removesuffix("\n").encode("utf-8", "surrogateescape")
    return head + header + b" " + signature.replace(b"\n", b"\n ") + b"\n" + body


def _parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the headers, the rest, and the name of the signature header."""
    tree = _TREE.match(raw)
    end = raw.find(b"\n\n") + 1
    header = _HEADERS.get(len(tree[1])) if tree else None
    if header is None or not end or b"\0" in raw[:end]:
        raise IntegrityError("The object is not a commit.", code="E_COMMIT")
    return raw[:end], raw[end:], header
