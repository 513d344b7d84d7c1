from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from gitmodel.adapters.http import Limits, Request, exchange
from gitmodel.adapters.reaching import connect

LIMITS = Limits(silence=0.3, total=0.6, size=1000)


def named(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Let every name have an address on loopback for each port."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        for port in ports
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    for scheme in ("http", "https"):
        with pytest.raises(OSError, match="too long"):
            exchange(Request(url=f"{scheme}://slow.example/"), LIMITS)
    assert time.monotonic() - began < 5
    over.set()


def test_many_addresses_that_swallow_everything_are_not_all_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = full.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", port))
        named(monkeypatch, *[port] * 100)
        began = time.monotonic()
        with pytest.raises(OSError, match="too long"):
            exchange(Request(url="http://many.example/"), LIMITS)
        assert time.monotonic() - began < 5


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        named(monkeypatch, 1, server.getsockname()[1])
        with connect("some.example", 80, silence=2.0, seconds=5.0) as found:
            assert found.getpeername() == server.getsockname()
            assert found.gettimeout() == 2.0


@pytest.mark.parametrize("host", ["x" * 300, "a..b", "no-such-host.invalid"])
def test_a_host_that_is_none_is_an_error_of_the_network(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 each resolver has its own words
        connect(host, 80, silence=1.0, seconds=5.0)


def test_a_name_without_addresses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch)
    with pytest.raises(OSError, match="no address"):
        connect("some.example", 80, silence=1.0, seconds=5.0)
