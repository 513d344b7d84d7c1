"""``gitmodel triggers``: what is watched, in words, and a rehearsal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import MODEL, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.group("triggers", cls=Group)
@json_option
def command() -> None:
    """Say what is watched, and try it on recorded measurements.

    Triggers are files that people edit and commit: triggers/MODEL.yaml. `watch` acts on
    them. Hooks and `verify` name those that cannot be read.

    Examples:
      gitmodel triggers explain
      gitmodel triggers test fraud --series accuracy.csv
    """


@command.command("explain")
@click.argument("model", metavar="[MODEL]", type=MODEL, required=False)
@json_option
@click.pass_obj
def explain_(session: Session, model: str | None) -> None:
    """Write what is watched, when it fails and what then happens, as Markdown.

    It is what HEAD has: what a watcher of this clone goes by.

    Examples:
      gitmodel triggers explain
      gitmodel triggers explain fraud > docs/fraud-triggers.md
    """
    from gitmodel.cli.trigger_rendering import explained_json, explained_markdown
    from gitmodel.operations.triggers import explain

    with session.open_closing() as handle:
        found = explain(handle.view(), model)
    session.answer(explained_json(found), explained_markdown(found))


@command.command("test")
@click.argument("model", type=MODEL)
@click.option(
    "--series",
    "file",
    metavar="FILE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with time,value, or one JSON object per line.",
)
@click.option("--metric", metavar="NAME", help="Which one, if MODEL has several.")
@json_option
@click.pass_obj
def test(session: Session, model: str, file: Path, metric: str | None) -> None:
    """Play recorded measurements to a metric, and say what would have been decided.

    The triggers are those of your work tree, so that you can try before you commit. No
    source is asked and nothing is changed. The version that is live stays so
    throughout, whatever is decided. A value may be any JSON; an empty one is no data,
    NaN is NaN, and error stands for a source that failed.

    Examples:
      gitmodel triggers test fraud --series accuracy.csv
      gitmodel triggers test fraud --metric latency --series p95.jsonl --json
    """
    from gitmodel.cli.trigger_rendering import rehearsal_json, rehearsal_text
    from gitmodel.errors import InputError
    from gitmodel.formats.series import LARGEST, read_series
    from gitmodel.operations.triggers import rehearse

    if file.stat().st_size > LARGEST:
        raise InputError(f"{file} has more than {LARGEST:,} bytes.")
    samples = read_series(file.read_bytes(), file.name)
    with session.open_closing() as handle:
        found = rehearse(handle, model, samples, metric=metric)
    session.answer(rehearsal_json(found), rehearsal_text(session, found))
