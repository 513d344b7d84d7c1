"""S3 on the loopback device: the server of moto, and a bucket to look into."""

from __future__ import annotations

import importlib
import re
import threading
import urllib.request
from dataclasses import dataclass

BUCKET = "models"
#: Any will do; boto3 signs with them.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "loopback",
    "AWS_SECRET_ACCESS_KEY": "not a secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Bucket:
    """The bucket of a running server."""

    port: int

    @property
    def endpoint(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, key: str, body: bytes | None = None) -> bytes:
        """Do something to an object as its owner would, behind giftless' back."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.endpoint}/{BUCKET}/{key}",
            data=body,
            method=method,
            # It is anybody's, so that nothing need be signed.
            headers={"x-amz-acl": "public-read-write", "Content-Type": "binary"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            data: bytes = answer.read()
        return data

    def keys(self, prefix: str) -> set[str]:
        """Return the last part of the names of the objects below ``prefix``."""
        listed = self.ask("GET", f"?prefix={prefix}/").decode()
        return set(re.findall(rf"<Key>{re.escape(prefix)}/([^<]+)</Key>", listed))


def start() -> Bucket:
    """Serve from a thread of this process, for as long as it lives."""
    werkzeug = importlib.import_module("werkzeug.serving")
    moto = importlib.import_module("moto.moto_server.werkzeug_app")
    app = moto.DomainDispatcherApplication(moto.create_backend_app)
    server = werkzeug.make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bucket = Bucket(server.port)
    bucket.ask("PUT", "", b"")
    return bucket
