"""A small LFS server on the loopback device that can be told how to fail.

It runs in a thread of the test, so it costs no start-up, and a test reads what was
asked of it and how many bytes it gave. It knows the batch API and basic transfers.
What it would answer is a ``Reply``; ``spoil`` may put another in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEDIA = "application/vnd.git-lfs+json"


@dataclass(frozen=True)
class Request:
    """What a client asked: ``kind`` is batch, download, upload or verify."""

    kind: str
    oid: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What goes back to the client.

    Attributes:
        length: What the header says of the body; None for the truth.
        pieces: In how many pieces the body goes out, with ``pause`` seconds between.
        stall: Say no more after the body, and leave the client waiting.
        reset: Break the connection after the body.
        lose: Do not keep what was uploaded.
        first: Is called when the headers have gone out, and before the body.
        last: Is called when the body has gone out.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    pieces: int = 1
    pause: float = 0.0
    stall: bool = False
    reset: bool = False
    lose: bool = False
    first: Callable[[], object] = lambda: None
    last: Callable[[], object] = lambda: None

    @classmethod
    def of(cls, document: object, status: int = 200) -> Reply:
        return cls(status, json.dumps(document).encode(), {"Content-Type": MEDIA})


class FaultyLfs:
    """The server; see ``serving``.

    Attributes:
        objects: What it stores.
        requests: What it was asked, in order.
        given: How many bytes of each object it has sent.
        spoil: For a kind of request, what becomes of the right reply.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.objects: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.given: dict[str, int] = {}
        self.spoil: dict[str, Callable[[Request, Reply], Reply]] = {}
        self.closing = threading.Event()
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The value for ``lfs.url``."""
        return f"http://127.0.0.1:{self.port}/lfs"

    def asked(self, kind: str) -> list[Request]:
        """Return the requests of one kind."""
        return [request for request in self.requests if request.kind == kind]

    def meeting(self, guests: int) -> Callable[[Request, Reply], Reply]:
        """Return what lets so many bodies go out only when all are asked for."""
        barrier = threading.Barrier(guests, timeout=60)
        return lambda _, reply: replace(reply, first=barrier.wait)

    def answer(self, request: Request) -> Reply:
        """Say what a server in good health answers, unless it is spoiled."""
        self.requests.append(request)
        right = {
            "batch": self._batch,
            "download": self._download,
            "upload": self._upload,
            "verify": self._verify,
        }[request.kind](request)
        spoil = self.spoil.get(request.kind)
        reply = spoil(request, right) if spoil else right
        if request.kind == "upload" and reply.status == 200 and not reply.lose:
            self.objects[request.oid] = request.body
        return reply

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a transfer among those that are under way."""
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def _batch(self, request: Request) -> Reply:
        asked = request.json
        entries = [self._entry(asked["operation"], each) for each in asked["objects"]]
        return Reply.of({"transfer": "basic", "objects": entries})

    def _entry(self, operation: str, wanted: dict[str, Any]) -> dict[str, Any]:
        oid, here = wanted["oid"], wanted["oid"] in self.objects
        href = f"http://127.0.0.1:{self.port}/object/{oid}"
        entry: dict[str, Any] = {"oid": oid, "size": wanted["size"]}
        if operation == "download" and here:
            entry["actions"] = {"download": {"href": href}}
        elif operation == "download":
            entry["error"] = {"code": 404, "message": "Object does not exist"}
        elif not here:
            verify = f"http://127.0.0.1:{self.port}/verify/{oid}"
            entry["actions"] = {"upload": {"href": href}, "verify": {"href": verify}}
        return entry

    def _download(self, request: Request) -> Reply:
        body = self.objects.get(request.oid)
        if body is None:
            return Reply(404, b"not here")
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None:
            return Reply(200, body)
        start = int(asked[1])
        if start >= len(body):
            return Reply(416, headers={"Content-Range": f"bytes */{len(body)}"})
        said = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Reply(206, body[start:], {"Content-Range": said})

    def _upload(self, request: Request) -> Reply:
        if hashlib.sha256(request.body).hexdigest() != request.oid:
            return Reply(422, b"other bytes than were announced")
        return Reply(200)

    def _verify(self, request: Request) -> Reply:
        here = len(self.objects.get(request.oid, b"")) == request.json["size"]
        return Reply(200) if here else Reply(404, b"it has not arrived")


@contextmanager
def serving() -> Iterator[FaultyLfs]:
    """Serve while the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.block_on_close = False
    lfs = FaultyLfs(server.server_address[1])
    server.lfs = lfs  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield lfs
    finally:
        lfs.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # clients may leave
            super().handle()

    def do_GET(self) -> None:
        self._serve("download")

    def do_PUT(self) -> None:
        self._serve("upload")

    def do_POST(self) -> None:
        self._serve("batch" if self.path.endswith("/objects/batch") else "verify")

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self, kind: str) -> None:
        lfs: FaultyLfs = self.server.lfs  # type: ignore[attr-defined]
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        oid = self.path.rpartition("/")[2]
        with lfs.counted():
            self._send(lfs, lfs.answer(Request(kind, oid, headers, body)), kind, oid)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, lfs: FaultyLfs, reply: Reply, kind: str, oid: str) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = len(reply.body) if reply.length is None else reply.length
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.flush()
        reply.first()
        step = -(-len(reply.body) // reply.pieces) or 1
        for start in range(0, len(reply.body), step):
            if start and reply.pause:
                lfs.closing.wait(reply.pause)
            piece = reply.body[start : start + step]
            self.wfile.write(piece)
            self.wfile.flush()
            if kind == "download" and reply.status < 300:
                lfs.given[oid] = lfs.given.get(oid, 0) + len(piece)
        reply.last()
        if reply.stall:
            lfs.closing.wait()
        self.close_connection = reply.reset or length != len(reply.body)
