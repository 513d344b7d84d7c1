"""What all sources of measurements have in common: no data, nonsense, and JSON."""

from __future__ import annotations

import re
import urllib.parse
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.http import Limits, Request, Response, TooLongError, exchange
from gitmodel.errors import InputError
from gitmodel.formats import measured_json
from gitmodel.formats.json_path import parse_json_path

if TYPE_CHECKING:
    from datetime import timedelta

_MOST = 4 << 20  # bytes of an answer
_LONGEST = 500
_UNFIT = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


class NoDataError(Exception):
    """The source works, and has nothing to say; the message is a clause."""


class BrokenSourceError(Exception):
    """The source is broken, cannot be reached, or talks nonsense; a clause."""


def line(text: object) -> str:
    """Return what a source says, fit to be shown: one short line, no controls."""
    plain = _UNFIT.sub(" ", str(text)).strip()
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"


def ask(request: Request, timeout: timedelta) -> Response:
    """Send a request, whose whole exchange may take ``timeout``; return the answer.

    Raises:
        BrokenSourceError: There is none, it is too long, or it leads elsewhere.
    """
    seconds = timeout.total_seconds()
    try:
        answer = exchange(request, Limits(silence=seconds, total=seconds, size=_MOST))
    except TooLongError as error:
        raise BrokenSourceError(f"the answer is too long: {error}") from error
    except TimeoutError as error:
        raise BrokenSourceError(f"no answer within {seconds:g} seconds") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None)
        if isinstance(reason, TimeoutError):
            why = f"no answer within {seconds:g} seconds"
        else:
            why = f"no answer: {reason or str(error) or type(error).__name__}"
        raise BrokenSourceError(why) from error
    if 300 <= answer.status < 400:  # noqa: PLR2004 what redirects are in HTTP
        there = urllib.parse.urlsplit(answer.headers.get("Location", ""))
        raise BrokenSourceError(
            f"the answer leads to {there.netloc or 'another address'}, and "
            "redirects are not followed"
        )
    return answer


def read(data: bytes) -> Any:
    """Return the JSON that a source wrote.

    Raises:
        BrokenSourceError: It is none.
    """
    if not data.strip():
        raise BrokenSourceError("it says nothing at all")
    try:
        return measured_json.read(data)
    except InputError as error:
        raise BrokenSourceError(error.message) from error


def part(document: Any, json_path: str | None) -> Any:
    """Return the value at a path, or all.

    Raises:
        NoDataError: It is null.
        BrokenSourceError: It is not there, or the path is none.
    """
    found = document
    if json_path is not None:
        try:
            found = parse_json_path(json_path).find(document)
        except InputError as error:
            raise BrokenSourceError(error.message) from error
        except LookupError as error:
            raise BrokenSourceError(str(error.args[0])) from error
    if found is None:
        raise NoDataError("the value is null")
    return found
