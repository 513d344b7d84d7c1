"""Approvals after the fact: of rollbacks that did not wait for them (R145, R175).

An approval is what it is anywhere: another principal's signature of the identical
transition. It comes late, that is all; so it goes to the main line, beside the
transition that is there already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError, NotFoundError, RefusedError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.requests import RequestRow
from gitmodel.registry.change import Authority, Change, Plan, countersign
from gitmodel.registry.late_reviews import all_reviews, review_of, reviews_of
from gitmodel.registry.records import read_record
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitmodel.domain.late_review import LateReview
    from gitmodel.operations.requests import Decision
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View


def unsettled(
    view: View, now: datetime, models: Iterable[str] | None = None
) -> Iterator[LateReview]:
    """Yield every review that somebody must see to, of some models or of all.

    Raises:
        IntegrityError: A rollback is malformed.
    """
    for _, review in all_reviews(view, models):
        if review.is_open(now):
            yield review


def neglected(view: View, now: datetime) -> tuple[Problem, ...]:
    """Return what somebody should have approved by now, or has rejected."""
    try:
        return tuple(
            Problem("E_REVIEW_OVERDUE", review.describe(now), "")
            for review in unsettled(view, now)
            if review.standing(now) != "due"
        )
    except GitmodelError:
        return ()  # verify says what is wrong with the log


def review_row(
    review: LateReview, now: datetime, branch: str, commit: str | None = None
) -> RequestRow:
    """Return a review as people see it among requests."""
    move = review.transition
    return RequestRow(
        kind="review",
        status=review.standing(now),
        model=move.model,
        version=move.target.version if move.target else "",
        stage=move.stage,
        origin=move.origin.version if move.origin else None,
        requester=move.requester,
        reason=move.reason,
        branch=branch,
        approvals=tuple(dict.fromkeys(p for each in review.counts for p in each.who)),
        rejections=review.rejections,
        threshold=sum(each.quorum.threshold for each in review.counts),
        needed=() if not review.rejections and _is_met(review) else (str(review),),
        commit=commit,
    )


def _is_met(review: LateReview) -> bool:
    return not any(each.lacking for each in review.counts)


def decide_late(
    handle: RegistryHandle,
    model: str,
    stage: str,
    decision: Decision,
    *,
    comment: str,
    push: bool,
) -> RequestRow:
    """Approve or reject the oldest rollback of a stage that asks the signer for it.

    Raises:
        NotFoundError: None does (``E_NO_REQUEST``).
        RefusedError: The signer made it, or has no say in it.
        IntegrityError: The log is not signed as it must be.
    """
    now = handle.context.clock.now()
    branch = handle.writable_branch().removeprefix("refs/heads/")
    path = ""

    def build(view: View) -> Plan[None]:
        nonlocal path
        record, review = _pending(view, model, stage, now, handle.principal(view))
        path = record.path
        return Plan(_signature(handle, view, record, review, decision, comment), None)

    done = transact(handle, build, Mode(push=push))
    record = read_record(handle.view(), path, "transition")
    review = review_of(handle.view(), record) if record is not None else None
    if review is None:
        raise AssertionError("what was signed asked for a review")
    return review_row(review, now, branch, done.commit)


def _pending(
    view: View, model: str, stage: str, now: datetime, owner: str
) -> tuple[Record, LateReview]:
    """Return the oldest one that waits, first of those that wait for ``owner``."""
    view.settings.require_stage(stage)
    waiting = [
        (record, review)
        for record, review in reviews_of(view, stage, model)
        if review.standing(now) in {"due", "overdue"}
    ]
    for record, review in waiting:
        spoken = {seal.principal for seal in record.seals}
        if owner not in spoken:  # who made it has signed it, too
            return record, review
    if waiting:
        return waiting[0]
    raise NotFoundError(
        f"Nothing about {model} in {stage} waits for anybody.",
        "gitmodel requests  lists what does;  git fetch  brings others.",
        code="E_NO_REQUEST",
    )


def _signature(
    handle: RegistryHandle,
    view: View,
    record: Record,
    review: LateReview,
    decision: Decision,
    comment: str,
) -> Change | None:
    move = review.transition
    owner = handle.principal(view)
    if owner == move.requester:
        raise RefusedError(
            f"{owner} made this rollback, and cannot decide on it too.",
            code="E_SELF_APPROVAL",
        )
    asked = [each.quorum.role for each in review.counts]
    role = next((r for r in asked if view.policy.has_role(owner, r)), asked[0])
    principal = handle.acting_as(view, role)
    if any(s.principal == principal and s.role == role for s in record.seals):
        return None  # whoever has approved has; what is on the main line stays
    path, data = countersign(
        handle.signer,
        record,
        kind="transition",
        role=role,
        authority=Authority(view.registry_id, view.policy_digest),
        decision=decision,
        comment=comment,
    )
    target = move.target.version if move.target else "nothing"
    message = CommitMessage(
        subject=f"{decision}({move.model}): {move.stage} {target}, after the fact",
        body=comment,
        trailers=(
            ("Gitmodel-Action", decision),
            ("Gitmodel-Transition", str(record.digest)),
            ("Gitmodel-Incident", move.incident or ""),
            ("Gitmodel-Principal", principal),
        ),
    )
    return Change(message=message, principal=principal, files={path: data})
