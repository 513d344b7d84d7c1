"""Key services on loopback, for their own clients: AWS KMS and Vault's Transit.

As much of them as signing takes; the signatures are real. Requests are answered as
their reference pages say: AWS is sent a digest, Vault the message.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGEST = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
_MESSAGE = ec.ECDSA(hashes.SHA256())


@contextmanager
def key_service(key: ec.EllipticCurvePrivateKey) -> Iterator[dict[str, str]]:
    """Serve one P-256 key; give the variables that lead clients here."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(key))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_MAX_ATTEMPTS": "1",
            "VAULT_ADDR": url,
            "VAULT_TOKEN": "secret",
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(key: ec.EllipticCurvePrivateKey, what: str, asked: Any) -> Any:
    if what.startswith("/v1/transit/sign/"):
        made = _base64(key.sign(base64.b64decode(asked["input"]), _MESSAGE))
        return {"data": {"signature": f"vault:v{asked['key_version']}:{made}"}}
    name = {"KeyId": asked["KeyId"]}
    if what == "TrentService.GetPublicKey":
        public = key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        algorithms = ["ECDSA_SHA_256"]
        return {**name, "PublicKey": _base64(public), "SigningAlgorithms": algorithms}
    assert asked["MessageType"] == "DIGEST"
    return {
        **name,
        "SigningAlgorithm": asked["SigningAlgorithm"],
        "Signature": _base64(key.sign(base64.b64decode(asked["Message"]), _DIGEST)),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _handler_for(key: ec.EllipticCurvePrivateKey) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing on stderr."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            what = self.headers.get("X-Amz-Target", self.path)
            data = json.dumps(_answer(key, what, asked)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_PUT = do_POST  # noqa: N815 the server's name for it

    return Handler
