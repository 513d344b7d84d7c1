"""A change as JSON and as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import counted, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.cli.session import Session
    from gitmodel.operations.landing.moves import MoveRow
    from gitmodel.operations.landing.report import ChangeReport

_COLORS = {"allowed": "green", "pending": "yellow", "refused": "red"}


def change_json(report: ChangeReport) -> dict[str, object]:
    """Return the answer of ``report change --json``."""
    return {
        "status": report.status,
        "base": report.base,
        "head": report.head,
        "root": str(report.root),
        "moves": [_move_json(move) for move in report.moves],
        "additions": [
            {"kind": each.kind, "name": each.name, "path": each.path}
            for each in report.additions
        ],
        "needed": [each.message for each in report.needed],
        "refusals": [each.to_dict() for each in report.refusals],
        "elsewhere": report.elsewhere,
    }


def _move_json(move: MoveRow) -> dict[str, object]:
    return {
        "model": move.model,
        "stage": move.stage,
        "action": move.action,
        "from": move.origin,
        "to": move.target,
        "requester": move.requester,
        "reason": move.reason,
        "incident": move.incident,
        "approvals": list(move.approvals),
        "rejections": list(move.rejections),
        "threshold": move.threshold,
        "needed": list(move.needed),
        "gates": [
            {
                "gate": gate.gate,
                "asked": gate.asked,
                "met": gate.met,
                "message": gate.message,
            }
            for gate in move.gates
        ],
        "metrics": [delta.to_dict() for delta in move.comparison.metrics]
        if move.comparison
        else [],
    }


def change_text(session: Session, report: ChangeReport) -> str:
    """Return a report for people at a terminal."""
    word = session.style(report.status, fg=_COLORS.get(report.status), bold=True)
    lines = [f"{word}  {report.head[:12]} into {report.base[:12]}"]
    for move in report.moves:
        lines += _move_lines(session, move)
    lines += [f"  adds      {each.kind} {each.name}" for each in report.additions]
    if report.elsewhere:
        files = counted(report.elsewhere, "changed file")
        lines.append(f"  besides   {files} outside the registry")
    lines += [f"  needs     {each.message}" for each in report.needed]
    for refusal in report.refusals:
        lines.append(f"  refused   {refusal.problem}")
        lines += [f"    -> {command}" for command in refusal.commands]
    return "\n".join(lines)


def _move_lines(session: Session, move: MoveRow) -> Iterator[str]:
    from gitmodel.cli.rendering import metric_table

    way = f"{move.origin or '(empty)'} -> {move.target or '(empty)'}"
    by = f"{move.action} by {move.requester}" if move.action else "by hand"
    yield f"  moves     {move.model} in {move.stage}: {way}, {by}"
    if move.approvals or move.threshold:
        who = f": {', '.join(move.approvals)}" if move.approvals else ""
        yield f"  approved  {len(move.approvals)} of {move.threshold}{who}"
    if move.gates:
        said = {True: "met", False: "not met", None: "unknown"}
        rows = [(g.gate, g.asked, said[g.met], g.message) for g in move.gates]
        yield from _indented(table(("gate", "asks for", "", "found"), rows))
    if move.comparison is not None and move.comparison.metrics:
        yield from _indented(metric_table(session, move.comparison.metrics))


def _indented(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield f"    {line}".rstrip()
