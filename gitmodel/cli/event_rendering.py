"""Events of the audit trail as people read them, however narrow their terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import columns, cut, first_line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.operations.log import Event

_MARKS = {"good": "", "bad": "BAD SIGNATURE", "none": "UNSIGNED"}
_COLORS = {"rollback": "yellow", "promote": "green"}
#: Columns that a reason needs to be of use; with fewer it gets a line of its own.
_REASON = 36


def events_text(
    session: Session, events: Sequence[Event], *, incident: str | None = None
) -> str:
    """Return events as a table; as two lines each where that would hide the reasons.

    Args:
        session: Knows the terminal.
        events: In the order in which they are shown.
        incident: What all of them are about, and none needs to say.
    """
    header = ["time", "commit", "action", "what", "by", "reason"]
    rows = [_cells(session, event, incident) for event in events]
    if any(event.approvers for event in events):
        header.insert(-1, "approved by")
        for row, event in zip(rows, events, strict=True):
            row.insert(-1, ", ".join(event.approvers))
    width = session.width
    lines = table(header, rows).split("\n")
    if width is not None and lines[0].index("REASON") + _REASON > width:
        lines = _in_two_lines(header, rows)
    return "\n".join(cut(line, width) for line in lines)


def _in_two_lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return events with commit and reason below everything else."""
    upper = columns(
        [
            [cell.upper() for cell in (header[0], *header[2:-1])],
            *((row[0], *row[2:-1]) for row in rows),
        ],
        indent="",
    )
    lines = [upper[0]]
    for line, row in zip(upper[1:], rows, strict=True):
        lines += [line, f"  {row[1]}  {row[-1]}".rstrip()]
    return lines


def _cells(session: Session, event: Event, incident: str | None) -> list[str]:
    color = _COLORS.get(event.action)
    why = (
        session.style(mark, fg="red") if (mark := _MARKS[event.signature]) else "",
        f"[{event.incident}]" if event.incident not in {None, incident} else "",
        first_line(event.reason),
    )
    return [
        event.time,
        event.commit[:9],
        session.style(event.action, fg=color) if color else event.action,
        _what(event),
        event.actor,
        " ".join(filter(None, why)),
    ]


def _what(event: Event) -> str:
    """Say what an event is about."""
    if event.action == "release":
        return f"{event.model}@{event.target} {event.stage}"
    if event.stage:
        origin, target = event.origin or "(empty)", event.target or "(empty)"
        return f"{event.model} {event.stage} {origin} -> {target}"
    if event.model and event.target:
        return f"{event.model}@{event.target}"
    return event.model or ""
