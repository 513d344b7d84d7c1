"""A web server that takes what it is told, for notifications."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Sink:
    """What was told to ``url``, in order; GET of it answers 200."""

    url: str
    told: list[Any] = field(default_factory=list)

    def of(self, kind: str) -> list[Any]:
        """Return the CloudEvents of one type, such as ``rollback.completed``."""
        return [each for each in self.told if each["type"] == f"dev.gitmodel.{kind}"]


@contextmanager
def sink() -> Iterator[Sink]:
    """Run one until the context ends."""
    found = Sink("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            found.told.append(json.loads(self.rfile.read(size)))
            self._answer()

        def _answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
