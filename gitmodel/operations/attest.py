"""Attest a late fact about a version: one signed document, in one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.attestation import (
    REPORTS,
    Attestation,
    Finding,
    Result,
    Type,
    attestors,
)
from gitmodel.domain.moment import to_text
from gitmodel.domain.pin import Release
from gitmodel.errors import ConflictError, InputError, RefusedError
from gitmodel.formats import schema
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.claims import Claim
from gitmodel.registry import layout
from gitmodel.registry.attestations import next_number
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import load, resolve

if TYPE_CHECKING:
    from gitmodel.domain.selector import Selector
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestResult:
    """What was attested.

    Attributes:
        attestation: Digest of the document.
        commit: None for a dry run.
    """

    attestation: str
    path: str
    type: Type
    result: Result
    model: str
    version: str
    by: str
    role: str
    findings: tuple[Finding, ...]
    commit: str | None = None
    dry_run: bool = False


def attest(
    handle: RegistryHandle,
    selector: Selector,
    kind: Type,
    claim: Claim | None,
    *,
    role: str | None = None,
    mode: Mode | None = None,
) -> AttestResult:
    """Sign a fact about the version that ``selector`` names.

    Args:
        handle: The registry.
        selector: Which version.
        kind: The type of attestation.
        claim: What to attest; None to find out, which only a scan can.
        role: In which the signer speaks; None for the first that may.
        mode: Dry run, push.

    Raises:
        NotFoundError: There is no such version, or a scan lacks its bytes.
        InputError: There is nothing to attest, or it is malformed.
        RefusedError: The signer may not attest, or not in that role.
        IntegrityError: The version is not what was signed.
    """
    if kind in REPORTS:
        raise InputError(
            f"A {kind} attestation is made by what it tells of.",
            "gitmodel validate MODEL STAGE  and  gitmodel drill MODEL STAGE --record  "
            "make them.",
        )
    mode = mode or Mode()
    view = handle.view()
    found = resolve(view, selector).version
    model, release = found.model, Release(str(found.version), found.digest)
    require_attestor(handle, view, kind, role)
    said = _claim(handle, view, kind, claim, (model, release))

    def build(now: View) -> Plan[AttestResult]:
        principal, speaking = require_attestor(handle, now, kind, role)
        version = load(now, model, release.version)
        version.record.require_seal("publisher")
        if version.version.digest != release.manifest:
            raise ConflictError(f"{model}@{release.version} changed meanwhile.")
        attestation = Attestation(
            model=model,
            version=release.version,
            manifest=release.manifest,
            type=kind,
            result=said.concluded,
            created_at=to_text(handle.context.clock.now()),
            created_by=principal,
            metrics=said.metrics,
            tool=said.tool,
            findings=said.findings,
            evidence=said.evidence,
            summary=said.summary,
        )
        return plan_attestation(handle, now, attestation, speaking, mode)

    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit)


def _claim(
    handle: RegistryHandle,
    view: View,
    kind: Type,
    claim: Claim | None,
    about: tuple[str, Release],
) -> Claim:
    """Return what to say: as given, with a scan's findings where none are."""
    empty = Claim()
    if kind == "scan" and replace(claim or empty, summary="", result=None) == empty:
        if claim is not None and claim.result is not None:
            raise InputError(
                "A scan finds its result out; --result goes with a report.",
                "gitmodel attest MODEL@V scan --from-json FILE --result passed",
            )
        # Scanners take a while to import, and most attestations need none.
        from gitmodel.operations.scan import scan_version  # noqa: PLC0415

        scanned = scan_version(handle, view, *about)
        return replace(scanned, summary=claim.summary if claim else "")
    if claim is None or claim == empty:
        raise InputError(
            f"There is nothing to attest about this {kind}.",
            "Give metrics as NAME=NUMBER, a FILE, --result passed or -m SUMMARY.",
        )
    return claim


def require_attestor(
    handle: RegistryHandle, view: View, kind: Type, asked: str | None = None
) -> tuple[str, str]:
    """Return who signs, and in which role.

    Args:
        handle: The registry.
        view: Whose policy counts.
        kind: The type of attestation.
        asked: In which role; None for the first that may.

    Raises:
        InputError: Nobody in that role signs this type.
        RefusedError: The signer has no role that may attest, or not the one asked for.
    """
    principal, roles = handle.principal(view), attestors(kind)
    if asked is not None:
        if asked not in roles:
            raise InputError(
                f"A {asked[:40]!a} does not attest.", f"Roles: {', '.join(roles)}"
            )
        return handle.acting_as(view, asked), asked
    for role in roles:
        if view.policy.has_role(principal, role):
            return principal, role
    raise RefusedError(
        f"{principal} has no role that may attest.",
        f"Roles that may: {', '.join(roles)}",
        code="E_ROLE",
    )


def plan_attestation(
    handle: RegistryHandle,
    view: View,
    attestation: Attestation,
    role: str,
    mode: Mode,
) -> Plan[AttestResult]:
    """Return the commit that adds an attestation, as the next one of its type."""
    model, version = attestation.model, attestation.version
    kind, result = attestation.type, attestation.result
    number = next_number(view, model, version, kind)
    path = layout.attestation_path(model, version, kind, number)
    document = attestation.to_document()
    schema.require("Attestation", document, path)
    signed = sign_document(
        handle.signer,
        path,
        document,
        kind="attestation",
        role=role,
        authority=Authority(view.registry_id, view.policy_digest),
    )
    change = Change(
        message=CommitMessage(
            subject=f"attest({model}): {version} {kind} {result}",
            body=attestation.summary,
            trailers=(
                ("Gitmodel-Action", "attest"),
                ("Gitmodel-Model", model),
                ("Gitmodel-Version", version),
                ("Gitmodel-Attestation", str(signed.digest)),
                ("Gitmodel-Principal", attestation.created_by),
            ),
        ),
        principal=attestation.created_by,
        files=dict(signed.files),
    )
    answer = AttestResult(
        attestation=str(signed.digest),
        path=path,
        type=kind,
        result=result,
        model=model,
        version=version,
        by=attestation.created_by,
        role=role,
        findings=attestation.findings,
        dry_run=mode.dry_run,
    )
    return Plan(change, answer)
