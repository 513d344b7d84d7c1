"""Those who are told of events, for real: a web and a mail server on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path


@dataclass(frozen=True)
class Heard:
    """One request."""

    path: str
    headers: Message
    body: bytes


@dataclass
class WebServer:
    """Takes every POST, and answers with ``status`` and ``headers``."""

    port: int
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Run one while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            running.heard.append(Heard(self.path, self.headers, body))
            self.send_response(running.status)
            for name, value in running.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = WebServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


@dataclass
class MailServer:
    """Takes every mail.

    Attributes:
        port: Where it listens on 127.0.0.1.
        taken: The mails, each with its envelope.
        logins: Names and passwords that were tried.
        refused: Whom it takes no mail for.
    """

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refused: frozenset[str] = frozenset()

    async def handle_RCPT(  # noqa: N802 (its name in the library)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        del server, session, options
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        self.taken.append(envelope)
        return "250 OK"

    def login(self, *words: Any) -> AuthResult:
        """Let in whoever knows the word."""
        found = words[-1]
        assert isinstance(found, LoginPassword)
        self.logins.append((found.login.decode(), found.password.decode()))
        return AuthResult(success=found.password == b"opensesame", handled=False)


@contextmanager
def mail_server(
    identity: Path | None = None, *, encrypted: bool = False, login: bool = False
) -> Iterator[MailServer]:
    """Run one while the context lasts.

    Args:
        identity: Certificate and key; None for a server without TLS.
        encrypted: Whether TLS begins with the first byte, not by STARTTLS.
        login: Whether it takes mail from those alone who log in.
    """
    running = MailServer()
    context = None
    if identity is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(identity)

    def protocol() -> SMTP:
        return SMTP(
            running,
            hostname="mail.example.com",
            tls_context=None if encrypted else context,
            require_starttls=context is not None and not encrypted,
            authenticator=running.login if login else None,
            # It does not see that all of a connection is encrypted.
            auth_required=login and not encrypted,
            auth_require_tls=not encrypted,
        )

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(protocol, "127.0.0.1", 0, ssl=context if encrypted else None)
    )
    running.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await server.wait_closed()

    try:
        yield running
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def make_identity(path: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
