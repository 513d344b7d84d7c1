"""``gitmodel diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import SELECTOR, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.diff import DiffResult


@click.command("diff", cls=Command)
@click.argument("a", type=SELECTOR)
@click.argument("b", type=SELECTOR)
@json_option
@click.pass_obj
def command(session: Session, a: str, b: str) -> None:
    """Compare two versions: facts, metrics and artifacts.

    A and B are selectors; they may name versions of different models.

    Examples:
      gitmodel diff fraud@1.1.0 fraud@1.2.0
      gitmodel diff fraud#production fraud@latest --json
    """
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.diff import diff

    with session.open_closing() as handle:
        result = diff(handle.view(), Selector.parse(a), Selector.parse(b))
    session.answer(_to_json(result), _to_text(session, result))


def _to_json(result: DiffResult) -> dict[str, object]:
    return {
        "a": f"{result.before.model}@{result.before.version}",
        "b": f"{result.after.model}@{result.after.version}",
        "fields": [
            {"path": field.path, "a": field.before, "b": field.after}
            for field in result.fields
        ],
        "metrics": [delta.to_dict() for delta in result.metrics],
        "artifacts": [
            {
                "path": artifact.path,
                "change": artifact.change,
                "a": artifact.before,
                "b": artifact.after,
                "sizeA": artifact.size_before,
                "sizeB": artifact.size_after,
            }
            for artifact in result.artifacts
        ],
    }


def _to_text(session: Session, result: DiffResult) -> str:
    from gitmodel.cli.output import size, table
    from gitmodel.cli.rendering import metric_table

    names = [f"{v.model}@{v.version}" for v in (result.before, result.after)]
    parts = [session.style(" -> ".join(names), bold=True)]
    if result.metrics:
        parts.append(metric_table(session, result.metrics))
    if result.fields:
        rows = [
            (field.path, _shown(field.before), _shown(field.after))
            for field in result.fields
        ]
        parts.append(table(("field", "before", "after"), rows))
    if result.artifacts:
        files = [
            (
                artifact.path,
                artifact.change,
                size(artifact.size_before) if artifact.size_before is not None else "-",
                size(artifact.size_after) if artifact.size_after is not None else "-",
            )
            for artifact in result.artifacts
        ]
        parts.append(table(("artifact", "", "before", "after"), files))
    if len(parts) == 1:
        parts.append("No difference in facts, metrics or artifacts.")
    return "\n\n".join(parts)


def _shown(value: object) -> str:
    text = "-" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004
