"""Hears Alertmanager's webhook, on this machine unless a token guards the door.

- ``POST /alerts`` takes a notification; ``GET /healthz`` says how the watcher is.
- Without a token it binds to loopback alone, and even there takes no request that a
  web page could have made a browser send: those are not JSON, or name another host.
- Bodies, headers, time and connections are bounded; a full inbox is 503, which
  Alertmanager takes for a reason to come again.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.metrics.alertmanager import FullInboxError, parse_notification
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitmodel.adapters.metrics.alertmanager import Inbox

_MOST = 1 << 20  # bytes of a notification
_DEADLINE = 10.0  # seconds for a whole request
#: Connections at a time.
MOST_AT_ONCE = 16
_LEAST_TOKEN = 16  # characters
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; ``port`` 0 takes a free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can come in."""
        return ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read ``127.0.0.1:9099``, ``[::1]:9099`` or ``localhost:9099``.

    Names are not looked up, since what they mean may change.

    Raises:
        InputError: It is none of these.
    """
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    host = "127.0.0.1" if host == "localhost" else host
    try:
        ipaddress.ip_address(host)
        number = int(port) if port.isascii() and port.isdigit() else -1
        if colon and 0 <= number <= _LAST_PORT:
            return Address(host, number)
    except ValueError:
        pass
    raise InputError(
        f"{text!a:.80} is no address to listen on.", "Write it such as 127.0.0.1:9099."
    )


@contextmanager
def listening(
    address: Address,
    inbox: Inbox,
    *,
    token: str | None = None,
    problem: Callable[[], str | None] = lambda: None,
) -> Iterator[str]:
    """Listen while the context lasts; yield where, such as ``http://127.0.0.1:9099``.

    Args:
        address: Where.
        inbox: Gets what comes.
        token: What Alertmanager must bring as its bearer token; None for none.
        problem: Says what is wrong with the watcher, for ``/healthz``; None if nothing.

    Raises:
        InputError: Others could come in, and there is no token, or one to be guessed.
        OutsideError: Somebody else listens there.
    """
    if token is None and not address.is_loopback:
        raise InputError(
            f"Everybody who can reach {address} could ask for rollbacks.",
            "--token-file FILE  names a file with a token; or listen on 127.0.0.1.",
            code="E_LISTEN",
        )
    if token is not None and not (
        len(token) >= _LEAST_TOKEN and token.isascii() and token.isprintable()
    ):
        raise InputError(
            f"The token has fewer than {_LEAST_TOKEN} characters, or odd ones.",
            "openssl rand -hex 32  makes a good one.",
            code="E_LISTEN",
        )
    door = _Door(inbox, token, problem)
    try:
        server = _Server(address, door)
    except OSError as error:
        raise OutsideError(
            f"{address} cannot be listened on: {error.strerror}.",
            "Choose another port, or end what listens there.",
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{Address(address.host, server.server_address[1])}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True, slots=True)
class _Door:
    """Whom to let in, and where to put what they bring."""

    inbox: Inbox
    token: str | None
    problem: Callable[[], str | None]

    def admits(self, authorization: str, host: str) -> bool:
        if self.token is None:
            name = host.rpartition(":")[0] or host
            return name.strip("[]") in {"localhost", "127.0.0.1", "::1"}
        expected = f"Bearer {self.token}".encode()
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), expected)


class _Server(ThreadingHTTPServer):
    request_queue_size = 2 * MOST_AT_ONCE
    daemon_threads = True
    block_on_close = False  # each has a deadline, and nobody waits for it

    def __init__(self, address: Address, door: _Door) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.door = door
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__((address.host, address.port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look the host's name up, which may take long.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        end = threading.Timer(_DEADLINE, _hang_up, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever came has hung up, or was hung up on."""


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    timeout = _DEADLINE
    server: _Server
    server_version = "gitmodel"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path != "/healthz":
            self._answer(404, "there is only /alerts and /healthz")
        elif said := self.server.door.problem():
            self._answer(503, said)
        else:
            self._answer(200, "ok")

    def do_POST(self) -> None:
        door = self.server.door
        if self.path != "/alerts":
            self._answer(404, "there is only /alerts and /healthz")
        elif not door.admits(
            self.headers.get("Authorization", ""), self.headers.get("Host", "")
        ):
            self._answer(401, "the token is missing or wrong, or the host is another")
        elif self.headers.get_content_type() != "application/json":
            self._answer(415, "it is not application/json")
        else:
            self._take_in(door.inbox)

    def _take_in(self, inbox: Inbox) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or len(length) > len(str(_MOST)):
            self._answer(411, "its length is not said, or no number")
            return
        if int(length) > _MOST:
            self._answer(413, f"it has more than {_MOST:,} bytes")
            return
        data = self.rfile.read(int(length))
        if len(data) != int(length):
            return  # whoever sent it is gone
        try:
            self._answer(200, f"{inbox.put(parse_notification(data))} new")
        except InputError as error:
            self._answer(400, error.message)
        except FullInboxError:
            self._answer(503, "the inbox is full")

    def _answer(self, status: int, said: str) -> None:
        body = json.dumps({"status": said}).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 401:  # noqa: PLR2004
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what matters is in the inbox."""
