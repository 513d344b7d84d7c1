"""A server on loopback that may say anything, as slowly as it likes, or hang."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator


@dataclass
class Liar:
    """What it says, piece by piece, to everybody who asks.

    Attributes:
        pieces: Bytes to send, one after another.
        pause: Seconds between two pieces.
        hangs: Whether it stays silent after the last, instead of hanging up.
        heard: The requests' heads, as they came.
    """

    port: int
    pieces: Iterable[bytes] = ()
    pause: float = 0.0
    hangs: bool = False
    heard: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        """Answer as a server should, at least in form."""
        lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
        self.pieces = ["\r\n".join(lines).encode() + body]


@contextmanager
def lying(tls: ssl.SSLContext | None = None) -> Iterator[Liar]:
    """Run one while the context lasts; with ``tls``, it lies in private."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        liar = Liar(server.getsockname()[1])

        def answer(accepted: socket.socket) -> None:
            with suppress(OSError), private(accepted) as connection:  # given up on
                liar.heard.append(connection.recv(2**16))
                for piece in liar.pieces:
                    connection.sendall(piece)
                    if over.wait(liar.pause):
                        return
                if liar.hangs:
                    over.wait()

        def private(accepted: socket.socket) -> socket.socket:
            return tls.wrap_socket(accepted, server_side=True) if tls else accepted

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                if over.is_set():
                    connection.close()
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield liar
        finally:
            over.set()
            with suppress(OSError):  # wakes accept
                socket.create_connection(("127.0.0.1", liar.port), 1).close()
            thread.join()
