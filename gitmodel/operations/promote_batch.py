"""Put several versions into a stage: one commit with all of them, or nothing.

Each pin has a transition and a signature of its own, so each can be rolled back alone.
All are judged before anything is signed, and everything that speaks against any of them
is said at once. What needs approvals is asked for one by one, since approvers approve
one transition, and lands in one commit by ``promote --finalize A B``
(``docs/decisions/0017-many-pins-one-commit.md``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.errors import ConflictError, GitmodelError, InputError, OutsideError
from gitmodel.operations.moves import record_move
from gitmodel.operations.promotion import Asked, Judged, judge_promotion
from gitmodel.operations.sighting import look
from gitmodel.operations.together import join, together
from gitmodel.registry.change import Plan
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.selector import Selector
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: One signature each, and one commit that people should be able to read.
MAX_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMember:
    """One promotion of a batch, as ``PromoteResult`` tells of a single one."""

    status: Literal["promoted", "unchanged"]
    model: str
    version: str
    origin: str | None
    transition: str | None
    seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What a batch did.

    Attributes:
        status: ``unchanged`` if the stage held every version already.
        members: In the order in which they were asked for.
        commit: The one commit; None for a dry run, or if nothing changed.
        branch: The branch that has the commit.
    """

    status: Literal["promoted", "unchanged"]
    stage: str
    members: tuple[BatchMember, ...]
    commit: str | None
    branch: str
    dry_run: bool = False


def promote_batch(
    handle: RegistryHandle,
    selectors: Sequence[Selector],
    stage: str,
    *,
    reason: str = "",
    mode: Mode | None = None,
) -> BatchResult:
    """Promote every version that ``selectors`` name to ``stage``, or none.

    Raises:
        InputError: A model is named twice, or none or too many are.
        NotFoundError, RefusedError, IntegrityError: As for a single promotion, of any.
        ConflictError: So, or the stage asks for approvals of one (E_BATCH_APPROVALS).
    """
    mode = mode or Mode()
    _require_distinct(selectors)
    branch = handle.writable_branch().removeprefix("refs/heads/")
    every = [
        Asked(
            selector=selector,
            stage=stage,
            reason=reason,
            seen=look(handle, selector.model, stage, selector),
        )
        for selector in selectors
    ]

    def build(view: View) -> Plan[BatchResult]:
        view.settings.require_stage(stage)
        handle.acting_as(view, "promoter")
        judged = _judge_all(handle, view, every)
        _require_no_approvals(judged, stage)
        changes, members = [], []
        for each in judged:
            moved = record_move(handle, view, each.move) if each.move else None
            if moved is not None:
                changes.append(moved.change)
            members.append(
                BatchMember(
                    status="promoted" if moved else "unchanged",
                    model=each.model,
                    version=each.version,
                    origin=each.origin,
                    transition=str(moved.digest) if moved else None,
                    seq=moved.transition.seq if moved else None,
                )
            )
        result = BatchResult(
            status="promoted" if changes else "unchanged",
            stage=stage,
            members=tuple(members),
            commit=None,
            branch=branch,
            dry_run=mode.dry_run,
        )
        change = join(changes, where=stage, reason=reason) if changes else None
        return Plan(change, result)

    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit)


def _require_distinct(selectors: Sequence[Selector]) -> None:
    if not 0 < len(selectors) <= MAX_BATCH:
        raise InputError(
            f"A batch is of 1 to {MAX_BATCH:,} promotions, not of {len(selectors):,}."
        )
    named: dict[str, Selector] = {}
    for selector in selectors:
        other = named.setdefault(selector.model, selector)
        if other is not selector:
            raise InputError(
                f"{selector.model} is named twice: {other} and {selector}. A stage "
                "holds one version of a model."
            )


def _judge_all(
    handle: RegistryHandle, view: View, every: Sequence[Asked]
) -> list[Judged]:
    """Judge all; what speaks against any is one error."""
    judged: list[Judged] = []
    failures: list[tuple[str, GitmodelError]] = []
    for asked in every:
        try:
            judged.append(judge_promotion(handle, view, asked))
        except OutsideError:
            raise  # what the outside world failed at says nothing of the promotion
        except GitmodelError as error:
            failures.append((str(asked.selector), error))
    if failures:
        what = f"promotions to {every[0].stage}"
        raise together(failures, len(every), what) from failures[0][1]
    return judged


def _require_no_approvals(judged: Sequence[Judged], stage: str) -> None:
    """Insist that nothing must wait: what waits does so by itself, for its approvers.

    Raises:
        ConflictError: Something must.
    """
    waiting = [each for each in judged if each.move and each.needed]
    if not waiting:
        return
    moving = [each for each in judged if each.move]
    raise ConflictError(
        f"{waiting[0].needed[0].message} of {waiting[0].model}"
        + (f" and {len(waiting) - 1} more" if len(waiting) > 1 else "")
        + ", and people approve one promotion at a time. Nothing was asked for yet.",
        *(f"gitmodel promote {each.model}@{each.version} {stage}" for each in waiting),
        "Once they are approved, one commit lands them all, or none:",
        "gitmodel promote --finalize "
        + " ".join(f"{each.model}#{stage}" for each in waiting),
        *(
            ("The others need no approval: promote them by themselves.",)
            if len(moving) > len(waiting)
            else ()
        ),
        code="E_BATCH_APPROVALS",
    )
