"""Rollbacks, ordinary and in an emergency, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.forges import proposal_json, proposal_text
from gitmodel.cli.validation_rendering import validation_json, validation_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.emergency_plan import EmergencyResult
    from gitmodel.operations.pull_request import Proposal
    from gitmodel.operations.recovery import FollowUp
    from gitmodel.operations.rollback_plan import RollbackResult

_VERBS = {"planned": "Would roll back", "pending": "Asked to roll back"}
_MARKS = {"done": "ok", "unchanged": "--", "failed": "FAILED"}


def rollback_json(result: RollbackResult) -> dict[str, object]:
    """Return one rollback."""
    return {
        "status": result.status,
        "model": result.model,
        "stage": result.stage,
        "from": result.origin,
        "to": result.target,
        "reverts": list(result.reverts),
        "incident": result.incident,
        "transition": result.transition if result.commit else None,
        "seq": result.seq,
        "commit": result.commit,
        "branch": result.branch,
        "needed": list(result.needed),
        "review": result.review or None,
        "targetSince": result.target_since,
        "fromSince": result.origin_since,
        "versionsPassedOver": [
            {"version": version, "reason": why} for version, why in result.skipped
        ],
        "metrics": [delta.to_dict() for delta in result.deltas],
    }


def follow_up_json(
    follow_up: FollowUp | None,
    told: Sequence[Delivery],
    asked: Proposal | None = None,
) -> dict[str, object]:
    """Return what came after rollbacks; the same keys after every one."""
    return {
        "validations": [validation_json(each) for each in follow_up.validations]
        if follow_up
        else [],
        "further": [rollback_json(each) for each in follow_up.further]
        if follow_up
        else [],
        "failures": [
            {"code": each.code, "message": each.message} for each in follow_up.failures
        ]
        if follow_up
        else [],
        "notifications": [
            {"name": each.name, "delivered": each.ok, "detail": each.detail}
            for each in told
        ],
        "pullRequest": proposal_json(asked),
    }


def emergency_json(result: EmergencyResult, *, has_remote: bool) -> dict[str, object]:
    """Return an emergency."""
    return {
        "status": result.status,
        "incident": result.incident,
        "rollbacks": [rollback_json(each) for each in result.members],
        "quarantined": list(result.quarantined),
        "elsewhere": [
            {"model": model, "version": version, "stage": stage}
            for model, version, stage in result.elsewhere
        ],
        "steps": [
            {
                "step": step.name,
                "subject": step.subject,
                "outcome": step.outcome,
                "detail": step.detail,
            }
            for step in result.steps
        ],
        "branch": result.branch,
        "commit": result.commit,
        "pushed": result.pushed,
        "next": list(next_steps(result, has_remote=has_remote)),
    }


def rollback_text(
    session: Session, result: RollbackResult, asked: Proposal | None = None
) -> str:
    """Return one rollback as people read it."""
    from gitmodel.cli.rendering import metric_table

    if result.status == "unchanged":
        return f"{result.stage} holds {result.model}@{result.target} already."
    verb = _VERBS.get(result.status, "Rolled back")
    lines = [
        f"{verb} {result.model} in {result.stage}: {result.origin} -> {result.target}",
        f"  from      {result.origin}, live since {result.origin_since}",
        f"  to        {result.target}, live from {result.target_since}",
        f"  verified  signatures and bytes of {result.target}, just now",
    ]
    lines += [f"  passed over {version}: {why}" for version, why in result.skipped]
    lines += [f"  reverts   {commit[:12]}" for commit in result.reverts]
    if result.needed:
        lines.append(f"  waits for {'; '.join(result.needed)}")
        lines.append(f"  branch    {result.branch}")
    if result.review:
        lines.append(f"  review    {result.review}")
    if result.incident:
        lines.append(f"  incident  {result.incident}")
    if result.commit:
        lines.append(f"  commit    {result.commit[:12]}")
    if result.deltas:
        lines += ["", metric_table(session, result.deltas)]
    if asked is not None:
        lines.append(proposal_text(asked))
    return "\n".join(lines)


def follow_up_text(session: Session, follow_up: FollowUp) -> str:
    """Return what came after rollbacks as people read it; "" for nothing."""
    parts = [rollback_text(session, each) for each in follow_up.further]
    parts += [
        validation_text(session, each)
        for each in follow_up.validations
        if each.status != "none"
    ]
    parts += [f"No more could be done: {each.message}" for each in follow_up.failures]
    return "\n\n".join(parts)


def emergency_text(result: EmergencyResult) -> str:
    """Return an emergency as people read it at night: what was done, what was not."""
    said = {
        "rolled_back": "done",
        "partial": "done in part",
        "planned": "planned, nothing is changed",
        "unchanged": "all of it is done already",
    }
    lines = [f"Emergency {result.incident}: {said[result.status]}"]
    width = max((len(step.name) for step in result.steps), default=0)
    lines += [
        f"  {_MARKS[step.outcome]:6} {step.name:{width}}  {step.subject}: {step.detail}"
        for step in result.steps
    ]
    if result.commit:
        lines.append(f"  commit {result.commit[:12]} on {result.branch}")
    return "\n".join(lines)


def next_steps(result: EmergencyResult, *, has_remote: bool) -> tuple[str, ...]:
    """Return what to run next, as the runbook has it, most urgent first."""
    if result.status == "planned":
        return ()
    steps = []
    if result.pushed is False:
        steps.append("gitmodel sync  brings it to the remote, once that answers.")
    elif result.pushed is None and result.commit and has_remote:
        steps.append("gitmodel sync  brings it to the remote.")
    for step in result.steps:
        if step.name == "rollback" and step.outcome == "failed":
            model, _, stage = step.subject.partition("#")
            steps.append(
                f"gitmodel log {model} --stage {stage}  shows what it held; then  "
                f"gitmodel rollback {model} {stage} --to V --emergency --incident "
                f"{result.incident} -m REASON"
            )
    steps += [
        f"gitmodel rollback {model} {stage} --emergency --incident {result.incident} "
        f"-m REASON  takes {model}@{version} back there, too."
        for model, version, stage in result.elsewhere
    ]
    steps += [
        f"gitmodel verify {member.model}#{member.stage}" for member in result.members
    ]
    steps += review_steps(result.members)
    steps.append(f"gitmodel incident show {result.incident}  says what is left to do.")
    return tuple(steps)


def review_steps(members: Sequence[RollbackResult]) -> list[str]:
    """Return how others approve what has landed already."""
    return [
        f"gitmodel approve {member.model}#{member.stage}  by somebody else: "
        f"{member.review}"
        for member in members
        if member.commit and member.review
    ]
