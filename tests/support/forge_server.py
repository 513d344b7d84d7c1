"""A forge on the loopback device that plays recorded answers, and notes what it heard.

The answers have the shape of the forges' published descriptions, cut down to what a
client could want; ``prism`` holds the client against the descriptions themselves.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Reply:
    """One answer; ``data`` is JSON, or bytes as they are."""

    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if isinstance(self.data, bytes):
            return self.data
        return json.dumps(self.data).encode()


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class ForgeServer:
    """What is answered to whom; what has no answer is 404.

    Attributes:
        replies: By method and path; the last of a list is given for ever.
    """

    port: int
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, what: str, *replies: Any) -> None:
        """Answer ``GET /path``; whatever is no ``Reply`` is the JSON of a good one."""
        self.replies[what] = [
            each if isinstance(each, Reply) else Reply(each) for each in replies
        ]

    def requests(self, what: str) -> list[Heard]:
        """Return the requests of a method and a path."""
        return [each for each in self.heard if f"{each.method} {each.path}" == what]

    def answer(self, heard: Heard) -> Reply:
        self.heard.append(heard)
        waiting = self.replies.get(f"{heard.method} {heard.path}", [])
        if not waiting:
            return Reply({"message": "Not Found"}, 404)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextmanager
def serving() -> Iterator[ForgeServer]:
    """Run a forge while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(size)
            reply = forge.answer(
                Heard(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    headers={name.lower(): v for name, v in self.headers.items()},
                    body=json.loads(sent) if sent else None,
                )
            )
            self.send_response_only(reply.status)
            headers = {"Content-Type": "application/json", **reply.headers}
            headers.setdefault("Content-Length", str(len(reply.body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def server_bind(self) -> None:
            TCPServer.server_bind(self)  # HTTPServer would look its own name up
            self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    server = Server(("127.0.0.1", 0), Handler)
    forge = ForgeServer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def user(number: int, name: str = "", kind: str = "User") -> dict[str, Any]:
    """Return an account as GitHub and Gitea have it."""
    return {"id": number, "login": name or f"user{number}", "type": kind}


def github_pull(number: int, commit: str, **fields: Any) -> dict[str, Any]:
    """Return a pull request of ``octo/registry``; its author is account 1."""
    return {
        "id": 1000 + number,
        "number": number,
        "html_url": f"https://github.com/octo/registry/pull/{number}",
        "state": "open",
        "merged_at": None,
        "user": user(1),
        "head": {"ref": "topic", "sha": commit, "repo": {"id": 1296269}},
        "base": {"ref": "main", "sha": commit, "repo": {"id": 1296269}},
    } | fields


def github_review(
    number: int, account: dict[str, Any] | None, state: str, commit: str, **fields: Any
) -> dict[str, Any]:
    """Return a review as GitHub has it, at minute ``number``."""
    return {
        "id": number,
        "user": account,
        "state": state,
        "commit_id": commit,
        "submitted_at": f"2026-02-14T14:{number % 60:02}:00Z",
    } | fields


def gitlab_merge(number: int, commit: str, **fields: Any) -> dict[str, Any]:
    """Return a merge request of ``octo/registry``; its author is account 1."""
    return {
        "id": 5000 + number,
        "iid": number,
        "web_url": f"https://gitlab.com/octo/registry/-/merge_requests/{number}",
        "state": "opened",
        "sha": commit,
        "source_branch": "topic",
        "target_branch": "main",
        "source_project_id": 42,
        "target_project_id": 42,
        "author": {"id": 1, "username": "user1"},
    } | fields


def gitea_pull(number: int, commit: str, **fields: Any) -> dict[str, Any]:
    """Return a pull request of ``octo/registry``; its author is account 1."""
    return {
        "id": 1000 + number,
        "number": number,
        "html_url": f"https://codeberg.org/octo/registry/pulls/{number}",
        "state": "open",
        "merged": False,
        "user": user(1),
        "head": {"ref": "topic", "sha": commit, "repo_id": 7},
        "base": {"ref": "main", "sha": commit, "repo_id": 7},
    } | fields
