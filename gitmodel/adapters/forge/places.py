"""Which forge a remote's address belongs to, and where the forge's API begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitmodel.domain.forge import ForgeKind, Place
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from gitmodel.domain.forge import Forge, Token

#: Hosts that say what they are.
_KNOWN: dict[str, ForgeKind] = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "gitea.com": "gitea",
    "codeberg.org": "forgejo",
}
_ALIASES = {
    "ssh.github.com": "github.com",
    "www.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
}
_API_PATHS: dict[ForgeKind, str] = {
    "github": "/api/v3",
    "gitlab": "/api/v4",
    "gitea": "/api/v1",
    "forgejo": "/api/v1",
}
_PUBLIC_API = {"github.com": "https://api.github.com"}
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^:/@\[\]]+):(?P<path>(?!//).+)")
_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+")
_DOTS = frozenset({".", ".."})


def locate(
    remote: str | None,
    *,
    kind: ForgeKind | None = None,
    api: str | None = None,
    path: str | None = None,
) -> Place:
    """Return the repository that a remote's address names.

    Args:
        remote: The address, as git has it; None if there is none.
        kind: Which forge it is, where the host does not say.
        api: Where its API begins, where that is not the usual place.
        path: Owner and name, where the address is another one.

    Raises:
        InputError: That is not enough to tell.
    """
    host, found = _split(remote or "")
    path = path or found
    if api is not None:
        host = _host_of(api)
    host = _ALIASES.get(host, host)
    kind = kind or _KNOWN.get(host)
    if not host or kind is None:
        raise InputError(
            f"It is not clear which forge {host or 'this registry'} is.",
            "--forge github|gitlab|gitea|forgejo names it; --api URL says where its "
            "API begins, if the remote's address does not.",
            code="E_FORGE_UNKNOWN",
        )
    if not _PATH.fullmatch(path) or _DOTS & set(path.split("/")):
        raise InputError(
            f"{path[:80]!a} is no OWNER/NAME of a repository at {host}.",
            "--repository OWNER/NAME names it.",
            code="E_FORGE_UNKNOWN",
        )
    base = (api or _PUBLIC_API.get(host) or f"https://{host}{_API_PATHS[kind]}").rstrip(
        "/"
    )
    scheme = urlsplit(base).scheme or "https"
    return Place(
        kind=kind, host=host, api=base, web=f"{scheme}://{host}/{path}", path=path
    )


def connect(place: Place, token: Token | None) -> Forge:
    """Return the client of a place; it asks nothing yet.

    Raises:
        InputError: The token, or the API's address, is malformed.
    """
    if token is not None and not re.fullmatch(r"[\x21-\x7e]{1,4096}", token.value):
        raise InputError(f"{token.source} does not hold a token.", code="E_FORGE_TOKEN")
    match place.kind:
        case "github":
            from gitmodel.adapters.forge.github import GitHub  # noqa: PLC0415

            return GitHub(place, token)
        case "gitlab":
            from gitmodel.adapters.forge.gitlab import GitLab  # noqa: PLC0415

            return GitLab(place, token)
        case "gitea" | "forgejo":
            from gitmodel.adapters.forge.gitea import Gitea  # noqa: PLC0415

            return Gitea(place, token)


def _split(remote: str) -> tuple[str, str]:
    """Return the host and the path of a remote's address; nothing for a directory."""
    if "://" in remote:
        parts = urlsplit(remote)
        known = parts.scheme in {"https", "http", "ssh", "git"}
        if not known or parts.query or parts.fragment:
            return "", ""
        host, path = parts.hostname or "", parts.path
        if parts.scheme in {"https", "http"} and parts.port:
            host = f"{host}:{parts.port}"
    elif match := _SCP.fullmatch(remote):
        host, path = match["host"].lower(), match["path"]
    else:
        return "", ""
    return host, path.strip("/").removesuffix(".git")


def _host_of(api: str) -> str:
    """Return the host as people know it: the one that the remotes have."""
    parts = urlsplit(api)
    host = (parts.hostname or "").removeprefix("api.")
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{host}:{parts.port}" if parts.port not in {None, default} else host
