"""Put a version into a stage: one signed commit, if the rules are met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.operations.asking import ask
from gitmodel.operations.moves import record_move
from gitmodel.operations.promotion import Asked, judge_promotion
from gitmodel.operations.sighting import look
from gitmodel.registry.change import Plan
from gitmodel.registry.requests import branch_of
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.gates import Refusal
    from gitmodel.operations.moves import Moved
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
    proposal: tuple[View, Moved] | None = None


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
    asked = Asked(selector=selector, stage=stage, reason=reason, seen=seen)

    def build(view: View) -> Plan[_Outcome]:
        judged = judge_promotion(handle, view, asked)
        result = PromoteResult(
            status="unchanged",
            model=judged.model,
            version=judged.version,
            stage=stage,
            origin=judged.origin,
            transition=None,
            seq=None,
            commit=None,
            branch=branch,
        )
        if judged.move is None:
            return Plan(None, _Outcome(result))
        moved = record_move(handle, view, judged.move)
        promoted = replace(
            result,
            status="promoted",
            transition=str(moved.digest),
            seq=moved.transition.seq,
        )
        if not judged.needed and not mode.by_request:
            return Plan(moved.change, _Outcome(promoted))
        pending = replace(
            promoted,
            status="pending",
            branch=branch_of(stage, judged.model, moved.transition.seq),
            needed=tuple(refusal.message for refusal in judged.needed),
        )
        return Plan(None, _Outcome(pending, (view, moved)))

    done = transact(handle, build, mode)
    result, proposal = done.result.result, done.result.proposal
    result = replace(result, dry_run=mode.dry_run)
    if proposal is None:
        return replace(result, commit=done.commit)
    commit, waiting = ask(handle, *proposal, result.branch, mode)
    return replace(result, commit=commit, transition=waiting)
