"""Keep a drill on record: a signed attestation of the version that was live (R183)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.aftermath import CheckOutcome
from gitmodel.domain.attestation import DRILL, Attestation, Finding, Tool
from gitmodel.domain.drill import Drilled
from gitmodel.domain.moment import to_text
from gitmodel.errors import ConflictError
from gitmodel.operations.attest import plan_attestation, require_attestor
from gitmodel.operations.probing import one_line
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import load
from gitmodel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.operations.attest import AttestResult
    from gitmodel.operations.drill_result import DrillResult
    from gitmodel.registry.change import Plan
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: As many as the document takes.
_MAX_CHECKS = 50


def require_recorder(handle: RegistryHandle) -> None:
    """Insist that the signer may record a drill, before one is held in vain.

    Raises:
        RefusedError: It may not.
    """
    require_attestor(handle, handle.view(), DRILL)


def record_drill(
    handle: RegistryHandle, result: DrillResult, mode: Mode | None = None
) -> DrillResult:
    """Sign how a drill went, good or bad.

    Args:
        handle: The registry.
        result: How it went.
        mode: Dry run, push.

    Raises:
        RefusedError: The signer may not attest this.
        ConflictError: What was live is another version by now.
    """
    mode = mode or Mode()

    def build(view: View) -> Plan[AttestResult]:
        principal, role = require_attestor(handle, view, DRILL)
        version = load(view, result.model, result.version)
        version.record.require_seal("publisher")
        if version.version.digest != result.manifest:
            raise ConflictError(f"{result.model}@{result.version} changed meanwhile.")
        attestation = Attestation(
            model=result.model,
            version=result.version,
            manifest=result.manifest,
            type=DRILL,
            result=result.status,
            created_at=to_text(handle.context.clock.now()),
            created_by=principal,
            metrics={},
            tool=Tool("gitmodel drill", __version__),
            findings=tuple(_findings(result)),
            summary=_summary(result),
            drill=Drilled(result.stage, _checks(result)),
        )
        return plan_attestation(handle, view, attestation, role, mode)

    done = transact(handle, build, mode)
    return replace(
        result,
        attestation=done.result.attestation,
        path=done.result.path,
        by=done.result.by,
        role=done.result.role,
        commit=done.commit,
    )


def _checks(result: DrillResult) -> tuple[CheckOutcome, ...]:
    """Return the phases; one that says so, where the drill never began."""
    began = result.phases or (
        CheckOutcome.not_carried_out("drill", "nobody who may act held it"),
    )
    return began[:_MAX_CHECKS]


def _findings(result: DrillResult) -> Iterator[Finding]:
    for check in result.checks:
        if not check.ok:
            yield Finding(
                message=one_line(f"{check.name}: {check.found}"),
                severity="high" if check.required else "low",
            )


def _summary(result: DrillResult) -> str:
    what = f"Drill of {result.stage}: {result.version} -> {result.target or 'nothing'}"
    if result.switched is None:
        return f"{what}. It did not come to an end."
    return f"{what}, switched after {result.switched / 1000:.1f} seconds."
