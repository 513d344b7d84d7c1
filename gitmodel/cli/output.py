"""How answers and errors look: tables, sizes, error objects, bug reports."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING

import click

from gitmodel import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.errors import GitmodelError

_SHOWN_PROBLEMS = 20
_UNIT = 1024


def render_error(error: GitmodelError, *, as_json: bool, verbose: bool) -> None:
    """Print an error on stderr, and as JSON on stdout if that was asked for."""
    click.echo(f"Error: {error.message}", err=True)
    listed = [
        problem
        for problem in error.problems
        if str(problem.get("message")) not in error.message
    ]
    for problem in listed[:_SHOWN_PROBLEMS]:
        place = str(problem.get("path") or problem.get("gate") or "")
        if place and problem.get("line"):
            place += f":{problem['line']}"
        click.echo(f"  {place + ': ' if place else ''}{problem['message']}", err=True)
    if len(listed) > _SHOWN_PROBLEMS:
        click.echo(f"  … and {len(listed) - _SHOWN_PROBLEMS} more", err=True)
    cause = error.__cause__
    while verbose and cause is not None:
        click.echo(f"Caused by: {cause}", err=True)
        cause = cause.__cause__
    for hint in error.hints:
        click.echo(f"Hint: {hint}", err=True)
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
    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile(
        "w", prefix="gitmodel-bug-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(f"gitmodel {__version__}\n{sys.version}\n{list(args)}\n\n{text}")
    click.echo(f"Error: gitmodel has a bug: {type(error).__name__}: {error}", err=True)
    click.echo(f"Hint: Please report it with the file {log.name}", err=True)
    if "--json" in args:
        body = {"code": "E_BUG", "message": str(error), "hints": [], "problems": []}
        click.echo(json.dumps({"error": body}))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns; the header in capitals, as kubectl does it."""
    lines = [[cell.upper() for cell in header], *rows]
    widths = [max(len(row[column]) for row in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in lines
    )


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
