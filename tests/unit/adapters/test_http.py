from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.http import Limits, Request, TooLongError, exchange
from tests.support.liar import Liar, lying
from tests.support.listeners import make_identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENCE = Limits(silence=0.3, total=20, size=1000)
SHORT = Limits(silence=20, total=0.6, size=1000)
ROOMY = Limits(silence=20, total=20, size=1000)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as running:
        yield running


def drip(*start: bytes) -> Iterator[bytes]:
    return itertools.chain(start, itertools.repeat(b"x"))


def fails(url: str, kind: type[Exception], limits: Limits = ROOMY) -> str:
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        exchange(Request(url=url), limits)
    assert time.monotonic() - started < 10
    return str(caught.value)


def test_every_status_is_an_answer_and_redirects_are_not_followed(liar: Liar) -> None:
    liar.says(b"over there", "302 Found", f"Location: {liar.url}/other")

    answer = exchange(Request(url=liar.url, headers={"X-Key": "k"}), ROOMY)

    assert (answer.status, answer.body) == (302, b"over there")
    assert len(liar.heard) == 1
    assert b"\r\nX-Key: k\r\n" in liar.heard[0]


def test_a_body_is_sent(liar: Liar) -> None:
    liar.says(b"{}")

    exchange(Request(url=liar.url, method="POST", body=b"[1]"), ROOMY)

    assert liar.heard[0].startswith(b"POST / HTTP/1.1\r\n")
    assert b"Content-Length: 3\r\n" in liar.heard[0]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param((), id="status line"),
        pytest.param((HEAD, b"X-Long: "), id="header"),
        pytest.param((HEAD, b"\r\n"), id="body without a length"),
        pytest.param((HEAD, b"Content-Length: 999\r\n\r\n"), id="body"),
    ],
)
def test_a_drip_ends(liar: Liar, start: tuple[bytes, ...]) -> None:
    liar.pieces, liar.pause = drip(*start), 0.02

    assert "too long" in fails(liar.url, TimeoutError, SHORT)


@pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n12"])
def test_silence_ends(liar: Liar, start: bytes) -> None:
    liar.pieces, liar.hangs = [start], True

    fails(liar.url, OSError, SILENCE)


def test_a_handshake_that_never_ends_ends(liar: Liar) -> None:
    # The head of a TLS record that announces much, and then bytes without end.
    liar.pieces, liar.pause = drip(b"\x16\x03\x03\x3f\xff"), 0.02

    fails(secure(liar), OSError, SHORT)


def test_what_is_too_long_is_not_read_to_its_end(liar: Liar) -> None:
    liar.pieces = itertools.chain([HEAD + b"\r\n"], itertools.repeat(b"x" * 65536))

    assert "1,000 bytes" in fails(liar.url, TooLongError, ROOMY)


def test_an_answer_that_breaks_off_is_none(liar: Liar) -> None:
    liar.pieces = [HEAD + b"Content-Length: 9\r\n\r\n12"]

    assert "broke off" in fails(liar.url, OSError, ROOMY)


def test_what_is_not_http_is_no_answer(liar: Liar) -> None:
    liar.pieces = [b"SSH-2.0-OpenSSH_9.2\r\n"]

    fails(liar.url, HTTPException, ROOMY)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,1", ""]
)
def test_other_addresses_are_refused(url: str) -> None:
    assert "no address" in fails(url, ValueError)


def test_nobody_listens() -> None:
    with socket.socket() as held:  # bound, and not listening: nobody else can be there
        held.bind(("127.0.0.1", 0))
        fails(f"http://127.0.0.1:{held.getsockname()[1]}", OSError)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return make_identity(tmp_path / "identity.pem")


@pytest.fixture
def private(identity: Path) -> Iterator[Liar]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    with lying(context) as running:
        yield running


def secure(liar: Liar) -> str:
    return liar.url.replace("http:", "https:")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    liar: Liar, private: Liar
) -> None:
    liar.says(b"plain http")
    private.says(b"private")

    fails(secure(liar), OSError)
    assert "certificate verify failed" in fails(secure(private), OSError, ROOMY)
    assert private.heard == []


def test_what_is_private_is_bounded_as_well(private: Liar, identity: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(identity))
    request = Request(url=secure(private))
    private.says(b"private")
    assert exchange(request, ROOMY, trusting).body == b"private"

    private.pieces, private.pause = drip(HEAD, b"\r\n"), 0.02
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        exchange(request, SHORT, trusting)
    assert time.monotonic() - started < 10


def test_proxies_hear_only_what_goes_elsewhere(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    liar.says(b"1")
    with lying() as proxy:
        proxy.says(b"2")
        monkeypatch.setenv("http_proxy", proxy.url)

        assert exchange(Request(url=liar.url), ROOMY).body == b"1"
        far = Request(url="http://metrics.example.com/a")
        assert exchange(far, ROOMY).body == b"2"

    assert proxy.heard[0].startswith(b"GET http://metrics.example.com/a HTTP/1.1\r\n")


def test_no_thread_and_no_socket_stay_behind(liar: Liar) -> None:
    liar.says(b"{}")

    exchange(Request(url=liar.url), Limits(silence=5, total=3600, size=9))

    assert not [each for each in threading.enumerate() if type(each) is threading.Timer]
