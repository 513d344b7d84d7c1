"""Which secrets of this machine a registry may send, and where to.

A trigger names a variable and an address. Whoever can push could name any of both, and
have the variable sent home; so the pair counts only if somebody at this machine says
the same: ``gitmodel.allow`` in git's configuration, as ``VARIABLE@https://host``.
"""

from __future__ import annotations

import shlex
import urllib.parse
from typing import TYPE_CHECKING

from gitmodel.errors import RefusedError
from gitmodel.registry.allowed import KEY

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository


def require_allowed_secret(repository: Repository, variable: str, url: str) -> None:
    """Insist that an environment variable's value may go to the host of ``url``.

    Raises:
        RefusedError: It may not (``E_NOT_ALLOWED``).
    """
    wanted = f"{variable}@{_origin(url)}"
    _, listed = repository.git.attempt(
        "config", "--no-includes", "-z", "--get-all", KEY
    )
    if wanted.encode() not in listed.split(b"\0"):
        raise RefusedError(
            f"This machine does not let a registry send {variable} to {_origin(url)}",
            f"git config --add {KEY} {shlex.quote(wanted)}  allows it, in this clone "
            "alone.",
            code="E_NOT_ALLOWED",
        )


def _origin(url: str) -> str:
    """Return scheme, host and port, spelt in the one way that people would."""
    parts = urllib.parse.urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
