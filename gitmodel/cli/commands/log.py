"""``gitmodel log``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import INCIDENT, MODEL, STAGE, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.operations.log import Event

_MARKS = {"good": "", "bad": "BAD SIGNATURE", "none": "UNSIGNED"}
_COLORS = {"rollback": "yellow", "promote": "green"}


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
        _to_text(session, events) if events else "",
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


def _to_text(session: Session, events: Sequence[Event]) -> str:
    from gitmodel.cli.output import cut, table

    header: tuple[str, ...] = ("time", "commit", "action", "what", "by", "reason")
    rows = [_row(session, event) for event in events]
    if any(event.approvers for event in events):
        header = (*header[:-1], "approved by", header[-1])
        rows = [
            (*row[:-1], ", ".join(event.approvers), row[-1])
            for row, event in zip(rows, events, strict=True)
        ]
    return "\n".join(
        cut(line, session.width) for line in table(header, rows).split("\n")
    )


def _row(session: Session, event: Event) -> tuple[str, ...]:
    from gitmodel.cli.output import first_line

    what = event.model or ""
    if event.action == "release":
        what = f"{event.model}@{event.target} {event.stage}"
    elif event.action in {"register", "quarantine", "lift"} and event.model:
        what = f"{event.model}@{event.target}"
    elif event.stage:
        origin, target = event.origin or "(empty)", event.target or "(empty)"
        what = f"{event.model} {event.stage} {origin} -> {target}"
    color = _COLORS.get(event.action)
    why = (
        session.style(_MARKS[event.signature], fg="red"),
        f"[{event.incident}]" if event.incident else "",
        first_line(event.reason),
    )
    return (
        event.time,
        event.commit[:9],
        session.style(event.action, fg=color) if color else event.action,
        what,
        event.actor,
        " ".join(filter(None, why)),
    )
