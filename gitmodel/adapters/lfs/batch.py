"""Asks an LFS server which objects it has, and downloads none.

git-lfs has no command for it. The address is the one that git-lfs would ask, passwords
come from git's credential helpers, and nobody is prompted. The protocol is
``docs/api/batch.md`` of git-lfs. A redirect is not followed: it could lead a password
astray.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit

from gitmodel.adapters.environment import child_environment
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitmodel.formats.lfs_pointer import Pointer

#: git-lfs asks git for files, and that would ask a program of the configuration.
_HARMLESS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_MEDIA = "application/vnd.git-lfs+json"
#: What servers take in one request, by the advice of the protocol.
_CHUNK = 100
_SECONDS = 10
_NOT_FOUND = 404
_LIMIT = 8 << 20  # bytes of one answer
_ENDPOINT = re.compile(
    r"^Endpoint(?: \((?P<remote>.*)\))?=(?P<url>.*) \(auth=\w+\)(?P<ssh>\n  SSH=)?",
    re.MULTILINE,
)


class BatchError(OutsideError):
    """The server did not say which objects it has.

    Attributes:
        status: The HTTP status; None where it was none.
    """

    default_code = "E_LFS"

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message, "git lfs env  shows which server is asked.")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where git-lfs looks for the objects of a remote.

    Attributes:
        url: An address, or a path for a repository on this machine.
        ssh: Whether it asks over SSH first.
    """

    url: str
    ssh: bool

    @property
    def is_http(self) -> bool:
        """Whether it can be asked from here."""
        return not self.ssh and self.url.startswith(("http://", "https://"))

    def __str__(self) -> str:
        """Return the address without user and password."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def endpoint_of(directory: Path, remote: str) -> Endpoint | None:
    """Return the endpoint of a remote, by ``git lfs env``; None where it has none."""
    done = _git(directory, "lfs", "env")
    found = {each["remote"] or "": each for each in _ENDPOINT.finditer(done)}
    match = found.get(remote) or found.get("")
    return Endpoint(match["url"], bool(match["ssh"])) if match else None


def authorization_for(directory: Path, endpoint: Endpoint) -> str:
    """Return what git would send as ``Authorization``; "" where it knows nothing."""
    parts = urlsplit(endpoint.url)
    asked = ("config", "--get-urlmatch", "http.extraheader", str(endpoint))
    header = _git(directory, *asked)
    name, _, value = header.strip().partition(":")
    if name.lower() == "authorization":
        return value.strip()
    user, _, host = parts.netloc.rpartition("@")
    known = {"protocol": parts.scheme, "host": host, "path": parts.path.lstrip("/")}
    if user:
        known["username"], _, known["password"] = user.partition(":")
    lines = "".join(f"{key}={value}\n" for key, value in known.items() if value)
    said = _git(directory, "-c", "core.askPass=", "credential", "fill", stdin=lines)
    known = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    if not {"username", "password"} <= known.keys():
        return ""
    pair = f"{known['username']}:{known['password']}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def missing_on(
    endpoint: Endpoint, pointers: Sequence[Pointer], authorization: str = ""
) -> list[Pointer]:
    """Return the objects that a server does not offer for download.

    Raises:
        BatchError: It refuses, cannot be reached, or does not speak the protocol.
    """
    missing: list[Pointer] = []
    nothing: BatchError | None = None
    for start in range(0, len(pointers), _CHUNK):
        chunk = pointers[start : start + _CHUNK]
        try:
            offered = set(_offered(_ask(endpoint, chunk, authorization)))
        except BatchError as error:
            if error.status != _NOT_FOUND:
                raise
            # Some servers say so where they have none of what was asked for.
            offered, nothing = set(), error
        missing += [each for each in chunk if each.digest.hex not in offered]
    if nothing and len(missing) == len(pointers):
        raise nothing
    return missing


def _offered(answer: Any) -> Iterator[str]:
    entries = answer.get("objects") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise BatchError("it does not answer as an LFS server does.")
    for entry in entries:
        actions = entry.get("actions") if isinstance(entry, dict) else None
        if isinstance(actions, dict) and "download" in actions:
            yield str(entry.get("oid"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _ask(endpoint: Endpoint, pointers: Sequence[Pointer], authorization: str) -> Any:
    document = {
        "operation": "download",
        "transfers": ["basic"],
        "objects": [{"oid": p.digest.hex, "size": p.size} for p in pointers],
    }
    headers = {"Accept": _MEDIA, "Content-Type": _MEDIA}
    if authorization:
        headers["Authorization"] = authorization
    request = urllib.request.Request(  # noqa: S310
        f"{endpoint}/objects/batch", json.dumps(document).encode(), headers
    )
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            data = answer.read(_LIMIT + 1)
    except HTTPError as error:
        raise BatchError(_said(error), error.code) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise BatchError(f"it cannot be reached: {reason}") from error
    if len(data) > _LIMIT:
        raise BatchError("its answer is longer than any such answer.")
    try:
        return json.loads(data)
    except ValueError as error:
        raise BatchError("it does not answer as an LFS server does.") from error


def _said(error: HTTPError) -> str:
    """Return the status, and the words of the server where they are a message."""
    try:
        words = json.loads(error.read(_LIMIT))["message"]
    except (OSError, HTTPException, ValueError, TypeError, LookupError):
        words = error.reason
    finally:
        error.close()
    return f"HTTP {error.code}: {str(words)[:200]}"


def _git(directory: Path, *args: str, stdin: str = "") -> str:
    """Return what git prints; "" where it fails."""
    done = subprocess.run(
        ["git", *_HARMLESS, *args],  # noqa: S607
        cwd=directory,
        input=stdin + "\n" if stdin else "",
        capture_output=True,
        text=True,
        errors="replace",
        env=child_environment(
            {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
        ),
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""
