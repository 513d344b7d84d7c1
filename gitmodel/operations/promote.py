"""Put a version into a stage: one signed commit, if the rules are met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.pin import Pin, Release
from gitmodel.formats import yaml_writer
from gitmodel.operations.gates import Refusal, approvals_needed, decide_promotion
from gitmodel.operations.moves import Move, record_move
from gitmodel.operations.sighting import look
from gitmodel.operations.soundness import require_verified
from gitmodel.registry import request_branches
from gitmodel.registry.change import Change, Plan
from gitmodel.registry.requests import branch_of
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from gitmodel.domain.selector import Selector
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteResult:
    """What a promotion did.

    Attributes:
        origin: The version that the stage held before; None for an empty stage.
        transition: Digest of the new transition; None if nothing changed.
        commit: None for a dry run, or if nothing changed.
        branch: The branch that has the commit; a request's own while it is pending.
        needed: What a pending promotion still lacks.
    """

    status: Literal["promoted", "pending", "unchanged"]
    model: str
    version: str
    stage: str
    origin: str | None
    transition: str | None
    seq: int | None
    commit: str | None
    branch: str
    needed: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A result, and the change that must wait for approvals on a branch."""

    result: PromoteResult
    proposal: tuple[View, Change] | None = None


def promote(
    handle: RegistryHandle,
    selector: Selector,
    stage: str,
    *,
    reason: str = "",
    mode: Mode | None = None,
) -> PromoteResult:
    """Promote the version that ``selector`` names to ``stage``.

    Raises:
        NotFoundError: There is no such version or stage.
        RefusedError: The signer may not, or a gate says no; all refusals are listed.
        IntegrityError: The stage's log or the version's signature is broken.
        ConflictError: Somebody else moved the branch first, or the stage, or what
            ``selector`` names.
    """
    mode = mode or Mode()
    branch = handle.writable_branch().removeprefix("refs/heads/")
    seen = look(handle, selector.model, stage, selector)

    def build(view: View) -> Plan[_Outcome]:
        view.settings.require_stage(stage)
        found = resolve(view, selector)
        model, version = found.version.model, str(found.version.version)
        target = Release(version, found.version.digest)
        principal = handle.acting_as(view, "promoter")
        history, records = require_sound_history(view, stage, model)
        origin = history.current
        result = PromoteResult(
            status="unchanged",
            model=model,
            version=version,
            stage=stage,
            origin=origin.version if origin else None,
            transition=None,
            seq=None,
            commit=None,
            branch=branch,
        )
        if origin == target:
            return Plan(None, _Outcome(result))
        seen.require_unmoved(history, records)
        seen.require_same_version(found)
        require_verified(view, found, late=False)
        now = handle.context.clock.now()
        decision = decide_promotion(view, found, stage, now=now)
        decision.require(f"Promoting {model}@{version} to {stage}")
        moved = record_move(
            handle,
            view,
            Move(
                action="promote",
                model=model,
                stage=stage,
                target=target,
                pin=yaml_writer.dump(Pin(stage, model, target).to_document()),
                history=history,
                records=records,
                principal=principal,
                role="promoter",
                reason=reason,
            ),
        )
        promoted = replace(
            result,
            status="promoted",
            transition=str(moved.digest),
            seq=moved.transition.seq,
        )
        needed = approvals_needed(view, stage, model)
        if not needed:
            return Plan(moved.change, _Outcome(promoted))
        pending = replace(
            promoted,
            status="pending",
            branch=branch_of(stage, model, moved.transition.seq),
            needed=tuple(refusal.message for refusal in needed),
        )
        return Plan(None, _Outcome(pending, (view, moved.change)))

    done = transact(handle, build, mode)
    result, proposal = done.result.result, done.result.proposal
    if proposal is None or mode.dry_run:
        return replace(result, commit=done.commit, dry_run=mode.dry_run)
    commit = request_branches.start(handle, *proposal, result.branch, push=mode.push)
    return replace(result, commit=commit)
