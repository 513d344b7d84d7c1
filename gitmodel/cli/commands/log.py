"""``gitmodel log``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.options import MODEL, STAGE, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.log import Event

_MARKS = {"good": "", "bad": "  BAD SIGNATURE", "none": "  UNSIGNED"}


@click.command("log")
@click.argument("model", type=MODEL, required=False)
@click.option("--stage", type=STAGE, help="What moved in this stage.")
@click.option("--since", metavar="DATE", help="From this date on.")
@click.option("--until", metavar="DATE", help="Up to this date.")
@click.option("--actor", metavar="NAME", help="What this principal did or approved.")
@click.option("--incident", metavar="ID", help="What belongs to this incident.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N events."
)
@json_option
@click.pass_obj
def command(session: Session, /, model: str | None, **wanted: str | None) -> None:
    r"""Show who registered, promoted and rolled back what, when and why.

    Events come from the signed documents, newest first.

    \b
    Examples:
      gitmodel log fraud --stage production
      gitmodel log --since 2026-01-01 --actor alice --json
    """
    from gitmodel.cli.dates import parse_date
    from gitmodel.operations.log import LogFilter, log

    since, until, limit = wanted["since"], wanted["until"], wanted["limit"]
    chosen = LogFilter(
        model=model,
        stage=wanted["stage"],
        actor=wanted["actor"],
        incident=wanted["incident"],
        since=parse_date(since) if since else None,
        until=parse_date(until, end=True) if until else None,
        limit=int(limit) if limit else None,
    )
    with session.open_closing() as handle:
        events = log(handle, chosen)
    session.answer(
        {"events": [_to_json(event) for event in events]},
        "\n".join(_line(session, event) for event in events),
    )


def _to_json(event: Event) -> dict[str, object]:
    return {
        "time": event.time,
        "action": event.action,
        "model": event.model,
        "stage": event.stage,
        "from": event.origin,
        "to": event.target,
        "actor": event.actor,
        "approvers": list(event.approvers),
        "reason": event.reason,
        "incident": event.incident,
        "commit": event.commit,
        "signature": event.signature,
    }


def _line(session: Session, event: Event) -> str:
    what = event.model or ""
    if event.action == "register":
        what = f"{event.model}@{event.target}"
    elif event.stage:
        what = (
            f"{event.model} {event.stage} {event.origin or '(empty)'} -> {event.target}"
        )
    colors = {"rollback": "yellow", "promote": "green"}
    action = f"{event.action:<9}"
    if event.action in colors:
        action = session.style(action, fg=colors[event.action])
    reason = f"  {event.reason.splitlines()[0]}" if event.reason else ""
    incident = f"  [{event.incident}]" if event.incident else ""
    mark = session.style(_MARKS[event.signature], fg="red")
    return (
        f"{event.time}  {event.commit[:9]}  {action} {what}  by {event.actor}"
        f"{incident}{reason}{mark}"
    )
