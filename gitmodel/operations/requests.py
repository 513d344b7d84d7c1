"""Promotions that wait: open a request, list them, approve, reject, land."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.adapters.git import commits
from gitmodel.adapters.lock import exclusive
from gitmodel.domain.pin import Pin
from gitmodel.errors import ConflictError, RefusedError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.gates import decide_promotion
from gitmodel.operations.soundness import require_verified
from gitmodel.registry import layout, requests
from gitmodel.registry.change import Authority, Change, Plan, countersign
from gitmodel.registry.parsing import parse
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.transaction import Mode, transact, write_commit
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.requests import Request
    from gitmodel.registry.view import View

Decision = Literal["approve", "reject"]
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request as people see it.

    Attributes:
        status: open, approved, rejected or stale; ``promoted`` once it has landed.
        approvals: Who approved it, the requester aside.
        threshold: How many approvals it takes.
        commit: The commit that this command made; None if it made none.
    """

    status: str
    model: str
    version: str
    stage: str
    origin: str | None
    requester: str
    reason: str
    branch: str
    approvals: tuple[str, ...]
    rejections: tuple[str, ...]
    threshold: int
    commit: str | None = None


def open_request(
    handle: RegistryHandle, base: View, change: Change, branch: str, *, push: bool
) -> str:
    """Put a proposed move on a branch of its own; return its commit.

    Raises:
        ConflictError: Another request for the same move is open.
    """
    ref = f"refs/heads/{branch}"
    with exclusive(handle.lock_file):
        if handle.repository.resolve(ref) is not None:
            raise ConflictError(
                f"There is a request for the next move of this pin already: {branch}",
                f"gitmodel approve {branch}  or  gitmodel reject {branch} -m WHY",
                f"git branch -D {branch}  withdraws it.",
                code="E_REQUEST_OPEN",
            )
        commit = write_commit(handle, base, change)
        commits.move_branch(
            handle.repository, ref, new=commit, old=None, why="gitmodel: request"
        )
    if push:
        _push(handle, commit, branch)
    return commit


def list_requests(handle: RegistryHandle) -> tuple[RequestRow, ...]:
    """Return every request that this clone knows."""
    main = handle.view()
    return tuple(_row(request) for request in requests.find_all(handle, main))


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
        RefusedError: The signer is the requester, or no approver of that stage.
        IntegrityError: A signature on the branch does not count.
    """
    main = handle.view()
    for _ in range(_ATTEMPTS):
        request = requests.find(handle, main, name)
        change = _voice(handle, main, request, decision, comment)
        if change is None:
            return _row(request)
        commit = _extend(handle, request, change)
        try:
            if push:
                _push(handle, commit, request.branch)
        except ConflictError as error:
            if error.code != "E_PUSH_REJECTED":
                raise
            # Somebody else spoke meanwhile: hear them, then speak again.
            _fetch(handle, request.branch)
            continue
        return replace(_row(requests.find(handle, main, name)), commit=commit)
    raise ConflictError(
        f"Others kept moving {name} on the remote; nothing was pushed.",
        "Run the command again.",
        code="E_PUSH_REJECTED",
    )


def _voice(
    handle: RegistryHandle,
    main: View,
    request: Request,
    decision: Decision,
    comment: str,
) -> Change | None:
    """Return the signature to add; None if the signer has said so already."""
    transition = request.transition
    rules = main.policy.rules_for(transition.stage)
    role = rules.approver_role if rules else "approver"
    principal = handle.acting_as(main, role)
    _require_fresh(request)
    request.record.require_seal("promoter")
    if principal == transition.requester:
        raise RefusedError(
            f"{principal} asked for this promotion, and cannot decide on it too.",
            code="E_SELF_APPROVAL",
        )
    said = request.approvals if decision == "approve" else request.rejections
    if principal in said:
        return None
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
        f"{_version(request)}",
        body=comment,
        trailers=(
            ("Gitmodel-Action", decision),
            ("Gitmodel-Transition", str(request.record.digest)),
            ("Gitmodel-Principal", principal),
        ),
    )
    return Change(message=message, principal=principal, files={path: data})


def _extend(handle: RegistryHandle, request: Request, change: Change) -> str:
    """Put a change on top of a request's branch; return the commit."""
    ref = f"refs/heads/{request.branch}"
    with exclusive(handle.lock_file):
        commit = write_commit(handle, request.view, change)
        old = handle.repository.resolve(ref)
        why = f"gitmodel: {change.message.subject}"
        commits.move_branch(handle.repository, ref, new=commit, old=old, why=why)
    return commit


