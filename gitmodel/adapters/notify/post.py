"""One POST to somebody who should know, and what came of it, in words for people.

The address may be a secret: messages name the host, and nothing behind it.
"""

from __future__ import annotations

import urllib.parse
from http.client import HTTPException
from typing import TYPE_CHECKING

from gitmodel.adapters.http import LOOPBACK, Limits, Request, TooLongError, exchange
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_ANSWER = 64 * 2**10  # bytes
_GOOD = range(200, 300)
_REDIRECTS = range(300, 400)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    is_secret: bool = False,
) -> str:
    """Send ``body``; return what the other side said, such as ``202 from HOST``.

    Args:
        url: Of http or https.
        body: What is sent.
        headers: They go to that host alone.
        seconds: For the whole exchange.
        is_secret: Whether headers or the address must not be read on the way.

    Raises:
        InputError: The address is none, or a secret would be sent in the clear.
        OutsideError: There was no answer, or none that is good.
    """
    host = _host(url, is_secret=is_secret)
    request = Request(url=url, method="POST", headers=headers, body=body)
    limits = Limits(silence=seconds, total=seconds, size=_MAX_ANSWER)
    try:
        status = exchange(request, limits).status
    except TooLongError as error:
        raise OutsideError(f"The answer of {host} has no end.") from error
    except (OSError, HTTPException) as error:
        raise OutsideError(f"{host} cannot be told: {_why(error)}") from error
    except ValueError as error:
        # Neither the address nor a header may show up in what is said.
        raise InputError(f"The address of {host} or a header is malformed.") from error
    if status in _REDIRECTS:
        raise OutsideError(
            f"{host} sends the event elsewhere ({status}), and it is not followed.",
            "Name the address that takes it itself.",
        )
    if status not in _GOOD:
        raise OutsideError(f"{host} did not take it ({status}).")
    return f"{status} from {host}"


def _host(url: str, *, is_secret: bool) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        host, netloc = parts.hostname, parts.netloc
    except ValueError:
        host, netloc, parts = None, "", urllib.parse.SplitResult("", "", "", "", "")
    if parts.scheme not in {"http", "https"} or not host or "@" in netloc:
        raise InputError("The address is none of http or https, or has a user in it.")
    if is_secret and parts.scheme == "http" and host not in LOOPBACK:
        raise InputError(
            f"{netloc} is not encrypted: a secret would be sent in the clear.",
            "Use https.",
        )
    return netloc


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return "it takes too long"
    said = getattr(reason, "strerror", None) or type(reason).__name__
    return str(said)
