"""Changes that wait for others: list them, approve and reject moves of pins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.errors import ConflictError, GitmodelError, RefusedError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.registry import policy_requests, request_branches, requests
from gitmodel.registry.change import Authority, Change, countersign
from gitmodel.registry.quarantines import require_not_quarantined
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.policy_requests import PolicyRequest
    from gitmodel.registry.requests import Request
    from gitmodel.registry.seals import Seal

Decision = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request as people see it.

    Attributes:
        kind: promotion, rollback or policy; review for a rollback that has landed.
        status: open, approved, rejected or stale; ``promoted`` or ``rolled_back``
            once it has landed; of a review, due, overdue, approved or rejected.
        model: None for a policy, as is ``stage``.
        version: The version to move to, or the number of the policy.
        origin: What is in force now.
        requester: None for a policy, whose signers are all alike.
        approvals: Who approved it, the requester aside.
        threshold: How many approvals it takes.
        needed: What it still lacks, in words.
        commit: The commit that this command made; None if it made none.
    """

    kind: str
    status: str
    model: str | None
    version: str
    stage: str | None
    origin: str | None
    requester: str | None
    reason: str
    branch: str
    approvals: tuple[str, ...]
    rejections: tuple[str, ...]
    threshold: int
    needed: tuple[str, ...]
    commit: str | None = None


def list_requests(handle: RegistryHandle) -> tuple[RequestRow, ...]:
    """Return every request that this clone knows and that has not landed.

    Who asked keeps the branch when others land it, and a plain merge keeps it, too.

    Anybody who can push can make a branch that looks like one: what cannot be read is
    said, and hides nothing else.
    """
    return tuple(_rows(handle, handle.view()))


def _rows(handle: RegistryHandle, main: View) -> Iterator[RequestRow]:
    for branch, tip in sorted(request_branches.tips(handle).items()):
        try:
            if policy_requests.is_policy(branch):
                if not _has_landed(handle, main, tip, policy_requests.path_of(branch)):
                    yield policy_row(policy_requests.read(handle, main, branch, tip))
            elif requests.is_move(branch) and not _has_landed(
                handle, main, tip, requests.path_of(branch)
            ):
                yield move_row(requests.read(handle, main, branch, tip))
        except GitmodelError as error:
            handle.context.warn(f"{branch} cannot be read: {error.message}")


def _has_landed(handle: RegistryHandle, main: View, tip: str, path: str) -> bool:
    """Say whether the main line has the very document that a branch proposes."""
    known = main.blob(path)
    return known is not None and known == View(handle.reader, tip).blob(path)


def decide(
    handle: RegistryHandle,
    name: str,
    decision: Decision,
    *,
    comment: str,
    push: bool,
) -> RequestRow:
    """Approve or reject a request: sign the identical bytes of its transition.

    Raises:
        NotFoundError: There is no such request.
        ConflictError: It is stale: the pin moved since it was asked for.
        RefusedError: The signer is the requester, or no approver of that stage; or it
            moves to what is in quarantine.
        IntegrityError: A signature on the branch does not count.
    """
    main = handle.view()

    def voice(request: Request) -> tuple[str, View, Change] | None:
        change = _voice(handle, main, request, decision, comment)
        return (request.branch, request.view, change) if change else None

    request, commit = request_branches.speak(
        handle, lambda: requests.find(handle, main, name), voice, push=push
    )
    if push and commit is None:
        request_branches.publish(handle, request.branch, request.tip)
    return replace(move_row(request), commit=commit)


def _voice(
    handle: RegistryHandle,
    main: View,
    request: Request,
    decision: Decision,
    comment: str,
) -> Change | None:
    """Return the signature to add; None if the signer has said so already."""
    transition = request.transition
    role = _role(handle, main, request)
    principal = handle.acting_as(main, role)
    require_fresh(request)
    request.record.require_seal(asking_role(main, request))
    if principal == transition.requester:
        raise RefusedError(
            f"{principal} asked for this {transition.action}, and cannot decide on it "
            "too.",
            code="E_SELF_APPROVAL",
        )
    if _is_said(handle, request, principal, decision):
        return None
    if decision == "approve":
        require_usable(main, request)
    path, data = countersign(
        handle.signer,
        request.record,
        kind="transition",
        role=role,
        authority=Authority(main.registry_id, main.policy_digest),
        decision=decision,
        comment=comment,
    )
    message = CommitMessage(
        subject=f"{decision}({transition.model}): {transition.stage} "
        f"{version_of(request)}",
        body=comment,
        trailers=(
            ("Gitmodel-Action", decision),
            ("Gitmodel-Transition", str(request.record.digest)),
            ("Gitmodel-Principal", principal),
        ),
    )
    return Change(message=message, principal=principal, files={path: data})


