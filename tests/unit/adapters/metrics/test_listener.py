from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.metrics import alertmanager, listener
from gitmodel.adapters.metrics.alertmanager import Inbox
from gitmodel.adapters.metrics.listener import Address, listening, parse_address
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Address("127.0.0.1", 0)
TOKEN = "0123456789abcdef"  # noqa: S105
JSON = {"Content-Type": "application/json"}
ALERT = {
    "status": "firing",
    "labels": {"alertname": "Low"},
    "startsAt": "2026-03-01T12:00:00Z",
    "fingerprint": "f",
}
BODY = json.dumps({"version": "4", "alerts": [ALERT]}).encode()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def url(inbox: Inbox) -> Iterator[str]:
    with listening(HERE, inbox) as running:
        yield running


def request(
    url: str, method: str = "POST", path: str = "/alerts", **options: Any
) -> tuple[int, str]:
    netloc = urllib.parse.urlsplit(url).netloc
    options = {"body": BODY, "headers": JSON} | options
    with closing(http.client.HTTPConnection(netloc, timeout=10)) as connection:
        connection.request(method, path, **options)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["status"]


def raw(url: str, data: bytes) -> bytes:
    """Send bytes, and return all that comes back until the other side hangs up."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as wire:
        wire.sendall(data)
        found = b""
        while piece := wire.recv(4096):
            found += piece
        return found


def test_an_alert_comes_in_once(url: str, inbox: Inbox) -> None:
    assert request(url) == (200, "1 new")
    assert request(url) == (200, "0 new")
    assert len(inbox.take()) == 1


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({"path": "/"}, 404, "/alerts"),
        ({"method": "GET"}, 404, "/healthz"),
        ({"path": "/alerts?x=1"}, 404, "/alerts"),
        ({"headers": {"Content-Type": "text/plain"}}, 415, "application/json"),
        ({"headers": JSON | {"Host": "evil.example.com"}}, 401, "host"),
        ({"headers": JSON | {"Host": "evil.example.com:9099"}}, 401, "host"),
        ({"body": b"{}"}, 400, "version 4"),
        ({"body": b"[" * 100_000}, 400, "deep"),
        ({"body": b""}, 400, "not JSON"),
    ],
)
def test_what_is_turned_away(
    url: str, inbox: Inbox, options: Any, status: int, said: str
) -> None:
    found = request(url, **options)

    assert found[0] == status
    assert said in found[1]
    assert not inbox.has_heard


HEAD = b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"\r\n" + BODY, 411),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n", 411),
        (b"Content-Length: -1\r\n\r\n", 411),
        (b"Content-Length: 0x10\r\n\r\n", 411),
        (b"Content-Length: 9" + b"9" * 5000 + b"\r\n\r\n", 411),
        (b"Content-Length: 9000000\r\n\r\n", 413),
        (b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"X: y\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_requests_that_are_none(
    url: str, inbox: Inbox, rest: bytes, status: int
) -> None:
    assert raw(url, HEAD + rest).startswith(f"HTTP/1.0 {status} ".encode())
    assert not inbox.has_heard


def test_methods_that_browsers_ask_first_with_get_no_leave(url: str) -> None:
    asked = raw(url, b"OPTIONS /alerts HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert asked.startswith(b"HTTP/1.0 501 ")
    assert b"Access-Control" not in asked


def test_who_drips_is_hung_up_on(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_DEADLINE", 0.3)
    with listening(HERE, inbox) as url:
        assert raw(url, b"") == b""
        assert raw(url, b"POST /al") == b""
        assert raw(url, HEAD + b"Content-Length: 100\r\n\r\n{") == b""


def test_there_is_room_for_some_and_then_for_more(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    place = (parts.hostname or "", parts.port or 0)
    idle = [socket.create_connection(place, 10) for _ in range(listener.MOST_AT_ONCE)]
    one_too_many = raw(url, b"")
    for each in idle:
        each.close()

    assert one_too_many == b""
    while True:  # as soon as their threads have noticed
        try:
            assert request(url) == (200, "1 new")
            break
        except (ConnectionError, http.client.HTTPException):
            continue


def test_a_token_is_asked_for(inbox: Inbox) -> None:
    with listening(HERE, inbox, token=TOKEN) as url:

        def with_token(authorization: str) -> int:
            headers = {"Authorization": authorization, "Host": "watch.example.com"}
            return request(url, headers=JSON | headers)[0]

        assert request(url)[0] == 401
        for wrong in (TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é", ""):
            assert with_token(wrong) == 401
        assert not inbox.has_heard
        assert with_token(f"Bearer {TOKEN}") == 200
        assert request(url, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_nobody_else_may_come_in_without_a_token(inbox: Inbox, host: str) -> None:
    with (
        pytest.raises(InputError, match="Everybody") as caught,
        listening(Address(host, 0), inbox),
    ):
        pass

    assert caught.value.code == "E_LISTEN"


def test_with_a_token_others_may_come_in(inbox: Inbox) -> None:
    headers = JSON | {"Authorization": f"Bearer {TOKEN}"}

    with listening(Address("0.0.0.0", 0), inbox, token=TOKEN) as url:  # noqa: S104
        assert request(url.replace("0.0.0.0", "127.0.0.1"), headers=headers)[0] == 200  # noqa: S104


@pytest.mark.parametrize(
    "token", ["", "short", "e" * 15, "with\nnewline-and-more", "é" * 20]
)
def test_a_token_that_is_none(inbox: Inbox, token: str) -> None:
    with (
        pytest.raises(InputError) as caught,
        listening(HERE, inbox, token=token),
    ):
        pass

    assert caught.value.code == "E_LISTEN"


def test_health(inbox: Inbox) -> None:
    problem: list[str] = []

    with listening(
        HERE, inbox, problem=lambda: problem[-1] if problem else None
    ) as url:
        assert request(url, "GET", "/healthz") == (200, "ok")
        problem.append("the last round was an hour ago")
        assert request(url, "GET", "/healthz") == (503, problem[0])


def test_a_full_inbox_asks_to_come_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alertmanager, "_REMEMBERED", 0)

    assert request(url)[0] == 503


def test_a_port_that_is_taken(url: str, inbox: Inbox) -> None:
    port = urllib.parse.urlsplit(url).port or 0

    with (
        pytest.raises(OutsideError, match="Address already in use"),
        listening(Address("127.0.0.1", port), inbox),
    ):
        pass


def test_the_port_is_free_afterwards(inbox: Inbox) -> None:
    with listening(HERE, inbox) as url:
        port = urllib.parse.urlsplit(url).port or 0

    with listening(Address("127.0.0.1", port), inbox) as again:
        assert again == url


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9099", Address("127.0.0.1", 9099)),
        ("localhost:0", HERE),
        ("[::1]:9099", Address("::1", 9099)),
        ("::1:9099", Address("::1", 9099)),
        ("0.0.0.0:65535", Address("0.0.0.0", 65535)),  # noqa: S104
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "9099", ":9099", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "h.example:1",
     "127.0.0.1:-1", "127.0.0.1:٣", "http://127.0.0.1:1", "127.0.0.1:1\n"],
)  # fmt: skip
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_address(text)
