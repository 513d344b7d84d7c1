"""Turn the reviews of a pull request into signed evidence about its transition.

Run by a collector, in CI on the base branch: never by what the pull request brings
along. Which accounts count is not asked here but by whoever verifies; what is signed
is all that the forge said (``design`` §4.9).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.forge_approval import ForgeApproval, Source
from gitmodel.domain.moment import to_text
from gitmodel.errors import (
    ConflictError,
    IntegrityError,
    NotFoundError,
    RefusedError,
)
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.finalize import finalize
from gitmodel.operations.requests import (
    asking_role,
    move_row,
    require_fresh,
    require_usable,
    version_of,
)
from gitmodel.registry import forge_approvals, layout, request_branches, requests
from gitmodel.registry.change import Authority, Change, sign_document
from gitmodel.registry.forge_approvals import KIND, ROLE
from gitmodel.registry.transaction import Mode
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.domain.forge import Forge, PullRequest, Review
    from gitmodel.domain.forge_approval import PassedOver
    from gitmodel.operations.requests import RequestRow
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.requests import Request

_MOST = 1000  # commits of a request that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectResult:
    """What was collected.

    Attributes:
        row: The request afterwards.
        approvals: Principals whose reviews count.
        rejections: Principals who asked for changes.
        passed_over: Reviews that do not count, and why not.
        document: The path of the statement; None if nothing new was written.
    """

    row: RequestRow
    pull_request: int
    approvals: tuple[str, ...]
    rejections: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    document: str | None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the forge said of one pull request, at one moment."""

    source: Source
    request: PullRequest
    reviews: tuple[Review, ...]


def collect(
    handle: RegistryHandle,
    name: str,
    forge: Forge,
    number: int,
    *,
    land: bool = False,
    mode: Mode | None = None,
) -> CollectResult:
    """Collect the reviews of pull request ``number`` for the request ``name``.

    With ``land`` the statement goes to the main line together with the promotion, if
    it makes the approvals enough, and nowhere if it does not: the request's branch
    stays as it was reviewed.

    Raises:
        NotFoundError: There is no such request, or no such pull request.
        ConflictError: The request is stale, the pull request is closed, or it moved.
        RefusedError: The signer is no collector or asked for it, the policy does not
            let reviews of that repository count, or the pull request proposes
            something else.
        IntegrityError: The request, or what was collected before, does not count.
        OutsideError: The forge failed.
    """
    mode = mode or Mode()
    if mode.dry_run:
        handle.rehearse()
    main = handle.view()
    request = requests.find(handle, main, name)
    principal = handle.acting_as(main, ROLE)
    require_fresh(request)
    require_usable(main, request)
    request.record.require_seal(asking_role(main, request))
    if principal == request.transition.requester:
        raise RefusedError(
            f"{principal} asked for this move, and cannot collect for it too.",
            "Let CI collect, as a principal of its own.",
            code="E_SELF_APPROVAL",
        )
    if request.problems:
        raise IntegrityError(
            f"What was collected before is broken: {request.problems[0]}",
            f"git log {request.branch}  shows who put it there.",
            code=request.problems[0].code,
            problems=[problem.to_dict() for problem in request.problems],
        )
    asked = _ask(handle, main, request, forge, number)
    said = _statement(handle, main, request, asked, principal)
    heard = forge_approvals.count(said, request.transition, main.policy)
    judged = requests.with_reviews(main, request, heard)
    anything = said.number > 1 or heard.weighed.approvals or heard.rejections
    new = bool(anything) and not _is_known(main, request, said)
    result = CollectResult(
        row=move_row(judged),
        pull_request=number,
        approvals=heard.weighed.approvals,
        rejections=heard.rejections,
        passed_over=heard.weighed.passed_over,
        document=_path(said, request) if new else None,
        dry_run=mode.dry_run,
    )
    ready = judged.standing == "approved"
    if mode.dry_run or not (ready if land else new):
        return replace(result, document=result.document if mode.dry_run else None)
    commit = None
    if new:
        _, commit = request_branches.speak(
            handle,
            lambda: requests.find(handle, main, name),
            lambda found: _speech(handle, main, found, asked, principal),
            push=mode.push and not land,
        )
    if land:
        return replace(result, row=finalize(handle, name, Mode(push=mode.push)))
    row = move_row(requests.find(handle, main, name))
    return replace(result, row=replace(row, commit=commit))


def _speech(
    handle: RegistryHandle,
    main: View,
    request: Request,
    asked: _Asked,
    principal: str,
) -> tuple[str, View, Change] | None:
    """Return what to add to a request; None if another collector was faster."""
    said = _statement(handle, main, request, asked, principal)
    if _is_known(main, request, said):
        return None
    transition = request.transition
    signed = sign_document(
        handle.signer,
        _path(said, request),
        said.to_document(),
        kind=KIND,
        role=ROLE,
        authority=Authority(main.registry_id, main.policy_digest),
    )
    message = CommitMessage(
        subject=f"collect({transition.model}): {transition.stage} "
        f"{version_of(request)}",
        body=f"Reviews of pull request {said.pull_request} at {said.source}",
        trailers=(
            ("Gitmodel-Action", "collect"),
            ("Gitmodel-Transition", str(request.record.digest)),
            ("Gitmodel-Principal", principal),
        ),
    )
    files: dict[str, bytes | None] = dict(signed.files)
    change = Change(message=message, principal=principal, files=files)
    return request.branch, request.view, change


