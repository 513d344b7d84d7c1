"""Quarantines as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.quarantine import QuarantineResult
    from gitmodel.operations.quarantine_list import Held

_SHOWN = 20


def result_json(done: QuarantineResult, told: Sequence[Delivery]) -> dict[str, object]:
    """Return what was done, and who was told."""
    only = done.version
    return {
        "status": done.status,
        "model": only.model if only else None,
        "version": only.version if only else None,
        "quarantined": done.quarantined,
        "number": done.number,
        "subjects": [subject.to_dict() for subject in done.subjects],
        "impact": [
            {"model": one.model, "version": one.version, "stages": list(one.stages)}
            for one in done.reached
        ],
        "reason": done.reason,
        "incident": done.incident,
        "needed": list(done.needed),
        "commit": done.commit,
        "dryRun": done.dry_run,
        "notifications": [
            {"name": each.name, "delivered": each.ok, "detail": each.detail}
            for each in told
        ],
    }


def held_json(one: Held) -> dict[str, object]:
    """Return something that is in quarantine."""
    return {
        "subject": one.subject.to_dict(),
        "number": one.by.number,
        "reason": one.by.reason,
        "incident": one.by.incident,
        "createdAt": one.by.created_at,
        "createdBy": one.by.created_by,
        "impact": [
            {"model": each.model, "version": each.version, "stages": list(each.stages)}
            for each in one.reached
        ],
        "lift": one.lift,
        "signed": list(one.signed),
        "lacking": one.lacking,
    }


def result_text(done: QuarantineResult) -> str:
    """Return what was done, for people."""
    from gitmodel.operations.quarantine_drafting import in_words

    what = in_words(done.subjects)
    would = "Would be" if done.dry_run else "Is"
    first = {
        "quarantined": f"{would} in quarantine: {what} (quarantine {done.number})",
        "lifted": f"{would} out of quarantine: {what} (lift {done.number})",
        "pending": f"The lift {done.number} of {what} waits for "
        f"{', '.join(done.needed)}",
        "unchanged": f"Unchanged: {what} {'is' if done.quarantined else 'is not'} in "
        "quarantine",
    }[done.status]
    lines = [first]
    if len(done.subjects) > 1:
        lines += [f"  names    {subject}" for subject in done.subjects[:_SHOWN]]
        lines += _more(len(done.subjects))
    lines += [
        f"  reaches  {one.model}@{one.version}"
        + (f"  live in {', '.join(one.stages)}" if one.stages else "")
        for one in done.reached[:_SHOWN]
    ]
    lines += _more(len(done.reached))
    if done.commit:
        lines.append(f"  commit   {done.commit[:12]}")
    return "\n".join(lines)


def _more(count: int) -> list[str]:
    return [f"           … and {count - _SHOWN} more"] if count > _SHOWN else []


def hint_next(session: Session, done: QuarantineResult, lifting: bool) -> None:
    """Say what to run next: a rollback for every stage that holds what is reached."""
    if done.status == "pending":
        session.hint("gitmodel quarantine --list  shows who has signed.")
    if lifting:
        return
    incident = f" --incident {done.incident}" if done.incident else ""
    for one in done.reached:
        for stage in one.stages:
            session.hint(f"gitmodel rollback {one.model} {stage} -m REASON{incident}")


def held_text(held: Sequence[Held]) -> str:
    """Return what is in quarantine, for people."""
    from gitmodel.cli.output import first_line

    lines = []
    for one in held:
        incident = f", incident {one.by.incident}" if one.by.incident else ""
        lines.append(
            f"{one.subject}  by {one.by.created_by} at {one.by.created_at} "
            f"(quarantine {one.by.number}{incident}): {first_line(one.by.reason)}"
        )
        lines += [
            f"  reaches  {each.model}@{each.version}"
            + (f"  live in {', '.join(each.stages)}" if each.stages else "")
            for each in one.reached[:_SHOWN]
        ]
        lines += _more(len(one.reached))
        if one.lift is not None:
            lines.append(
                f"  lift     {one.lift}, signed by {', '.join(one.signed)}; "
                f"{one.lacking} more needed"
            )
    return "\n".join(lines)
