"""Make policy n+1 from policy n: proved harmless, signed, and landed or proposed.

The document is edited, not rebuilt, so that rules this version does not know stay.
Whatever would leave the registry in nobody's hands is refused before it is signed.
Where the signer alone does not meet the root threshold of both policies, the new one
waits for others on a branch of its own (``design`` §4.5).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.domain.meetable import unmeetable
from gitmodel.domain.moment import to_text
from gitmodel.errors import InputError, RefusedError
from gitmodel.formats import schema, yaml_writer
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.policy_text import differences, document_in_force
from gitmodel.registry import layout, request_branches
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.policies import Edition
from gitmodel.registry.policy_chain import roots
from gitmodel.registry.policy_requests import branch_of
from gitmodel.registry.records import read_record
from gitmodel.registry.seals import Seal
from gitmodel.registry.signers_file import export_signers
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.policy import Policy
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

    Document = dict[str, Any]
    Edit = Callable[[Document], bool]

#: What is well-formed and must not be; anything else is malformed.
_CONTRADICTIONS = ("E_POLICY", "E_KEY", "E_IDENTITY")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """A policy after a command: in force, or waiting for signatures.

    Attributes:
        status: ``in_force`` if it is shown only, or was so already.
        version: Its number.
        signers: The principals who have signed it.
        changes: How it differs from the one before, as a unified diff.
        branch: Where it waits; None if it does not.
        needed: Whose signatures it waits for.
        commit: None if nothing changed, or for a dry run.
    """

    status: Literal["in_force", "changed", "pending"] = "in_force"
    version: int
    digest: str
    policy: Policy
    signers: tuple[str, ...]
    changes: str = ""
    branch: str | None = None
    needed: tuple[str, ...] = ()
    commit: str | None = None
    dry_run: bool = False


def show_policy(view: View) -> PolicyResult:
    """Return the policy in force, and who signed it."""
    path = layout.policy_path(view.policy_number)
    record = read_record(view, path, "policy")
    signers = set(record.sealed_by("root")) if record else set()
    return PolicyResult(
        version=view.policy.version,
        digest=str(view.policy_digest),
        policy=view.policy,
        signers=tuple(sorted(signers)),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A result, and the change that must wait for signatures on a branch."""

    result: PolicyResult
    proposal: tuple[View, Change] | None = None


def change_policy(
    handle: RegistryHandle,
    edit: Edit,
    what: str,
    mode: Mode,
    *,
    files: Mapping[str, bytes] | None = None,
    strict: bool = False,
) -> PolicyResult:
    """Make the next policy.

    Args:
        handle: The registry.
        edit: Changes the document; says whether that changed anything.
        what: Was done, for the log.
        mode: Dry run, push.
        files: What comes with it, such as a trusted root.
        strict: Refuse what asks for approvals that could never come together. Where
            someone is to be removed, that is only said: safety comes first.

    Raises:
        RefusedError: The signer is no root, or the new policy would be dangerous.
        ConflictError: Another policy waits for signatures already.
    """
    more = files or {}

    def build(view: View) -> Plan[_Outcome]:
        principal = handle.acting_as(view, "root")
        before = document_in_force(view)
        document = copy.deepcopy(before)
        if not edit(document):
            return Plan(None, _Outcome(show_policy(view)))
        document |= {
            "version": view.policy.version + 1,
            "prior": str(view.policy_digest),
            "createdAt": to_text(handle.context.clock.now()),
        }
        edition = _proved(handle, view, document, more, strict=strict)
        path = layout.policy_path(edition.policy.version)
        signed = sign_document(
            handle.signer,
            path,
            document,
            kind="policy",
            role="root",
            authority=Authority(view.registry_id, view.policy_digest),
        )
        change = Change(
            message=policy_message(what, signed.digest, (principal,)),
            principal=principal,
            files={**more, **signed.files},
        )
        counts = [
            roots(each, (_own_seal(handle, view, principal),))
            for each in (view.edition, edition)
        ]
        result = PolicyResult(
            status="changed",
            version=edition.policy.version,
            digest=str(signed.digest),
            policy=edition.policy,
            signers=(principal,),
            changes=differences(before, document),
            needed=tuple(str(each) for each in counts if each.lacking),
            dry_run=mode.dry_run,
        )
        if not result.needed:
            return Plan(change, _Outcome(result))
        result = replace(
            result, status="pending", branch=branch_of(edition.policy.version)
        )
        return Plan(None, _Outcome(result, (view, change)))

    done = transact(handle, build, mode)
    result, proposal = done.result.result, done.result.proposal
    if done.commit is not None:
        export_signers(handle.repository, result.policy)
    if result.branch is not None and mode.dry_run:
        request_branches.require_free(handle, result.branch)
    if proposal is None or result.branch is None or mode.dry_run:
        return replace(result, commit=done.commit)
    commit = request_branches.start(handle, *proposal, result.branch, push=mode.push)
    return replace(result, commit=commit)


