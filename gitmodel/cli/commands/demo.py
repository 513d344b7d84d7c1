"""``gitmodel demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("demo", cls=Command)
@click.argument("directory", required=False, metavar="[DIR]", type=click.Path())
@json_option
@click.pass_obj
def command(session: Session, directory: str | None) -> None:
    """Watch the whole story on a real trained model.

    In under a minute: trains three models (one on poisoned labels), registers and
    promotes them, finds the poisoned one by measuring it, takes it back as in an
    emergency, quarantines it and its data, packs the evidence, verifies, tampers and
    verifies again. Needs no server and no account; leaves the registry in DIR, or in a
    new temporary directory, for you to explore.

    Examples:
      gitmodel demo
      gitmodel demo ~/gitmodel-demo
    """
    from gitmodel.demo import run_demo

    def say(line: str) -> None:
        if line.startswith("\n==="):
            line = session.style(line, bold=True)
        elif line.startswith("$"):
            line = session.style(line, fg="cyan")
        click.echo(line, err=session.as_json, color=session.color)

    result = run_demo(Path(directory) if directory else None, say)
    if session.as_json:
        session.answer(
            {
                "registry": str(result.registry),
                "key": str(result.key),
                "claimed": result.claimed,
                "measured": result.measured,
                "restored": result.restored,
            },
            "",
        )
