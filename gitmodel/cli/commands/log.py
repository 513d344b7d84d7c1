"""``gitmodel log``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import INCIDENT, MODEL, STAGE, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.log import Event


@click.command("log", cls=Command)
@click.argument("model", type=MODEL, required=False)
@click.option("--stage", type=STAGE, help="What moved in this stage.")
@click.option("--since", metavar="DATE", help="From this date on.")
@click.option("--until", metavar="DATE", help="Up to this date.")
@click.option("--actor", metavar="NAME", help="What this principal did or approved.")
@click.option(
    "--incident", metavar="ID", type=INCIDENT, help="What belongs to this incident."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N events."
)
@json_option
@click.pass_obj
def command(session: Session, /, model: str | None, **wanted: str | None) -> None:
    """Show who registered, promoted and rolled back what, and why.

    Events come from the signed documents, newest first; those of MODEL, or all.

    Examples:
      gitmodel log fraud --stage production
      gitmodel log --incident INC-42
      gitmodel log --since 2026-01-01 --actor alice --json
    """
    from gitmodel.cli.dates import parse_date
    from gitmodel.cli.event_rendering import events_text
    from gitmodel.operations.log import LogFilter, log

    since, until, limit = wanted["since"], wanted["until"], wanted["limit"]
    chosen = LogFilter(
        model=model,
        stage=wanted["stage"],
        actor=wanted["actor"],
        incident=wanted["incident"],
        since=None if since is None else parse_date(since),
        until=None if until is None else parse_date(until, end=True),
        limit=int(limit) if limit else None,
    )
    with session.open_closing() as handle:
        events = log(handle, chosen)
    session.answer(
        {"events": [_to_json(event) for event in events]},
        events_text(session, events) if events else "",
    )
    if not events:
        session.note("No event is like that.")


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