def _path(said: ForgeApproval, request: Request) -> str:
    transition = request.transition
    return layout.forge_approval_path(
        transition.stage, transition.model, transition.seq, said.number
    )


def _ask(
    handle: RegistryHandle, main: View, request: Request, forge: Forge, number: int
) -> _Asked:
    source = Source(
        forge=forge.place.kind, host=forge.place.host, repository=forge.repository_id()
    )
    transition = request.transition
    rules = main.policy.rules_for(transition.stage, transition.model)
    if rules is None or source not in rules.forges:
        raise RefusedError(
            f"The policy lets no review at {source} count in {transition.stage}.",
            f"gitmodel policy require {transition.stage} --forge {source}  by a root "
            "changes that.",
            code="E_FORGE_SOURCE",
        )
    found = forge.pull_request(number)
    _require_proposal(handle, request, found)
    reviews = forge.reviews(found)
    if forge.pull_request(number).head != found.head:
        raise ConflictError(
            f"Pull request {number} moved while its reviews were read.",
            "Run the command again.",
            code="E_FORGE_MOVED",
        )
    return _Asked(source, found, reviews)


def _require_proposal(
    handle: RegistryHandle, request: Request, found: PullRequest
) -> None:
    """Insist that a pull request proposes this request, to the main line."""
    if found.state != "open":
        raise ConflictError(
            f"Pull request {found.number} is {found.state}.", code="E_FORGE_CLOSED"
        )
    branch = handle.writable_branch().removeprefix("refs/heads/")
    if found.base != branch:
        raise RefusedError(
            f"Pull request {found.number} is for {found.base!a}, not for {branch}.",
            code="E_FORGE_PROPOSAL",
        )
    if handle.repository.resolve(found.head) is None:
        raise NotFoundError(
            f"This clone does not have the commit {found.head[:12]} of pull request "
            f"{found.number}",
            "git fetch  brings it.",
            code="E_FORGE_MOVED",
        )
    if not _proposes_the_same(request, View(handle.reader, found.head)):
        raise RefusedError(
            f"Pull request {found.number} proposes something else than "
            f"{request.branch}.",
            "git fetch  brings what others added to the request.",
            code="E_FORGE_PROPOSAL",
        )


def _proposes_the_same(request: Request, other: View) -> bool:
    """Say whether a commit differs from the request by evidence alone."""
    if other.blob(request.path) != request.view.blob(request.path):
        return False
    changed, _ = request.view.files_since(other)
    missing, _ = other.files_since(request.view)
    return all(_is_evidence(request, path) for path in {*changed, *missing})


def _is_evidence(request: Request, path: str) -> bool:
    """Say whether a file is a signature of the transition, or what a forge said."""
    transition = request.transition
    place = layout.classify(path)
    if place.kind == "signature":
        place = layout.classify(place.document)
        if place.kind not in {"transition", "forge_approval"}:
            return False
    elif place.kind != "forge_approval":
        return False
    here = (transition.stage, transition.model, transition.seq)
    return (place.stage, place.model, place.seq) == here


def _unchanged(
    handle: RegistryHandle, main: View, request: Request, head: str
) -> tuple[str, ...]:
    """Return the other commits of the request that propose the same as ``head``."""
    listed = handle.repository.git.run(
        "rev-list", f"--max-count={_MOST}", head, f"^{main.commit}"
    )
    return tuple(
        commit
        for commit in listed.decode().split()
        if commit != head and _proposes_the_same(request, View(handle.reader, commit))
    )


def _statement(
    handle: RegistryHandle,
    main: View,
    request: Request,
    asked: _Asked,
    principal: str,
) -> ForgeApproval:
    """Return what would be the next statement about a request."""
    before = forge_approvals.numbers(request.view, request.transition)
    return ForgeApproval(
        number=len(before) + 1,
        transition=request.record.digest,
        source=asked.source,
        pull_request=asked.request.number,
        author=asked.request.author,
        head=asked.request.head,
        unchanged=_unchanged(handle, main, request, asked.request.head),
        reviews=asked.reviews,
        collector=principal,
        collected_at=to_text(handle.context.clock.now()),
    )


def _is_known(main: View, request: Request, said: ForgeApproval) -> bool:
    """Say whether the newest statement about a request says the same already."""
    heard = forge_approvals.hear(
        request.view, request.transition, request.record, main.policy, trusted=main
    )
    return not heard.problems and heard.said is not None and said.says_as(heard.said)
