"""A change as a comment on its pull request.

All that comes from the branch is in code spans; the words around it are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import counted, number, size
from gitmodel.formats import fences
from gitmodel.formats.fences import bound, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.operations.diff import DiffResult
    from gitmodel.operations.hooks.aspects import Refusal
    from gitmodel.operations.landing.moves import MoveRow
    from gitmodel.operations.landing.report import Addition, ChangeReport

#: GitHub takes 65,536 characters, and a mark is put before them.
LIMIT = 60_000
_ROWS = 50
_WORD = 200
_MESSAGE = 600
_EMPTY = "(empty)"
_HEADS = {
    "allowed": "This change may be merged.",
    "pending": "This change waits for approvals.",
    "refused": "This change is refused.",
    "unchanged": "This change does nothing to the registry.",
}
_AFTER = {
    "pending": "Until they are there, merging it would break the registry: "
    "`gitmodel verify` would fail.",
    "refused": "Do not merge it as it is: it cannot be merged, or `gitmodel verify` "
    "would fail afterwards.",
}
_ARROWS = {"better": "better", "worse": "**worse**", "same": "same"}


def code(text: str, limit: int = _WORD) -> str:
    """Return what strangers wrote, as much of it as a line bears."""
    return fences.code(text, limit)


def change_markdown(report: ChangeReport) -> str:
    """Return a report for a forge, of at most ``LIMIT`` bytes."""
    head = _HEADS[report.status]
    parts = [f"### gitmodel: {head}"]
    if report.status in _AFTER:
        parts.append(_AFTER[report.status])
    if report.refusals:
        parts += ["#### What stands in the way", _refusals(report.refusals)]
    if report.needed:
        parts += ["#### Still needed", "\n".join(_needed(report))]
    if report.moves:
        parts += ["#### What moves where", _moves(report.moves)]
        for move in report.moves[:_ROWS]:
            if details := list(_details(move)):
                parts += [f"#### {code(move.model)} in {code(move.stage)}", *details]
    if report.additions:
        parts += ["#### What comes in", _additions(report.additions)]
    parts.append(_footer(report))
    text = "\n\n".join(parts) + "\n"
    return bound(text, LIMIT, "_The rest is cut off; the job has the whole report._\n")


def _more(count: int) -> list[str]:
    return [f"… and {count - _ROWS:,} more"] if count > _ROWS else []


def _refusals(refusals: tuple[Refusal, ...]) -> str:
    rows = []
    for each in refusals[:_ROWS]:
        problem = each.problem
        place = (
            problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        )
        where = [code(place)] if place else []
        where += [f"in {code(problem.commit[:12])}"] if problem.commit else []
        rows.append(
            (
                f"`{problem.code}`",
                " ".join(where) or "-",
                code(problem.message, _MESSAGE),
                "<br>".join(code(command) for command in each.commands) or "-",
            )
        )
    found = table(("code", "where", "what", "instead"), rows)
    return "\n\n".join([found, *_more(len(refusals))])


def _needed(report: ChangeReport) -> Iterator[str]:
    for each in report.needed[:_ROWS]:
        yield f"- {code(each.message, _MESSAGE)}"
    for move in report.moves[:_ROWS]:
        if move.needed:
            command = code(f"gitmodel approve {move.model}#{move.stage} --push")
            yield f"- an approver runs {command}"
    waiting = {each.path for each in report.needed}
    for added in report.additions:
        if added.kind == "policy" and added.path in waiting:
            yield f"- a root runs {code(f'gitmodel policy sign {added.name} --push')}"
    yield from _more(len(report.needed))


def _moves(moves: tuple[MoveRow, ...]) -> str:
    rows = [
        (
            code(move.stage),
            code(move.model),
            code(move.origin or _EMPTY),
            code(move.target or _EMPTY),
            code(move.action) if move.action else "**by hand**",
            code(move.requester or "-"),
            f"{len(move.approvals)} of {move.threshold}",
        )
        for move in moves[:_ROWS]
    ]
    header = ("stage", "model", "holds now", "would hold", "by", "asked by", "approved")
    return "\n\n".join([table(header, rows), *_more(len(moves))])


def _details(move: MoveRow) -> Iterator[str]:
    said = [
        f"- {label}: {code(text, _MESSAGE)}"
        for label, text in (
            ("reason", move.reason),
            ("incident", move.incident or ""),
            ("approved by", ", ".join(move.approvals)),
            ("rejected by", ", ".join(move.rejections)),
        )
        if text
    ]
    said += [f"- **needed**: {code(each, _MESSAGE)}" for each in move.needed]
    if said:
        yield "\n".join(said)
    if move.gates:
        rows = [
            (
                code(gate.gate),
                code(gate.asked),
                {True: "met", False: "**not met**", None: "unknown"}[gate.met],
                code(gate.message, _MESSAGE) or "-",
            )
            for gate in move.gates[:_ROWS]
        ]
        yield table(("gate", "asks for", "", "found"), rows)
    elif move.action == "promote":
        yield "The stage has no gates."
    if move.comparison is not None:
        yield from _comparison(move.comparison)
    elif move.origin is None and move.target is not None:
        yield "The stage is empty now, so there is nothing to compare with."


def _comparison(found: DiffResult) -> Iterator[str]:
    before, after = str(found.before.version), str(found.after.version)
    yield f"Compared with what the stage holds now, {code(before)} → {code(after)}:"
    if found.metrics:
        rows = [
            (
                code(f"{each.set}.{each.name}"),
                code(number(each.before)) if each.before is not None else "-",
                code(number(each.after)) if each.after is not None else "-",
                code(f"{each.change:+.6g}") if each.change is not None else "-",
                f"{each.direction} is better",
                _ARROWS.get(each.verdict, "not comparable"),
            )
            for each in found.metrics[:_ROWS]
        ]
        header = ("metric", "now", "then", "change", "direction", "")
        yield "\n\n".join([table(header, rows), *_more(len(found.metrics))])
    if found.artifacts:
        files = [
            (
                code(each.path),
                each.change,
                size(each.size_before) if each.size_before is not None else "-",
                size(each.size_after) if each.size_after is not None else "-",
            )
            for each in found.artifacts[:_ROWS]
        ]
        columns = ("artifact", "", "now", "then")
        yield "\n\n".join([table(columns, files), *_more(len(found.artifacts))])
    if found.fields:
        names = ", ".join(code(each.path) for each in found.fields[:_ROWS])
        yield f"Other facts that differ: {names}"
    if not (found.metrics or found.artifacts or found.fields):
        yield "No difference in facts, metrics or artifacts."


def _additions(additions: tuple[Addition, ...]) -> str:
    lines = [f"- {each.kind} {code(each.name)}" for each in additions[:_ROWS]]
    return "\n".join([*lines, *_more(len(additions))])


def _footer(report: ChangeReport) -> str:
    judged = (
        f"Judged: {code(report.head[:12])} merged into {code(report.base[:12])}, "
        f"by the policies of the registry {code(str(report.root))}."
    )
    lines = [judged]
    if report.elsewhere:
        lines.append(
            f"{counted(report.elsewhere, 'changed file')} outside the registry, "
            "which gitmodel does not judge."
        )
    return "\n".join(lines)
