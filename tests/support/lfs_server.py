"""A real LFS server (giftless) on the loopback device, for one test session.

Run as a program it serves a storage directory until it is killed, and says its
port on the first line of stdout. Objects lie in the storage as plain files, so
that a test can take them away or alter them behind the server's back. Without a
directory they lie in S3, and the port of that follows.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import s3_server
from tests.support.s3_server import BUCKET, CREDENTIALS, Bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class LfsServer:
    """A running server.

    Attributes:
        port: On 127.0.0.1.
        storage: Where its objects are.
    """

    port: int
    storage: Path

    def url(self, name: str) -> str:
        """Return the value for ``lfs.url`` of the repository ``tests/<name>``."""
        return f"http://127.0.0.1:{self.port}/tests/{name}.git/info/lfs"

    def object_path(self, name: str, digest: str) -> Path:
        """Return where the server keeps an object of a repository."""
        return self.storage / "tests" / name / digest.removeprefix("sha256:")

    def objects(self, name: str) -> set[str]:
        """Return the ids of all objects of a repository."""
        return {path.name for path in (self.storage / "tests" / name).glob("*")}


@contextmanager
def serving(storage: Path) -> Iterator[LfsServer]:
    """Serve ``storage`` while the context lasts."""
    with _running(storage.parent / "server.log", str(storage)) as said:
        yield LfsServer(int(said), storage)


@contextmanager
def serving_s3(log: Path) -> Iterator[tuple[LfsServer, Bucket]]:
    """Serve from a bucket while the context lasts; ``log`` is written."""
    with _running(log) as said:
        port, bucket = map(int, said.split())
        yield LfsServer(port, Path()), Bucket(bucket)


@contextmanager
def _running(log: Path, *args: str) -> Iterator[str]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, *args],
            cwd=_ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT)} | CREDENTIALS,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    try:
        assert process.stdout is not None
        # The line comes when the socket listens: nothing is polled or waited out.
        said = process.stdout.readline()
        assert said, log.read_text()
        yield said
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def anyone(_: Any) -> Any:
    """Let everybody do everything: giftless calls this to learn who asks."""
    identity = importlib.import_module("giftless.auth.identity")
    # giftless' own allow_anon has no id, which PyJWT refuses as a subject.
    user = identity.DefaultIdentity(name="anyone", id="anyone")
    user.allow(permissions=identity.Permission.all())
    return user


def main(storage: str | None) -> None:
    """Serve until killed."""
    warnings.simplefilter("ignore")
    giftless = importlib.import_module("giftless.app")
    werkzeug = importlib.import_module("werkzeug.serving")
    bucket = None if storage else s3_server.start()
    signer = {"options": {"private_key": "not a secret, but of 32 bytes or more"}}
    app = giftless.init_app(
        additional_config={
            "AUTH_PROVIDERS": [f"{__spec__.name}:anyone"],
            "PRE_AUTHORIZED_ACTION_PROVIDER": signer,
            "TRANSFER_ADAPTERS": {"basic": on_s3(bucket) if bucket else _on(storage)},
            "LEGACY_ENDPOINTS": False,
        }
    )
    server = werkzeug.make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"{server.port} {bucket.port}\n" if bucket else f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


def _on(directory: str | None) -> dict[str, Any]:
    return {"options": {"storage_options": {"path": directory}}}


def on_s3(bucket: Bucket) -> dict[str, Any]:
    """Return the transfer adapter that keeps objects in a bucket."""
    return {
        "factory": "giftless.transfer.basic_external:factory",
        "options": {
            "storage_class": "giftless.storage.amazon_s3:AmazonS3Storage",
            "storage_options": {"bucket_name": BUCKET, "endpoint": bucket.endpoint},
            "action_lifetime": 900,
        },
    }


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