def policy_message(
    what: str, digest: Digest, signers: tuple[str, ...]
) -> CommitMessage:
    """Return the message of a commit that brings a policy; its maker comes first."""
    principal, *others = signers
    return CommitMessage(
        subject=f"policy: {what}",
        trailers=(
            ("Gitmodel-Action", "policy"),
            ("Gitmodel-Policy", str(digest)),
            ("Gitmodel-Principal", principal),
            *(("Gitmodel-Approved-By", who) for who in others),
        ),
    )


def _own_seal(handle: RegistryHandle, view: View, principal: str) -> Seal:
    return Seal(
        principal=principal,
        keyid=handle.signer.keyid,
        role="root",
        decision="approve",
        comment="",
        policy=view.policy_digest,
    )


def _proved(
    handle: RegistryHandle,
    view: View,
    document: Document,
    files: Mapping[str, bytes],
    *,
    strict: bool,
) -> Edition:
    """Return the policy that a document makes, if it may ever be in force.

    Raises:
        InputError: It is malformed.
        RefusedError: It contradicts itself, or asks for what could never be.
    """
    number = document["version"]
    path = layout.policy_path(number)
    try:
        new = Edition.read(
            yaml_writer.dump(document),
            number,
            lambda other: files.get(other) or view.blob(other),
        )
    except InputError as error:
        if not error.code.startswith(_CONTRADICTIONS):
            raise
        raise RefusedError(
            error.message, *error.hints, code=error.code, problems=error.problems
        ) from error
    schema.require("Policy", document, path)
    if new.policy.trusted_root is not None and new.trusted_root is None:
        raise RefusedError(
            "The policy pins a trusted root that this registry does not have.",
            "gitmodel policy trust-root FILE  brings one in.",
            code="E_TRUST_ROOT",
        )
    _require_thresholds_that_count(view.policy, new.policy)
    known = unmeetable(view.policy)
    fresh = [why for why in unmeetable(new.policy) if why not in known]
    if fresh and strict:
        raise RefusedError(
            f"That could never come together: {fresh[0]}.",
            "gitmodel policy grant NAME ROLE  gives the role to one more.",
            code="E_POLICY",
            problems=[{"code": "E_POLICY", "message": f"{why}."} for why in fresh],
        )
    for why in fresh:
        handle.context.warn(f"From then on nobody can meet this: {why}.")
    return new


def _require_thresholds_that_count(old: Policy, new: Policy) -> None:
    """Refuse a threshold that nothing looks at: it would promise what is not so."""
    for role in new.roles:
        known = old.role(role.name)
        if (
            role.name != "root"
            and role.threshold > 1
            and (known is None or known.threshold != role.threshold)
        ):
            raise RefusedError(
                f"One signature acts for the role {role.name}; only the roots have a "
                "threshold.",
                "gitmodel policy require STAGE --approvals N --role ROLE  asks for "
                "more approvals.",
                code="E_POLICY",
            )
