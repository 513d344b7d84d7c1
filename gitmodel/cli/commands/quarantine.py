"""``gitmodel quarantine``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import DURATION, SELECTOR, change_options, json_option

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.cli.session import Session
    from gitmodel.operations.quarantine import QuarantineResult
    from gitmodel.operations.quarantine_list import Held
    from gitmodel.operations.quarantine_scope import Suspects
    from gitmodel.registry.handle import RegistryHandle

_SHOWN = 20


@click.command("quarantine", cls=Command)
@click.argument("selectors", metavar="[SELECTOR]...", type=SELECTOR, nargs=-1)
@click.option(
    "--data",
    metavar="NAME[@V]",
    multiple=True,
    help="A data set, and with it all that was trained on it; repeatable.",
)
@click.option(
    "--digest",
    "digests",
    metavar="DIGEST",
    multiple=True,
    help="An artifact, data set or manifest by its digest; repeatable.",
)
@click.option(
    "--since",
    metavar="TIME",
    help="Data sets that were first used since: 48h, 7d, or a date.",
)
@click.option("--until", metavar="TIME", help="And not later than that.")
@click.option("--lift", "lifting", is_flag=True, help="Take it out again.")
@click.option("--list", "listing", is_flag=True, help="Show what is in quarantine.")
@click.option("-m", "--message", "reason", metavar="WHY", help="Why, for everybody.")
@click.option("--incident", metavar="ID", help="The incident that it belongs to.")
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    selectors: tuple[str, ...],
    data: tuple[str, ...],
    digests: tuple[str, ...],
    since: str | None,
    until: str | None,
    lifting: bool,
    listing: bool,
    reason: str | None,
    incident: str | None,
    push: bool,
    dry_run: bool,
) -> None:
    """Stop the use of versions and data, and what comes of them.

    What is in quarantine is not promoted, not pulled and not gone back to; nothing can
    be registered that was made from it. It stays live where it is: roll back. A lift
    takes as many signatures as the policy asks for; each runs the same command.

    Examples:
      gitmodel quarantine fraud#production -m "backdoor found" --incident INC-42
      gitmodel quarantine --data transactions@2026-03 -m "flipped labels"
      gitmodel quarantine --since 48h -m "the data pipeline was broken into"
      gitmodel quarantine --lift fraud@1.2.0 -m "false alarm, see INC-42"
      gitmodel quarantine --list
    """
    named = bool(selectors or data or digests or since)
    _require_sense(named, since, until, lifting, listing, reason)
    from gitmodel.operations.quarantine import quarantine
    from gitmodel.operations.quarantine_lift import lift
    from gitmodel.operations.quarantine_list import list_quarantine
    from gitmodel.operations.quarantine_news import report
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        if listing:
            held = list_quarantine(handle.view())
            session.answer({"quarantine": [_held(one) for one in held]}, _list(held))
            if not held:
                session.note("Nothing is in quarantine.")
            return
        suspects = _suspects(handle, selectors, data, digests, since, until)
        done = (lift if lifting else quarantine)(
            handle,
            suspects,
            reason=reason or "",
            incident=incident,
            mode=Mode(dry_run=dry_run, push=push),
        )
        told = report(handle, done)
    notified = [
        {"name": each.name, "delivered": each.ok, "detail": each.detail}
        for each in told
    ]
    session.answer(_to_json(done) | {"notifications": notified}, _to_text(done))
    _hint(session, done, lifting)


def _require_sense(
    named: bool,
    since: str | None,
    until: str | None,
    lifting: bool,
    listing: bool,
    reason: str | None,
) -> None:
    if listing and (named or lifting or reason is not None):
        raise click.UsageError("--list takes nothing besides.")
    if listing:
        return
    if not named:
        raise click.UsageError("Name a SELECTOR, --data, --digest or --since.")
    if lifting and since:
        raise click.UsageError("A lift names what it lifts: no --since.")
    if until and not since:
        raise click.UsageError("--until goes with --since.")
    if reason is None or not reason.strip():
        raise click.UsageError("Say why: -m WHY.")


def _suspects(
    handle: RegistryHandle,
    selectors: tuple[str, ...],
    data: tuple[str, ...],
    digests: tuple[str, ...],
    since: str | None,
    until: str | None,
) -> Suspects:
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.quarantine_scope import Suspects

    now = handle.context.clock.now()
    return Suspects(
        selectors=tuple(map(Selector.parse, selectors)),
        data=data,
        digests=digests,
        since=_moment(since, now, end=False) if since else None,
        until=_moment(until, now, end=True) if until else None,
    )


def _moment(text: str, now: datetime, *, end: bool) -> datetime:
    """Return a date, or the time so long ago."""
    from gitmodel.cli.dates import parse_date

    if re.fullmatch(r"[0-9]+[a-z]", text):
        return now - DURATION.convert(text, None, None)
    return parse_date(text, end=end)


def _to_json(done: QuarantineResult) -> dict[str, object]:
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
    }


def _held(one: Held) -> dict[str, object]:
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


def _to_text(done: QuarantineResult) -> str:
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


def _hint(session: Session, done: QuarantineResult, lifting: bool) -> None:
    """Say what to run next: a rollback for every stage that holds what is reached."""
    if done.status == "pending":
        session.hint("gitmodel quarantine --list  shows who has signed.")
    if lifting:
        return
    incident = f" --incident {done.incident}" if done.incident else ""
    for one in done.reached:
        for stage in one.stages:
            session.hint(f"gitmodel rollback {one.model} {stage} -m REASON{incident}")


def _list(held: tuple[Held, ...]) -> str:
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
