"""One HTTP exchange with somebody who may be slow, wrong or hostile.

- It ends: each wait is bounded, and so is the whole, whatever the other side does
  between the first byte of its status line and the last of its body.
- It is small: what is longer than the limit is not read to its end.
- It goes where it was sent: a redirect is an answer like others, never followed.
- TLS is verified, against the machine's authorities.
"""

from __future__ import annotations

import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.cutoff import Cutoff
from gitmodel.adapters.reaching import connect
from gitmodel.version import __version__

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from email.message import Message
    from http.client import HTTPResponse

#: Who gitmodel says it is.
USER_AGENT = f"gitmodel/{__version__}"
#: Where nobody can listen on the way.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class TooLongError(OSError):
    """The answer has more bytes than were asked for."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, with any status."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent.

    Attributes:
        url: Of http or https.
        headers: They go to that host alone; a proxy on the way to https sees none.
        body: None for none.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is waited for.

    Attributes:
        silence: Seconds without a byte.
        total: Seconds for the whole exchange, from looking up the name on.
        size: Bytes of the answer's body.
    """

    silence: float
    total: float
    size: int


def exchange(
    request: Request, limits: Limits, context: ssl.SSLContext | None = None
) -> Response:
    """Send a request once, and return the answer.

    Args:
        request: What is sent.
        limits: When to give up.
        context: How https is verified; None for the machine's authorities.

    Raises:
        TooLongError: The answer is longer than allowed.
        OSError: There is no answer, or not in time (``TimeoutError``).
        HTTPException: The answer is not HTTP.
        ValueError: The address or a header is none.
    """
    if not request.url.startswith(("http://", "https://")):
        raise ValueError("it is no address of http or https")
    wire = urllib.request.Request(  # noqa: S310 looked at above
        request.url, data=request.body, method=request.method
    )
    for name, value in {"User-Agent": USER_AGENT, **request.headers}.items():
        wire.add_header(name, value)
    is_loopback = urllib.parse.urlsplit(request.url).hostname in LOOPBACK
    watch = Cutoff(limits.total)
    with watch:
        try:
            opener = _opener(watch, context, is_loopback=is_loopback)
            with opener.open(wire, timeout=limits.silence) as answer:
                body = _read(answer, limits.size, watch)
                return Response(answer.status, answer.headers, body)
        except Exception as error:
            # Whatever a closed socket looks like from above: it was closed here.
            if watch.is_over and not isinstance(error, TooLongError):
                raise TimeoutError("the answer takes too long") from error
            raise


class _Watched(HTTPConnection):
    """A connection that a watch may end."""

    watch: Cutoff

    def connect(self) -> None:
        super().connect()
        self.watch.add(self.sock)


class _WatchedSecure(HTTPSConnection, _Watched):
    """Watched from before its handshake: HTTPS connects through the class above."""


class _Handler(urllib.request.AbstractHTTPHandler):
    """Opens both kinds of address; the authorities are read for https alone."""

    def __init__(self, watch: Cutoff, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self._watch = watch
        self._context = context

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._watched(_Watched), req)

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        context = self._context or ssl.create_default_context()
        return self.do_open(self._watched(_WatchedSecure), req, context=context)

    def _watched(self, kind: type[_Watched]) -> Any:
        def make(host: str, **options: Any) -> _Watched:
            connection = kind(host, **options)
            connection.watch = self._watch
            connection._create_connection = self._reach  # type: ignore[attr-defined]  # noqa: SLF001 there is no other way in
            return connection

        return make

    def _reach(
        self, address: tuple[str, int], silence: float, _: object = None
    ) -> socket.socket:
        return connect(*address, silence=silence, seconds=self._watch.left)

    http_request = urllib.request.AbstractHTTPHandler.do_request_
    https_request = urllib.request.AbstractHTTPHandler.do_request_


def _opener(
    watch: Cutoff, context: ssl.SSLContext | None, *, is_loopback: bool
) -> urllib.request.OpenerDirector:
    """Return what opens http and https, through proxies, and nothing else.

    It has no handler for errors or redirects, so that every answer is handed out. No
    proxy hears what is meant for this machine alone.
    """
    opener = urllib.request.OpenerDirector()
    opener.addheaders = []
    for handler in (
        urllib.request.ProxyHandler({} if is_loopback else None),
        urllib.request.UnknownHandler(),
        _Handler(watch, context),
    ):
        opener.add_handler(handler)
    return opener


def _read(answer: Any, most: int, watch: Cutoff) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read1(2**16):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLongError(f"it has more than {most:,} bytes")
    if watch.is_over:
        raise TimeoutError("the answer takes too long")
    if answer.length:
        raise OSError("the answer broke off")
    return b"".join(pieces)