def _is_said(
    handle: RegistryHandle, request: Request, principal: str, decision: Decision
) -> bool:
    """Say whether a principal has signed so already, whatever a forge says."""
    judges = {each.quorum.role for each in request.counts} or {"approver"}
    own = [
        seal
        for seal in request.record.seals
        if seal.principal == principal and seal.role in judges
    ]
    refused = any(seal.decision == "reject" for seal in own)
    if decision == "reject":
        return refused
    require_own_no(handle, own, f"approve {request.branch}")
    return bool(own) and not refused


def require_own_no(handle: RegistryHandle, own: Iterable[Seal], verb: str) -> None:
    """Insist that no other key of a principal has said no.

    Who takes a no back does so with the key that said it: its signature is replaced.

    Args:
        handle: The registry; its signer is about to say yes.
        own: The signatures of the signer's principal.
        verb: The command by which it says so.

    Raises:
        ConflictError: Another key has.
    """
    for seal in own:
        if seal.decision == "reject" and seal.keyid != handle.signer.keyid:
            key = seal.keyid[:8]
            raise ConflictError(
                f"{seal.principal} rejected it with key {key}, and can take that back "
                "with that key only.",
                f"gitmodel --key FILE {verb}  with that key's file.",
                code="E_REJECTED",
            )


def _role(handle: RegistryHandle, main: View, request: Request) -> str:
    """Return the role in which the signer is heard: best one that is lacking still."""
    if not request.counts:
        return "approver"
    owner = handle.principal(main)
    lacking_first = sorted(request.counts, key=lambda each: not each.lacking)
    mine = [
        each.quorum.role
        for each in lacking_first
        if main.policy.has_role(owner, each.quorum.role)
    ]
    return mine[0] if mine else lacking_first[0].quorum.role


def asking_role(main: View, request: Request) -> str:
    """Return the role in which a request must have been made."""
    transition = request.transition
    rules = main.policy.rules_for(transition.stage, transition.model)
    if rules is None:
        raise RefusedError(
            f"The policy knows no stage {transition.stage}", code="E_STAGE"
        )
    return rules.requester_role(transition.move)


def require_fresh(request: Request | PolicyRequest) -> None:
    """Insist that nothing has happened that a request did not reckon with.

    Raises:
        ConflictError: The stage moved, or the policy changed.
    """
    if request.stale:
        raise ConflictError(
            f"The request {request.branch} is stale: the stage moved, or the policy "
            "changed, since it was made.",
            f"git branch -D {request.branch}  drops it; then ask again.",
            code="E_REQUEST_STALE",
        )


def require_usable(main: View, request: Request) -> None:
    """Insist that what a request moves to is not in quarantine.

    Raises:
        RefusedError: It is.
    """
    transition = request.transition
    if transition.target is not None:
        require_not_quarantined(main, transition.model, transition.target.version)


def version_of(request: Request) -> str:
    """Return the version that a request moves to."""
    target = request.transition.target
    return target.version if target is not None else ""


def move_row(request: Request) -> RequestRow:
    """Return a request to move a pin as people see it."""
    transition = request.transition
    return RequestRow(
        kind="rollback" if transition.action == "rollback" else "promotion",
        status=request.standing,
        model=transition.model,
        version=version_of(request),
        stage=transition.stage,
        origin=transition.origin.version if transition.origin else None,
        requester=transition.requester,
        reason=transition.reason,
        branch=request.branch,
        approvals=request.approvals,
        rejections=request.rejections,
        threshold=request.threshold,
        needed=tuple(
            f"{each.lacking} more of {each.quorum}"
            for each in request.counts
            if each.lacking
        ),
    )


def policy_row(request: PolicyRequest) -> RequestRow:
    """Return a request to change the policy as people see it."""
    return RequestRow(
        kind="policy",
        status=request.standing,
        model=None,
        version=str(request.number),
        stage=None,
        origin=str(request.number - 1),
        requester=None,
        reason="",
        branch=request.branch,
        approvals=request.signers,
        rejections=request.rejections,
        threshold=request.threshold,
        needed=request.needed,
    )
