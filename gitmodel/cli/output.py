"""How answers and errors look: tables, sizes, error objects, bug reports."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import click

from gitmodel import __version__
from gitmodel.errors import GitmodelError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_PROBLEMS = 20
_COLOR = re.compile(r"(\x1b\[[0-9;]*m)")
_UNPRINTABLE = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNIT = 1024


def render_error(error: GitmodelError, *, as_json: bool, verbose: bool) -> None:
    """Print an error on stderr, and as JSON on stdout if that was asked for."""
    say(f"Error: {error.message}")
    listed = [
        problem
        for problem in error.problems
        if str(problem.get("message")) not in error.message
    ]
    for problem in listed[:_SHOWN_PROBLEMS]:
        place = str(problem.get("path") or problem.get("gate") or "")
        if place and problem.get("line"):
            place += f":{problem['line']}"
        say(f"  {place + ': ' if place else ''}{problem['message']}")
    if len(listed) > _SHOWN_PROBLEMS:
        say(f"  … and {len(listed) - _SHOWN_PROBLEMS} more")
    cause = error.__cause__
    while verbose and cause is not None:
        say(f"Caused by: {cause}")
        cause = cause.__cause__
    for hint in error.hints:
        say(f"Hint: {hint}")
    if as_json:
        body = {
            "code": error.code,
            "message": error.message,
            "hints": list(error.hints),
            "problems": list(error.problems),
        }
        click.echo(json.dumps({"error": body}, indent=2, ensure_ascii=False))


def report_bug(args: Sequence[str], error: Exception) -> None:
    """Keep a traceback in a file and ask for a report."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile(
        "w", prefix="gitmodel-bug-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(f"gitmodel {__version__}\n{sys.version}\n{list(args)}\n\n{text}")
    found = GitmodelError(
        f"gitmodel has a bug: {type(error).__name__}: {error}",
        f"Please report it with the file {log.name}",
        code="E_BUG",
    )
    render_error(found, as_json="--json" in args, verbose=False)


def say(text: str) -> None:
    """Print a line of the conversation, on stderr."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """Return ``text`` without what would move a terminal's cursor or worse.

    Names and reasons come from a registry that others write. Colours stay.
    """
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def counted(number: int, noun: str) -> str:
    """Return such as ``1 commit`` or ``2 commits``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def first_line(text: str) -> str:
    """Return the first line of a text, saying so if there are more."""
    head, *rest = text.strip().splitlines() or [""]
    return f"{head.rstrip()} …" if any(line.strip() for line in rest) else head


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns; the header in capitals, as kubectl does it."""
    return "\n".join(columns([[cell.upper() for cell in header], *rows], indent=""))


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Return rows of cells as lines, aligned."""
    widths = [max(map(_shown_length, column)) for column in zip(*rows, strict=True)]
    return [(indent + "  ".join(map(_padded, row, widths))).rstrip() for row in rows]


def cut(line: str, width: int | None) -> str:
    """Return a line that fits a terminal of ``width`` columns; None for any line."""
    if width is None or _shown_length(line) <= width:
        return line
    kept, room = "", width - 1
    for part in _COLOR.split(line):
        color = _COLOR.fullmatch(part)
        kept += part if color else part[:room]
        room -= 0 if color else min(room, len(part))
    return f"{kept}…"


def _shown_length(cell: str) -> int:
    return len(click.unstyle(cell))


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _shown_length(cell))


def size(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _UNIT:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _UNIT
    return f"{count:.1f} TiB"


def number(value: object) -> str:
    """Return a metric as people read it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
