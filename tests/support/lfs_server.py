"""A real LFS server (giftless) on the loopback device, for one test session.

Run as a program it serves a storage directory until it is killed, and says its
port on the first line of stdout. Objects lie in the storage as plain files, so
that a test can take them away or alter them behind the server's back.
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
    with (storage.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, storage],
            cwd=_ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        # The line comes when the socket listens: nothing is polled or waited out.
        said = process.stdout.readline()
        assert said, (storage.parent / "server.log").read_text()
        yield LfsServer(int(said), storage)
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


def main(storage: str) -> None:
    """Serve until killed."""
    warnings.simplefilter("ignore")
    giftless = importlib.import_module("giftless.app")
    werkzeug = importlib.import_module("werkzeug.serving")
    basic = {"options": {"storage_options": {"path": storage}}}
    signer = {"options": {"private_key": "not a secret, but of 32 bytes or more"}}
    app = giftless.init_app(
        additional_config={
            "AUTH_PROVIDERS": [f"{__spec__.name}:anyone"],
            "PRE_AUTHORIZED_ACTION_PROVIDER": signer,
            "TRANSFER_ADAPTERS": {"basic": basic},
            "LEGACY_ENDPOINTS": False,
        }
    )
    server = werkzeug.make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
