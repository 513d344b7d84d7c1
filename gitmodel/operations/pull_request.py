"""Open the pull request of a request, by whatever way there is.

With a token, through the forge's API, and only if there is none yet. Without one, a
GitLab opens merge requests for push options, and a Gitea or Forgejo for a push to
``refs/for/``. Where nothing of this works, the page is named on which a person does it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git import porcelain
from gitmodel.domain.forge import mark
from gitmodel.errors import ConflictError, OutsideError
from gitmodel.operations.request_report import MARKER, report, title
from gitmodel.registry import requests
from gitmodel.registry.remotes import remote_of

if TYPE_CHECKING:
    from gitmodel.domain.forge import Forge, Place
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.requests import Request

_URL = re.compile(r"https?://[^\s\x00-\x1f\x7f]{1,500}")
_NUMBER = re.compile(r"/(?:merge_requests|pulls?)/([1-9][0-9]{0,9})$")
_LONGEST_OPTION = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where a request is reviewed, or can be brought to be.

    Attributes:
        url: Of the pull request; of the page that opens one where there is none.
        number: None if it was not opened, or its number is not known.
        status: found, opened, or by_hand.
    """

    url: str
    number: int | None
    status: str


def propose(
    handle: RegistryHandle, name: str, place: Place, forge: Forge | None
) -> Proposal:
    """Push the branch of a request, and open its pull request.

    Args:
        handle: The registry.
        name: The request.
        place: The repository at its forge.
        forge: The forge's API; None without a token.

    Raises:
        NotFoundError: There is no such request, or no remote.
        OutsideError: The remote or the forge failed.
    """
    main = handle.view()
    request = requests.find(handle, main, name)
    base = handle.writable_branch().removeprefix("refs/heads/")
    remote = remote_of(handle.repository, f"refs/heads/{base}")
    if forge is None:
        return _without_token(handle, request, place, remote, base)
    _push(handle, request, remote)
    found = forge.find_pull_request(request.branch, base)
    if found is not None:
        return Proposal(found.url, found.number, "found")
    text = report(main, request, now=handle.context.clock.now())
    try:
        made = forge.open_pull_request(request.branch, base, title(request), text)
    except OutsideError as error:
        # Somebody else was faster, or our answer got lost.
        again = forge.find_pull_request(request.branch, base)
        if again is None:
            raise error from None
        return Proposal(again.url, again.number, "found")
    return Proposal(made.url, made.number, "opened")


def keep_comment(handle: RegistryHandle, name: str, forge: Forge, number: int) -> str:
    """Post the report of a request to a pull request, or replace the one there.

    Raises:
        NotFoundError: There is no such request or pull request.
        OutsideError: The forge failed.
    """
    main = handle.view()
    request = requests.find(handle, main, name)
    text = report(main, request, now=handle.context.clock.now())
    return forge.upsert_comment(number, MARKER, f"{mark(MARKER)}\n{text}")


def keep_text(forge: Forge, number: int, text: str) -> str:
    """Post a text to a pull request, or replace the one there.

    It takes the place of the report of a request, so that there is one comment.

    Raises:
        NotFoundError: There is no such pull request.
        OutsideError: The forge failed.
    """
    return forge.upsert_comment(number, MARKER, f"{mark(MARKER)}\n{text}")


def _without_token(
    handle: RegistryHandle, request: Request, place: Place, remote: str, base: str
) -> Proposal:
    """Ask the remote itself, while pushing; name the page if that does not help."""
    by_hand = Proposal(place.compare_url(base, request.branch), None, "by_hand")
    head = title(request)[:_LONGEST_OPTION]
    options: tuple[str, ...]
    if place.kind == "gitlab":
        options = (
            "merge_request.create",
            f"merge_request.target={base}",
            f"merge_request.title={head}",
        )
        said = _try(handle, request, remote, f"refs/heads/{request.branch}", options)
    elif place.kind in {"gitea", "forgejo"}:
        options = (f"topic={request.branch}", f"title={head}")
        said = _try(handle, request, remote, f"refs/for/{base}", options)
    else:
        said = ""
    _push(handle, request, remote)  # for those who approve by signature
    for url in _URL.findall(said):
        number = _NUMBER.search(url)
        if number is not None and url.startswith(f"{place.web}/"):
            return Proposal(url, int(number[1]), "opened")
    return by_hand


def _try(
    handle: RegistryHandle,
    request: Request,
    remote: str,
    ref: str,
    options: tuple[str, ...],
) -> str:
    """Push with options; nothing is lost if the remote knows no such thing."""
    try:
        return _push(handle, request, remote, ref, options)
    except OutsideError as error:
        if error.code not in {"E_PUSH_OPTIONS", "E_REMOTE_REFUSED"}:
            raise
        return ""


def _push(
    handle: RegistryHandle,
    request: Request,
    remote: str,
    ref: str | None = None,
    options: tuple[str, ...] = (),
) -> str:
    try:
        return porcelain.push_ref(
            handle.repository,
            remote,
            request.tip,
            ref or f"refs/heads/{request.branch}",
            options=options,
        )
    except ConflictError as error:
        raise ConflictError(
            f"The remote has more on {request.branch} than this clone.",
            "git fetch  brings it; then run the command again.",
            code=error.code,
        ) from error