def finalize(handle: RegistryHandle, name: str, mode: Mode) -> RequestRow:
    """Land a request whose approvals suffice, in one commit on the main line.

    Raises:
        NotFoundError: There is no such request.
        ConflictError: It is stale.
        RefusedError: Approvals are lacking, someone rejected it, or a gate says no.
    """

    def build(main: View) -> Plan[RequestRow]:
        principal = handle.principal(main)
        request = requests.find(handle, main, name)
        transition = request.transition
        _require_fresh(request)
        request.record.require_seal("promoter")
        if transition.requester not in request.record.sealed_by("promoter"):
            raise RefusedError("Its requester has not signed it.", code="E_UNSIGNED")
        _require_voices(request)
        require_sound_history(main, transition.stage, transition.model)
        found = load(main, transition.model, _version(request))
        require_verified(main, found, late=False)
        now = handle.context.clock.now()
        decide_promotion(main, found, transition.stage, now=now).require(
            f"Promoting {transition.model}@{_version(request)} to {transition.stage}"
        )
        change = Change(
            message=CommitMessage(
                subject=f"promote({transition.model}): {transition.stage} "
                f"{transition.origin.version if transition.origin else 'nothing'} -> "
                f"{_version(request)}",
                body=transition.reason,
                trailers=(
                    ("Gitmodel-Action", "promote"),
                    ("Gitmodel-Model", transition.model),
                    ("Gitmodel-Stage", transition.stage),
                    ("Gitmodel-To", _version(request)),
                    ("Gitmodel-Transition", str(request.record.digest)),
                    ("Gitmodel-Principal", transition.requester),
                    *(("Gitmodel-Approved-By", who) for who in request.approvals),
                ),
            ),
            principal=principal,
            files=_files(request),
        )
        return Plan(change, replace(_row(request), status="promoted"))

    done = transact(handle, build, mode)
    if done.commit is not None:
        ref = f"refs/heads/{done.result.branch}"
        handle.repository.git.attempt("update-ref", "-d", ref)
    return replace(done.result, commit=done.commit)


def _files(request: Request) -> dict[str, bytes | None]:
    """Return the pin, the transition and every signature of it."""
    transition = request.transition
    pin_path = layout.pin_path(transition.stage, transition.model)
    directory = request.path.rpartition("/")[0]
    paths = [
        pin_path,
        request.path,
        *request.view.signatures_in(directory).get(request.path, ()),
    ]
    files: dict[str, bytes | None] = {
        path: request.view.blob(path) or b"" for path in paths
    }
    pin = parse("ModelPin", files[pin_path] or b"", pin_path, Pin.from_document)
    if pin.release != transition.target:
        raise RefusedError(
            f"{request.branch} moves the pin to {pin.release.version}, which is not "
            "what was approved.",
            code="E_PIN_MISMATCH",
        )
    return files


def _require_fresh(request: Request) -> None:
    if request.stale:
        raise ConflictError(
            f"The request {request.branch} is stale: the stage moved, or the policy "
            "changed, since it was made.",
            f"git branch -D {request.branch}  drops it; then promote again.",
            code="E_REQUEST_STALE",
        )


def _require_voices(request: Request) -> None:
    if request.rejections:
        raise RefusedError(
            f"{', '.join(request.rejections)} rejected this request.",
            "It can land when they approve it instead.",
            code="E_REJECTED",
        )
    lacking = request.threshold - len(request.approvals)
    if lacking > 0:
        raise RefusedError(
            f"{lacking} of {request.threshold} approvals are lacking.",
            f"gitmodel approve {request.branch}  by another approver.",
            code="E_THRESHOLD",
        )


def _push(handle: RegistryHandle, commit: str, branch: str) -> None:
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    remote = remote_of(handle.repository, f"refs/heads/{branch}")
    porcelain.push(handle.repository, remote, commit, branch)


def _fetch(handle: RegistryHandle, branch: str) -> None:
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    remote = remote_of(handle.repository, f"refs/heads/{branch}")
    porcelain.fetch(handle.repository, remote, branch)


def _version(request: Request) -> str:
    target = request.transition.target
    return target.version if target is not None else ""


def _row(request: Request) -> RequestRow:
    transition = request.transition
    return RequestRow(
        status=request.standing,
        model=transition.model,
        version=_version(request),
        stage=transition.stage,
        origin=transition.origin.version if transition.origin else None,
        requester=transition.requester,
        reason=transition.reason,
        branch=request.branch,
        approvals=request.approvals,
        rejections=request.rejections,
        threshold=request.threshold,
    )
