"""Finds credentials in text: few patterns, each of which hardly ever errs.

What is once in a history stays in every clone. So this looks for what issuers mark as
theirs, and for private keys; it does not guess at passwords by their randomness.

A line that says ``gitleaks:allow`` or ``pragma: allowlist secret``, as other tools know
them, is left alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: Larger texts are data; nobody pastes a token there by hand.
MAX_BYTES = 1 << 20
_ALLOWED = (b"gitleaks:allow", b"pragma: allowlist secret")
_PATTERNS = (
    ("a private key", rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ("an AWS access key", rb"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("a GitHub token", rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40})"),
    ("a GitLab token", rb"\bglpat-[\w-]{20}"),
    ("a Hugging Face token", rb"\bhf_[A-Za-z0-9]{34}\b"),
    ("a Slack token", rb"\bxox[abeoprs]-[0-9]{8,}-[\w-]{10,}"),
    ("a Google API key", rb"\bAIza[\w-]{35}"),
    ("an OpenAI key", rb"\bsk-(?:proj|svcacct|admin)-[\w-]{40}"),
    ("an Anthropic key", rb"\bsk-ant-[\w-]{40}"),
    ("a PyPI token", rb"\bpypi-AgE[\w-]{50}"),
    ("an npm token", rb"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a Stripe key", rb"\b[rs]k_live_[A-Za-z0-9]{20}"),
    ("a JSON Web Token", rb"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
)
_ANY = re.compile(
    b"|".join(
        b"(?P<p%d>%s)" % (number, pattern)
        for number, (_, pattern) in enumerate(_PATTERNS)
    )
)


class Secret(NamedTuple):
    """Where something that looks like a credential stands; never what it is."""

    line: int
    what: str


def find_secrets(data: bytes) -> tuple[Secret, ...]:
    """Return one finding for each line that holds a credential.

    Nothing is found in what is no text, or has more than ``MAX_BYTES``.
    """
    if len(data) > MAX_BYTES or b"\0" in data or _ANY.search(data) is None:
        return ()
    found = []
    for number, line in enumerate(data.split(b"\n"), 1):
        match = _ANY.search(line)
        if match is not None and not any(mark in line for mark in _ALLOWED):
            found.append(
                Secret(number, _PATTERNS[int((match.lastgroup or "p0")[1:])][0])
            )
    return tuple(found)
