"""Asks any web server for JSON."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.http import LOOPBACK, Request
from gitmodel.adapters.metrics.answers import BrokenSourceError, ask, part, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.sources import WebSource


def fetch(source: WebSource, environment: Mapping[str, str]) -> Any:
    """Return the JSON at an address, or the part of it that is asked for.

    Args:
        source: What to ask.
        environment: Has the values of headers that name a variable.

    Raises:
        NoDataError: The value is null.
        BrokenSourceError: There is no good answer, or no such value in it.
    """
    headers = {"Accept": "application/json"}
    for header in source.headers:
        if header.value_from_env is None:
            headers[header.key] = header.value or ""
        else:
            _require_private(source.url, header.key)
            headers[header.key] = _secret(header.value_from_env, environment)
    request = Request(
        url=source.url,
        method=source.method,
        headers=headers,
        body=b"" if source.method == "POST" else None,
    )
    answer = ask(request, source.timeout)
    if not 200 <= answer.status < 300:  # noqa: PLR2004 what "good" is in HTTP
        raise BrokenSourceError(f"HTTP status {answer.status}")
    return part(read(answer.body), source.json_path)


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable, "")
    if not value:
        raise BrokenSourceError(f"the environment variable {variable} is not set")
    # Looked at here, for http.client would quote it.
    if not (value.isascii() and value.isprintable()):
        raise BrokenSourceError(
            f"the environment variable {variable} holds what no header can"
        )
    return value


def _require_private(url: str, key: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise BrokenSourceError(
            f"{key} is secret, and the address is not encrypted: use https"
        )
