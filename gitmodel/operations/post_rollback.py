"""See whether a rollback has helped: the checks of the model, one attestation (R187).

It runs after a rollback has landed, on what the stage holds now, and takes nothing
back: what comes of it is a signed fact about that version, for people and for whatever
decides what happens next. No gate hears it.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.aftermath import Aftermath, CheckOutcome
from gitmodel.domain.attestation import (
    POST_ROLLBACK,
    Attestation,
    Finding,
    Tool,
)
from gitmodel.domain.moment import to_text
from gitmodel.errors import ConflictError, GitmodelError, NotFoundError
from gitmodel.operations.attest import plan_attestation, require_attestor
from gitmodel.operations.probing import Bench, one_line
from gitmodel.registry.model_checks import read_checks
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.transaction import Mode, transact
from gitmodel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.pin import Release
    from gitmodel.domain.transition import Action
    from gitmodel.operations.attest import AttestResult
    from gitmodel.registry.change import Plan
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: Far fewer than fit: what is in an artifact must not keep the rest from being signed.
_MAX_FINDINGS = 50
#: For all checks together: whoever can push chooses how many there are, and how slow.
_MAX_SECONDS = 3600

Status = Literal["passed", "failed", "skipped", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRollbackResult:
    """What the checks of a model made of a rollback.

    Attributes:
        status: ``none`` if the model asks for no checks: then nothing was attested.
        version: What the stage holds since the rollback.
        transition: Digest of the rollback.
        seq: Its number in the log of the stage.
        checks: In the order of ``model.yaml``.
        findings: What they found in artifacts.
        attestation: Digest of the attestation; None if there is none.
        path: Where it is.
        by: Who signs it, in which ``role``.
        commit: None for a dry run.
    """

    status: Status
    model: str
    stage: str
    version: str
    transition: str
    seq: int
    checks: tuple[CheckOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    attestation: str | None = None
    path: str | None = None
    by: str | None = None
    role: str | None = None
    commit: str | None = None
    dry_run: bool = False

    @property
    def passed(self) -> bool:
        """Whether every check passed, or there is none."""
        return self.status in {"passed", "none"}

    @property
    def failed(self) -> tuple[CheckOutcome, ...]:
        """The checks that did not pass; all of them where they were skipped."""
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True, slots=True)
class _Move:
    """The newest move of a stage."""

    action: Action
    release: Release
    transition: Digest
    seq: int


def validate_rollback(
    handle: RegistryHandle,
    model: str,
    stage: str,
    *,
    mode: Mode | None = None,
    skip: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> PostRollbackResult:
    """Carry out the checks of ``model`` on what ``stage`` holds since its rollback.

    Args:
        handle: The registry.
        model: Whose ``validation.postRollback`` is carried out.
        stage: The stage that was rolled back.
        mode: Dry run, which does carry them out, and attests nothing; push.
        skip: Carry out nothing, and attest just that: that it failed to be done.
        tell: Hears, in a few words, which check comes next.

    Raises:
        NotFoundError: The stage is empty.
        ConflictError: Its newest move is no rollback (``E_NOT_ROLLED_BACK``), or
            somebody moved it meanwhile (``E_STAGE_MOVED``): nothing was attested.
        RefusedError: The signer may not attest this; nothing was carried out.
        IntegrityError: The log of the stage is not sound.
    """
    mode = mode or Mode()
    if mode.dry_run:
        handle.rehearse()
    view = handle.view()
    done = _newest(view, model, stage)
    if done.action != "rollback":
        raise ConflictError(
            f"The newest move of {model} in {stage} is no rollback: there is nothing "
            "to look at afterwards.",
            f"gitmodel log {model} --stage {stage}  shows its moves.",
            code="E_NOT_ROLLED_BACK",
        )
    empty = PostRollbackResult(
        status="none",
        model=model,
        stage=stage,
        version=done.release.version,
        transition=str(done.transition),
        seq=done.seq,
        dry_run=mode.dry_run,
    )
    require_attestor(handle, view, POST_ROLLBACK)
    found = _carry_out(handle, view, empty, done.release, tell=tell, skip=skip)
    if found.status == "none":
        return found

    def build(now: View) -> Plan[AttestResult]:
        if _newest(now, model, stage) != done:
            raise ConflictError(
                f"Somebody moved {stage} while {model}@{found.version} was looked at.",
                f"gitmodel log {model} --stage {stage}  shows who, and why.",
                code="E_STAGE_MOVED",
            )
        principal, role = require_attestor(handle, now, POST_ROLLBACK)
        attestation = Attestation(
            model=model,
            version=found.version,
            manifest=done.release.manifest,
            type=POST_ROLLBACK,
            result="passed" if found.status == "passed" else "failed",
            created_at=to_text(handle.context.clock.now()),
            created_by=principal,
            metrics={},
            tool=Tool("gitmodel validate", __version__),
            findings=found.findings,
            summary=_summary(found, principal),
            aftermath=Aftermath(
                stage=stage, transition=done.transition, checks=found.checks
            ),
        )
        return plan_attestation(handle, now, attestation, role, mode)

    written = transact(handle, build, mode)
    return replace(
        found,
        attestation=written.result.attestation,
        path=written.result.path,
        by=written.result.by,
        role=written.result.role,
        commit=written.commit,
    )


def _newest(view: View, model: str, stage: str) -> _Move:
    view.settings.require_stage(stage)
    view.versions(model)
    history, records = require_sound_history(view, stage, model)
    if history.current is None:
        raise NotFoundError(f"Stage {stage} holds no version of {model}")
    newest = history.transitions[-1]
    return _Move(newest.action, history.current, records[-1].digest, newest.seq)


def _carry_out(
    handle: RegistryHandle,
    view: View,
    empty: PostRollbackResult,
    release: Release,
    *,
    tell: Callable[[str], None],
    skip: bool,
) -> PostRollbackResult:
    try:
        checks = read_checks(view, empty.model)
    except GitmodelError as error:
        # Who breaks the file must not be able to end the checks without a trace.
        why = one_line(error.message)
        broken = CheckOutcome.not_carried_out("model.yaml", why)
        return replace(empty, status="failed", checks=(broken,))
    if not checks:
        return empty
    if skip:
        skipped = tuple(
            CheckOutcome.not_carried_out(check.name, "skipped") for check in checks
        )
        return replace(empty, status="skipped", checks=skipped)
    outcomes: list[CheckOutcome] = []
    end = time.monotonic() + _MAX_SECONDS
    with Bench(handle, view, empty.model, empty.stage, release) as bench:
        for number, check in enumerate(checks, start=1):
            tell(f"Checking {check.name} ({number} of {len(checks)})")
            left = max(0, math.ceil(end - time.monotonic()))
            within = replace(check, max_seconds=min(check.max_seconds, left))
            outcomes.append(bench.carry_out(within))
    return replace(
        empty,
        status="passed" if all(each.passed for each in outcomes) else "failed",
        checks=tuple(outcomes),
        findings=_unique(bench.findings),
    )


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))[:_MAX_FINDINGS]


def _summary(found: PostRollbackResult, principal: str) -> str:
    total = len(found.checks)
    if found.status == "skipped":
        return (
            f"{principal} skipped the checks after the rollback of {found.stage}: "
            "nothing was looked at."
        )
    failed = len(found.failed)
    counted = (
        f"{failed} of {total} checks failed" if failed else f"{total} checks passed"
    )
    return f"{counted} after the rollback of {found.stage}."
