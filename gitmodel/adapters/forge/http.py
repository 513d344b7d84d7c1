"""A small HTTP client for JSON APIs that hold a secret and may be hostile.

- The token goes to the API that was named and to no other host: no address that a
  server sends is ever followed, but for a redirect on the very same host.
- Every answer is bounded in size and time; waiting for a forge that has had enough
  is bounded too.
- Only what can be repeated without harm is repeated: reading, and replacing.

Why not one client library per forge: ``docs/decisions/0009-one-client-for-forges.md``.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.parse
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.forge import failures
from gitmodel.adapters.http import (
    LOOPBACK,
    Limits,
    Request,
    Response,
    TooLongError,
    exchange,
)
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from email.message import Message

MAX_ANSWER = 16 * 2**20  # bytes
MAX_PAGES = 100
PAGE_SIZE = 100
_TIMEOUT = 20.0  # seconds without a byte
_DEADLINE = 60.0  # seconds for one answer
_PATIENCE = 60.0  # seconds of waiting for a forge, in one request
_ATTEMPTS = 4
_REDIRECTS = frozenset({301, 302, 307, 308})
_BUSY = frozenset({429, 500, 502, 503, 504})
_REPEATABLE = frozenset({"GET", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status but a redirect."""

    status: int
    headers: Message
    data: Any


@dataclass(slots=True, kw_only=True)
class Api:
    """The API of one forge.

    Attributes:
        base: Where it begins, without a slash at the end.
        secret: Headers that carry the token; none of them is ever shown.
        headers: What else each request carries.
        token_help: What the token must be allowed to do, for people.
        pause: Waits for some seconds.
    """

    base: str
    secret: Mapping[str, str]
    headers: Mapping[str, str]
    token_help: str
    pause: Callable[[float], None] = time.sleep
    _context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.base)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise InputError(f"{self.base!r} is no address of an API.")
        if parts.username or parts.password:
            raise InputError("An API's address must not hold a name or password.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise InputError(
                f"{self.base} is not encrypted: a token would be sent in the clear.",
                "Use https.",
                code="E_FORGE_INSECURE",
            )
        self._context = ssl.create_default_context()

    @property
    def host(self) -> str:
        """Whom errors name."""
        return urllib.parse.urlsplit(self.base).netloc

    def get(self, path: str, **query: str | int) -> Any:
        """Return what is at ``path``."""
        return self.request("GET", path, query=query).data

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a JSON object; return the answer."""
        return self.request(method, path, body=body).data

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield the objects of a list that comes in pages, each once.

        Pages are counted here: the addresses that servers give are not followed.

        Raises:
            OutsideError: There are more than anybody can look at.
        """
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            answer = self.request("GET", path, query={**query, "page": page})
            if not isinstance(answer.data, list):
                raise failures.nonsense(self.host, f"{path} is no list")
            fresh = 0
            for entry in answer.data:
                if not isinstance(entry, dict):
                    raise failures.nonsense(self.host, f"{path} holds no objects")
                key = str(entry.get("id", id(entry)))
                if key not in seen:
                    seen.add(key)
                    fresh += 1
                    yield entry
            if not fresh or not _has_more(answer, len(answer.data), len(seen)):
                return
        raise OutsideError(
            f"{self.host} has more than {MAX_PAGES} pages at {path}", code="E_LIMIT"
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a request, again if that can help; return a good answer.

        Raises:
            OutsideError: The forge cannot be reached, refuses, is too busy for too
                long, or answers what is no JSON.
            NotFoundError: There is no such thing, or the token may not see it.
        """
        url = f"{self.base}{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        found = self._persist(method, url, body)
        data = self._read_json(found)
        if not 200 <= found.status < 300:  # noqa: PLR2004 what "good" is in HTTP
            raise failures.failure(
                self.host,
                f"{method} {path}",
                found.status,
                found.headers,
                data,
                limited=_is_limited(found),
                token_help=self.token_help,
                has_token=bool(self.secret),
            )
        return Answer(found.status, found.headers, data)

    def _persist(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> Response:
        """Send a request, and again while that may help; return the last answer."""
        waited = 0.0
        attempt = 1
        while True:
            found = self._follow(method, url, body)
            again = _is_limited(found) or (
                found.status in _BUSY and method in _REPEATABLE
            )
            delay = failures.delay(found.headers, attempt)
            if not again or attempt == _ATTEMPTS or waited + delay > _PATIENCE:
                return found
            waited += delay
            attempt += 1
            self.pause(delay)

    def _follow(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> Response:
        """Send one request, and follow one redirect, if it stays on the host."""
        found = self._once(method, url, body)
        if found.status not in _REDIRECTS:
            return found
        target = urllib.parse.urljoin(url, found.headers.get("Location", ""))
        here, there = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
        same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
        if not same or method != "GET":
            raise OutsideError(
                f"{self.host} sends {method} requests on to {there.netloc or '?'}, and "
                "the token is not for there.",
                "Name the address that answers itself, with --api or --repository.",
                code="E_FORGE_REDIRECT",
            )
        again = self._once(method, target, body)
        if again.status in _REDIRECTS:
            raise OutsideError(
                f"{self.host} sends requests round in circles.", code="E_FORGE_REDIRECT"
            )
        return again

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> Response:
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Accept": "application/json",
            **self.headers,
            **self.secret,
            **({"Content-Type": "application/json"} if data is not None else {}),
        }
        request = Request(url=url, method=method, headers=headers, body=data)
        limits = Limits(silence=_TIMEOUT, total=_DEADLINE, size=MAX_ANSWER)
        try:
            return exchange(request, limits, self._context)
        except TooLongError as error:
            raise failures.nonsense(self.host, str(error)) from error
        except (OSError, HTTPException, ValueError) as error:
            raise failures.unreachable(self.host, error) from error

    def _read_json(self, found: Response) -> Any:
        if not found.body.strip():
            return None
        try:
            return json.loads(found.body)
        except (ValueError, RecursionError) as error:
            if found.status not in range(200, 300):
                return None  # proxies explain themselves in HTML
            kind = found.headers.get_content_type()
            raise failures.nonsense(self.host, f"it is {kind}, not JSON") from error


def _is_limited(found: Response) -> bool:
    return failures.is_rate_limit(found.status, found.headers, found.body)


def _has_more(answer: Answer, size: int, seen: int) -> bool:
    """Say whether there may be another page, as each forge tells it."""
    if "Link" in answer.headers:
        return 'rel="next"' in answer.headers["Link"]
    total = answer.headers.get("X-Total-Count") or answer.headers.get("X-Total") or ""
    if total.isdigit():
        return seen < int(total)
    return size >= PAGE_SIZE
