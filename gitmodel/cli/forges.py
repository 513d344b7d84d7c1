"""Which forge a command talks to: its options, and the token in the environment."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.domain.forge import Forge, ForgeKind, Place, Token
    from gitmodel.operations.pull_request import Proposal
    from gitmodel.registry.handle import RegistryHandle

F = TypeVar("F", bound="Callable[..., Any]")
#: Where each forge's token is looked for, best first.
TOKENS: dict[str, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
    "gitea": ("GITEA_TOKEN",),
    "forgejo": ("FORGEJO_TOKEN",),
}


@dataclass(frozen=True, slots=True)
class At:
    """Where the options say that a forge is; None leaves it to the remote's address."""

    kind: ForgeKind | None = None
    api: str | None = None
    repository: str | None = None


def forge_options(function: F) -> F:
    """Add what every command takes that talks to a forge; it is given as ``at``."""

    @functools.wraps(function)
    def packed(
        *args: Any,
        kind: ForgeKind | None,
        api: str | None,
        repository: str | None,
        **kwargs: Any,
    ) -> Any:
        return function(*args, at=At(kind, api, repository), **kwargs)

    command: Any = packed
    for option in (
        click.option(
            "--repository",
            metavar="OWNER/NAME",
            help="The repository there.  [default: by the remote's address]",
        ),
        click.option(
            "--api",
            metavar="URL",
            help="Where its API begins.  [default: by the remote's address]",
        ),
        click.option(
            "--forge",
            "kind",
            type=click.Choice(list(TOKENS)),
            help="Which forge it is.  [default: by the remote's address]",
        ),
    ):
        command = option(command)
    wrapped: F = command
    return wrapped


def read_account(text: str) -> tuple[ForgeKind, int]:
    """Return the account that ``FORGE:ID`` names.

    Raises:
        click.BadParameter: It is not of that form.
    """
    from gitmodel.domain.forge import KINDS

    name, _, number = text.partition(":")
    kind = next((each for each in KINDS if each == name), None)
    if kind is None or not re.fullmatch(r"[1-9][0-9]{0,14}", number):
        raise click.BadParameter(
            f"{text!r} is not FORGE:ID, such as github:583231; the number is the id "
            "that the forge's API gives, as in https://api.github.com/users/NAME"
        )
    return kind, int(number)


def find_place(handle: RegistryHandle, at: At) -> Place:
    """Return the repository at its forge, by the options and the remote's address.

    Raises:
        InputError: That is not enough to tell.
    """
    from gitmodel.adapters.forge.places import locate
    from gitmodel.errors import NotFoundError
    from gitmodel.registry.remotes import remote_of

    head = handle.repository.head().ref or "HEAD"
    try:
        remote = remote_of(handle.repository, head)
    except NotFoundError:
        address = None
    else:
        address = handle.repository.config(f"remote.{remote}.url")
    return locate(address, kind=at.kind, api=at.api, path=at.repository)


def find_token(kind: str) -> Token | None:
    """Return the token for a forge; None if the environment has none."""
    from gitmodel.domain.forge import Token

    for name in TOKENS[kind]:
        if value := os.environ.get(name):
            return Token(name, value)
    return None


def find_forge(handle: RegistryHandle, at: At) -> Forge:
    """Return the forge's API; without a token, where there is none.

    Raises:
        InputError: It is not clear which forge it is, or the token is malformed.
    """
    from gitmodel.adapters.forge.places import connect

    place = find_place(handle, at)
    return connect(place, find_token(place.kind))


def open_pull_request(
    handle: RegistryHandle, place: Place | None, branch: str
) -> Proposal | None:
    """Open the pull request of a request's branch; None where nobody asked for one."""
    if place is None:
        return None
    from gitmodel.adapters.forge.places import connect
    from gitmodel.operations.pull_request import propose

    token = find_token(place.kind)
    return propose(handle, branch, place, connect(place, token) if token else None)


def proposal_json(found: Proposal | None) -> dict[str, object] | None:
    """Return the JSON form of a pull request; null for none."""
    if found is None:
        return None
    return {"url": found.url, "number": found.number, "status": found.status}


def proposal_text(found: Proposal) -> str:
    """Return a pull request as a line of an answer."""
    if found.status == "by_hand":
        return f"  open it at {found.url}"
    return f"  {found.status:<10} {found.url}"
