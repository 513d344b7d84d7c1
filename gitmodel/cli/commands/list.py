"""``gitmodel list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, STAGE, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.list import VersionRow
    from gitmodel.registry.view import View


@click.command("list", cls=Command)
@click.argument("model", type=MODEL, required=False)
@click.option(
    "--stage", type=STAGE, help="What this stage holds, or has ever held of MODEL."
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Versions with this label.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="EXPR",
    help="Such as 'accuracy>=0.9' or 'test.f1>0.8'; repeat it.",
)
@click.option(
    "--sort",
    default="version",
    metavar="KEY",
    help="version, createdAt, or a metric, best first.  [default: version]",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows."
)
@json_option
@click.pass_obj
def command(
    session: Session,
    model: str | None,
    stage: str | None,
    labels: tuple[str, ...],
    where: tuple[str, ...],
    sort: str,
    limit: int | None,
) -> None:
    """List models and what each stage holds, or versions of MODEL.

    Examples:
      gitmodel list
      gitmodel list fraud --where 'accuracy>=0.95' --sort accuracy --limit 5
      gitmodel list --stage production --json
    """
    with session.open_closing() as handle:
        view = handle.view()
        if model is None:
            if labels or where or sort != "version":
                raise click.UsageError("--label, --where and --sort need a MODEL.")
            _models(session, view, stage, limit)
        else:
            _versions(session, view, model, stage, labels, where, sort, limit)


def _models(session: Session, view: View, stage: str | None, limit: int | None) -> None:
    from gitmodel.cli.output import table
    from gitmodel.operations.list import list_models

    rows = list_models(view, stage=stage)[:limit]
    stages = view.settings.stages
    session.answer(
        {
            "models": [
                {
                    "model": row.model,
                    "latest": row.latest,
                    "versions": row.versions,
                    "stages": dict(row.stages),
                }
                for row in rows
            ]
        },
        table(
            ("model", "latest", *stages),
            [
                (row.model, row.latest or "-", *(row.stages[s] or "-" for s in stages))
                for row in rows
            ],
        )
        if rows
        else "",
    )
    if not rows and stage is None:
        session.note("No models are registered yet.")
        session.hint("gitmodel register MODEL FILE…")
    elif not rows:
        session.note(f"Stage {stage} holds nothing.")
        session.hint(f"gitmodel promote SELECTOR {stage}")


def _versions(
    session: Session,
    view: View,
    model: str,
    stage: str | None,
    labels: tuple[str, ...],
    where: tuple[str, ...],
    sort: str,
    limit: int | None,
) -> None:
    from gitmodel.cli.output import size, table
    from gitmodel.domain.parameters import parse_labels
    from gitmodel.operations.conditions import parse_condition
    from gitmodel.operations.list import list_versions

    rows = list_versions(
        view,
        model,
        stage=stage,
        labels=parse_labels(labels),
        where=[parse_condition(text) for text in where],
        sort=sort,
        limit=limit,
    )
    session.answer(
        {
            "versions": [
                {
                    "version": row.version,
                    "createdAt": row.created_at,
                    "createdBy": row.created_by,
                    "metrics": dict(row.metrics),
                    "labels": dict(row.labels),
                    "stages": list(row.stages),
                    "status": row.status,
                    "size": row.size,
                    "quarantine": row.quarantine,
                }
                for row in rows
            ]
        },
        table(
            ("version", "created", "by", "size", "status", "stages", "metrics"),
            [
                (
                    row.version,
                    row.created_at[:16].replace("T", " "),
                    row.created_by,
                    size(row.size),
                    row.status,
                    ",".join(row.stages) or "-",
                    _metrics(row),
                )
                for row in rows
            ],
        )
        if rows
        else "",
    )
    if not rows:
        session.note(f"No version of {model} is like that.")
        session.hint(f"gitmodel list {model}")


def _metrics(row: VersionRow) -> str:
    """Return the metrics of a version, by the names that --where and --sort take."""
    from gitmodel.cli.output import number
    from gitmodel.domain.metrics import read_metrics

    return " ".join(
        f"{name if group == 'validation' else f'{group}.{name}'}={number(metric.value)}"
        for group, metrics in read_metrics(row.metrics).items()
        for name, metric in metrics.items()
    )
