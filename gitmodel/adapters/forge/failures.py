"""What went wrong at a forge, told to people: whose fault, and what to do.

What a forge says is quoted, shortened and stripped of control characters; a token is
never in it, because requests are not quoted.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from gitmodel.errors import GitmodelError, NotFoundError, OutsideError

if TYPE_CHECKING:
    from email.message import Message

_UNAUTHORISED, _FORBIDDEN, _MISSING, _TOO_MANY = 401, 403, 404, 429
_SERVER = 500
_LONGEST_QUOTE = 200
_FIRST_DELAY = 0.5
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


def quote(text: object) -> str:
    """Return what a forge says, fit to be shown: one line, no controls, short."""
    plain = _CONTROL.sub(" ", str(text)).strip()
    return plain if len(plain) <= _LONGEST_QUOTE else plain[:_LONGEST_QUOTE] + "…"


def is_rate_limit(status: int, headers: Message, body: bytes) -> bool:
    """Say whether a forge has had enough requests for now."""
    if status == _TOO_MANY:
        return True
    return status == _FORBIDDEN and (
        headers.get("X-RateLimit-Remaining") == "0"
        or "Retry-After" in headers
        or b"secondary rate limit" in body
    )


def delay(headers: Message, attempt: int) -> float:
    """Return how many seconds a forge wants to be left alone."""
    after = headers.get("Retry-After", "")
    if after.isdigit():
        return float(after)
    reset = headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset") or ""
    if reset.isdigit() and headers.get("X-RateLimit-Remaining") == "0":
        # A point in time of the server's clock, read by its own.
        return max(0.0, float(reset) - _server_time(headers)) + 1
    return _FIRST_DELAY * 2.0 ** (attempt - 1)


def _server_time(headers: Message) -> float:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 rarely needed

    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        return time.time()


def failure(
    host: str,
    what: str,
    status: int,
    headers: Message,
    data: Any,
    *,
    limited: bool,
    has_token: bool,
    token_help: str,
) -> GitmodelError:
    """Return the error for an answer that is not good."""
    said = _said(data)
    if limited:
        seconds = int(delay(headers, 1))
        return OutsideError(
            f"{host} takes no more requests for {seconds} s{said}.",
            "Run the command again later, or use a token of its own.",
            code="E_FORGE_RATE_LIMIT",
        )
    if status == _UNAUTHORISED or (status == _FORBIDDEN and not has_token):
        why = "does not accept the token" if has_token else "asks for a token"
        return OutsideError(f"{host} {why}{said}.", token_help, code="E_FORGE_TOKEN")
    if status == _FORBIDDEN:
        return OutsideError(
            f"{host} does not let this token do {what}{said}.",
            token_help,
            code="E_FORGE_RIGHTS",
        )
    if status == _MISSING:
        return NotFoundError(
            f"{host} has nothing at {what}, or does not show it to this token.",
            "--repository OWNER/NAME names another repository.",
            token_help,
            code="E_FORGE_NOT_FOUND",
        )
    if status >= _SERVER:
        return OutsideError(
            f"{host} fails ({status}){said}.",
            "Run the command again later.",
            code="E_FORGE_DOWN",
        )
    return OutsideError(
        f"{host} refuses {what} ({status}){said}.", code="E_FORGE_REFUSED"
    )


def unreachable(host: str, error: Exception) -> OutsideError:
    """Return the error for no answer at all."""
    said = str(getattr(error, "reason", "")) or str(error)
    reason = quote(said or type(error).__name__)
    return OutsideError(
        f"{host} could not be asked: {reason}",
        "Look at the network, the proxy, and --api.",
        code="E_FORGE_UNREACHABLE",
    )


def nonsense(host: str, why: str) -> OutsideError:
    """Return the error for an answer that no such forge gives."""
    return OutsideError(
        f"The answer of {host} makes no sense: {quote(why)}",
        "--forge and --api say which forge it is, and where its API begins.",
        code="E_FORGE_ANSWER",
    )


def _said(data: Any) -> str:
    """Return what a forge gives as its reason, to follow a sentence."""
    if not isinstance(data, dict):
        return ""
    words = data.get("message") or data.get("error_description") or data.get("error")
    detail = data.get("errors")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        words = f"{words}: {detail[0].get('message') or detail[0].get('code') or ''}"
    return f": {quote(words).rstrip('.: ')}" if words else ""
