"""Add a root's signature to a policy that waits, and land it once there are enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.ports import IdentitySigner
from gitmodel.errors import RefusedError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.policy_change import PolicyResult, policy_message
from gitmodel.operations.policy_text import differences, document_in_force
from gitmodel.operations.requests import (
    RequestRow,
    policy_row,
    require_fresh,
    require_own_no,
)
from gitmodel.registry import layout, policy_requests, request_branches
from gitmodel.registry.change import Authority, Change, Plan, countersign
from gitmodel.registry.seals import Seal
from gitmodel.registry.signers_file import export_signers
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.policy_requests import PolicyRequest
    from gitmodel.registry.view import View


def sign_policy(
    handle: RegistryHandle, name: str | None, mode: Mode, *, land: bool = True
) -> PolicyResult:
    """Sign the identical bytes of a policy that waits.

    Args:
        handle: The registry.
        name: Its number or branch; None for the next policy.
        mode: Dry run, push.
        land: Put it in force if nothing is lacking any more.

    Raises:
        NotFoundError: No such policy waits.
        ConflictError: Another policy came in its place.
        RefusedError: The signer is no root of either policy, or one was rejected.
        IntegrityError: What is on the branch is no policy that could follow.
    """
    main = handle.view()
    if mode.dry_run:
        handle.rehearse()
        request = policy_requests.find(handle, main, name)
        require_fresh(request)
        signed = _with_own(handle, request)
        lands = land and signed.standing == "approved"
        result = replace(_result(main, signed), dry_run=True)
        return replace(result, status="changed", branch=None) if lands else result

    def voice(request: PolicyRequest) -> tuple[str, View, Change] | None:
        return _voice(handle, main, request, "approve", "")

    request, commit = request_branches.speak(
        handle,
        lambda: policy_requests.find(handle, main, name),
        voice,
        push=mode.push,
    )
    if mode.push and commit is None:
        request_branches.publish(handle, request.branch, request.tip)
    if request.needed or not land:
        return replace(_result(main, request), commit=commit)
    return _land(handle, request.branch, mode)


def reject_policy(
    handle: RegistryHandle, name: str, *, comment: str, push: bool
) -> RequestRow:
    """Say no to a policy that waits; it cannot land until the signer signs it instead.

    Raises:
        NotFoundError: No such policy waits.
        ConflictError: Another policy came in its place.
        RefusedError: The signer is no root of either policy.
    """
    main = handle.view()

    def voice(request: PolicyRequest) -> tuple[str, View, Change] | None:
        return _voice(handle, main, request, "reject", comment)

    request, commit = request_branches.speak(
        handle, lambda: policy_requests.find(handle, main, name), voice, push=push
    )
    if push and commit is None:
        request_branches.publish(handle, request.branch, request.tip)
    return replace(policy_row(request), commit=commit)


def _with_own(handle: RegistryHandle, request: PolicyRequest) -> PolicyRequest:
    """Return a request as it would be with the signer's own signature."""
    principal, edition = _capacity(handle, request)
    keyid = handle.signer.keyid
    others = [seal for seal in request.record.seals if seal.keyid != keyid]
    own = Seal(
        principal=principal,
        keyid=keyid,
        role="root",
        decision="approve",
        comment="",
        policy=edition.digest,
    )
    return replace(request, record=replace(request.record, seals=(*others, own)))


def _voice(
    handle: RegistryHandle,
    main: View,
    request: PolicyRequest,
    decision: Literal["approve", "reject"],
    comment: str,
) -> tuple[str, View, Change] | None:
    require_fresh(request)
    principal, edition = _capacity(handle, request)
    keyid = handle.signer.keyid
    if decision == "approve":
        own = [seal for seal in request.record.seals if seal.principal == principal]
        require_own_no(handle, own, f"policy sign {request.number}")
    if any(
        (seal.keyid, seal.decision) == (keyid, decision)
        for seal in request.record.seals
    ):
        return None
    path, data = countersign(
        handle.signer,
        request.record,
        kind="policy",
        role="root",
        authority=Authority(main.registry_id, edition.digest),
        decision=decision,
        comment=comment,
    )
    word = "sign" if decision == "approve" else "reject"
    message = CommitMessage(
        subject=f"{word}(policy): {request.number}",
        body=comment,
        trailers=(
            ("Gitmodel-Action", decision),
            ("Gitmodel-Policy", str(request.record.digest)),
            ("Gitmodel-Principal", principal),
        ),
    )
    change = Change(message=message, principal=principal, files={path: data})
    return request.branch, request.view, change


def _capacity(handle: RegistryHandle, request: PolicyRequest) -> tuple[str, Edition]:
    """Return who signs, and the policy by which that principal is a root.

    Raises:
        RefusedError: By neither.
    """
    signer = handle.signer
    for edition in request.editions:
        owner = edition.policy.owner_of(signer.keyid)
        if owner is not None and edition.policy.has_role(owner, "root"):
            if isinstance(signer, IdentitySigner):
                signer.bind(edition.trusted_root)
            return owner, edition
    names = sorted({who for each in request.roots for who in each.signed + each.others})
    raise RefusedError(
        "Your key is of no root, in the policy in force or in the one that waits.",
        f"Those who are: {', '.join(names)}",
        code="E_ROLE",
    )


def _land(handle: RegistryHandle, branch: str, mode: Mode) -> PolicyResult:
    def build(main: View) -> Plan[PolicyResult]:
        request = policy_requests.find(handle, main, branch)
        require_fresh(request)
        principal, _ = _capacity(handle, request)
        if request.rejections:
            raise RefusedError(
                f"{', '.join(request.rejections)} rejected this policy.",
                "It can land when they sign it instead:  gitmodel policy sign",
                code="E_REJECTED",
            )
        if request.needed:
            raise RefusedError(
                f"Signatures are lacking: {'; '.join(request.needed)}",
                code="E_THRESHOLD",
            )
        others = tuple(who for who in request.signers if who != principal)
        change = Change(
            message=policy_message(
                f"number {request.number}",
                request.record.digest,
                (principal, *others),
            ),
            principal=principal,
            files=_files(main, request),
        )
        result = replace(_result(main, request), status="changed", branch=None)
        return Plan(change, result)

    done = transact(handle, build, mode)
    if done.commit is not None:
        export_signers(handle.repository, done.result.policy)
        request_branches.drop(handle, branch, push=mode.push)
    return replace(done.result, commit=done.commit)


def _files(main: View, request: PolicyRequest) -> dict[str, bytes | None]:
    """Return the policy, the signatures that count, and the root that it pins anew."""
    path = request.record.path
    paths = [
        path,
        *(layout.signature_path(path, seal.keyid) for seal in request.record.seals),
    ]
    pinned = request.new.policy.trusted_root
    if pinned is not None:
        if request.new.trusted_root is None:
            raise RefusedError(
                "The trusted root that it pins is not on its branch.",
                code="E_TRUST_ROOT",
            )
        root = layout.trusted_root_path(pinned)
        paths += [] if main.entry(root) else [root]
    return {each: request.view.blob(each) for each in paths}


def _result(main: View, request: PolicyRequest) -> PolicyResult:
    return PolicyResult(
        status="pending",
        version=request.number,
        digest=str(request.record.digest),
        policy=request.new.policy,
        signers=request.signers,
        changes=differences(document_in_force(main), request.document),
        branch=request.branch,
        needed=(
            *request.needed,
            *(f"{who}, who rejected it, to sign it" for who in request.rejections),
        ),
    )
