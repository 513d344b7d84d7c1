"""Take a stage back to what it held before: a revert that keeps the log.

The pin gets back the very bytes it had; the commits that moved it since are
named as git's own revert would name them; a signed rollback joins the log. The
target's signatures and bytes are verified before anything moves (R141 to R144). Where
the stage asks for approvals first, the rollback waits for them on a branch, as a
promotion does (R145). Several pins go back in one commit, or none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.errors import ConflictError, GitmodelError, InputError
from gitmodel.operations.asking import ask
from gitmodel.operations.gates import approvals_needed
from gitmodel.operations.rollback_plan import (
    Asked,
    Planned,
    RollbackResult,
    plan_rollback,
)
from gitmodel.operations.sighting import look
from gitmodel.operations.together import join, together
from gitmodel.registry.change import Plan
from gitmodel.registry.requests import branch_of
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.operations.moves import Moved
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: One signature each, and one commit that people should be able to read.
MAX_TOGETHER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbacksResult:
    """What several rollbacks did together.

    Attributes:
        members: In the order in which they were asked for.
        commit: The one commit; None if nothing was changed.
    """

    status: Literal["rolled_back", "planned", "unchanged"]
    members: tuple[RollbackResult, ...]
    branch: str
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A result, and the change that must wait for approvals on a branch."""

    result: RollbackResult
    proposal: tuple[View, Moved] | None = None


def rollback(
    handle: RegistryHandle,
    model: str,
    stage: str,
    *,
    to: str | None = None,
    reason: str,
    incident: str | None = None,
    expect: Digest | None = None,
    mode: Mode | None = None,
) -> RollbackResult:
    """Take ``stage`` back to its last known good, or to version ``to``.

    Args:
        handle: The registry.
        model: Of which model.
        stage: Which stage.
        to: Where to; None for the last known good.
        reason: Why.
        incident: What it belongs to.
        expect: Digest of the manifest that must be live still; None for any.
        mode: Dry run, push, by request.

    Raises:
        NotFoundError: The stage is empty, or has nothing to go back to.
        ConflictError: ``to`` was never live there, or somebody else moved the stage
            first.
        RefusedError: The signer may not roll back this stage, or the target is in
            quarantine.
        IntegrityError: The target's bytes or signatures, or the log, are not sound.
    """
    asked = Asked(
        model=model,
        stage=stage,
        reason=reason,
        seen=look(handle, model, stage),
        to=to,
        incident=incident,
        expect=expect,
    )
    return carry_out(handle, asked, mode or Mode())


def carry_out(handle: RegistryHandle, asked: Asked, mode: Mode) -> RollbackResult:
    """Make one rollback, or ask others for it; see :func:`rollback`."""
    branch = handle.writable_branch().removeprefix("refs/heads/")
    move = "emergency" if asked.emergency else "rollback"

    def build(view: View) -> Plan[_Outcome]:
        planned = plan_rollback(handle, view, asked)
        result = replace(planned.result, branch=branch)
        moved = planned.moved
        if moved is None:
            return Plan(None, _Outcome(result))
        if mode.dry_run:
            result = replace(result, status="planned")
        needed = approvals_needed(view, asked.stage, asked.model, move)
        if not needed and not mode.by_request:
            return Plan(moved.change, _Outcome(result))
        waiting = replace(
            result,
            status=result.status if mode.dry_run else "pending",
            branch=branch_of(asked.stage, asked.model, moved.transition.seq),
            needed=tuple(refusal.message for refusal in needed),
        )
        return Plan(None, _Outcome(waiting, (view, moved)))

    done = transact(handle, build, mode)
    result, proposal = done.result.result, done.result.proposal
    if proposal is None:
        return replace(result, commit=done.commit)
    commit, waiting = ask(handle, *proposal, result.branch, mode)
    return replace(result, commit=commit, transition=waiting)


def rollback_all(
    handle: RegistryHandle,
    places: Sequence[tuple[str, str]],
    *,
    reason: str,
    incident: str | None = None,
    mode: Mode | None = None,
) -> RollbacksResult:
    """Take several pins back to their last known good in one commit, or none.

    Args:
        handle: The registry.
        places: Pairs of model and stage.
        reason: Why.
        incident: What they belong to.
        mode: Dry run, push.

    Raises:
        InputError: A pin is named twice, or too many are.
        NotFoundError, RefusedError, IntegrityError: As for a single rollback, of any.
        ConflictError: So, or one must wait for approvals (``E_BATCH_APPROVALS``).
    """
    mode = mode or Mode()
    branch = handle.writable_branch().removeprefix("refs/heads/")
    every = ask_all(handle, places, reason=reason, incident=incident)

    def build(view: View) -> Plan[RollbacksResult]:
        plans = _plan_all(handle, view, every)
        changes = [planned.moved.change for planned in plans if planned.moved]
        status: Literal["rolled_back", "planned", "unchanged"] = "unchanged"
        if changes:
            status = "planned" if mode.dry_run else "rolled_back"
        members = tuple(replace(planned.result, branch=branch) for planned in plans)
        result = RollbacksResult(status=status, members=members, branch=branch)
        where = ", ".join(dict.fromkeys(stage for _, stage in places))
        change = join(changes, where=where, reason=reason) if changes else None
        return Plan(change, result)

    done = transact(handle, build, mode)
    members = tuple(
        replace(member, commit=done.commit if member.transition else None)
        for member in done.result.members
    )
    return replace(done.result, members=members, commit=done.commit)


def ask_all(
    handle: RegistryHandle,
    places: Sequence[tuple[str, str]],
    *,
    reason: str,
    incident: str | None,
    emergency: bool = False,
) -> tuple[Asked, ...]:
    """Return what is asked for, with what this clone shows of each pin now.

    Raises:
        InputError: A pin is named twice, or too many are.
    """
    if not 0 < len(places) <= MAX_TOGETHER:
        raise InputError(
            f"1 to {MAX_TOGETHER} pins go back together, not {len(places)}."
        )
    if len(set(places)) < len(places):
        raise InputError("A model is named twice for the same stage.")
    return tuple(
        Asked(
            model=model,
            stage=stage,
            reason=reason,
            seen=look(handle, model, stage),
            incident=incident,
            emergency=emergency,
        )
        for model, stage in places
    )


def _plan_all(
    handle: RegistryHandle, view: View, every: Sequence[Asked]
) -> list[Planned]:
    plans: list[Planned] = []
    failures: list[tuple[str, GitmodelError]] = []
    for asked in every:
        name = f"{asked.model}#{asked.stage}"
        try:
            if needed := approvals_needed(view, asked.stage, asked.model, "rollback"):
                raise ConflictError(
                    f"It must wait for approvals, and so go back alone: "
                    f"{needed[0].message}",
                    f"gitmodel rollback {asked.model} {asked.stage} -m REASON",
                    code="E_BATCH_APPROVALS",
                )
            plans.append(plan_rollback(handle, view, asked))
        except GitmodelError as error:
            failures.append((name, error))
    if failures:
        raise together(failures, len(every), "rollbacks")
    return plans
