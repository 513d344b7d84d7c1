"""``gitmodel pull``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import SELECTOR, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("pull", cls=Command)
@click.argument("selector", type=SELECTOR)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(),
    help="Where to.  [default: MODEL-VERSION]",
)
@click.option("--replace", is_flag=True, help="Replace an earlier pull in DIR.")
@click.option(
    "--forensic",
    is_flag=True,
    help="To look into it: also from quarantine, and read-only.",
)
@json_option
@click.pass_obj
def command(
    session: Session, selector: str, output: str | None, replace: bool, forensic: bool
) -> None:
    """Get a version's files, verified while they are written.

    Fetches only what this clone lacks of the version that SELECTOR names. DIR appears
    complete or not at all: artifacts/, manifest.yaml and model.sig, which model_signing
    verifies too. What is in quarantine is refused; a responder or an auditor can look
    into it with --forensic.

    Examples:
      gitmodel pull fraud#production -o /srv/fraud
      gitmodel pull fraud@1.2.0
    """
    from gitmodel.cli.output import counted, size
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.pull import pull

    if output == "":
        raise click.UsageError("-o needs the name of a directory.")
    wanted = Selector.parse(selector)
    with session.open_closing() as handle:
        result = pull(
            handle,
            wanted,
            Path(output) if output else None,
            replace=replace,
            forensic=forensic,
        )
    total = sum(artifact.size for artifact in result.artifacts)
    word = "Pulled" if result.status == "pulled" else "Already there:"
    session.answer(
        {
            "status": result.status,
            "model": result.model,
            "version": result.version,
            "manifest": result.manifest,
            "path": str(result.path),
            "artifacts": [artifact.to_dict() for artifact in result.artifacts],
            "verified": result.verified,
        },
        f"{word} {result.model}@{result.version} in {result.path}\n"
        f"  {counted(len(result.artifacts), 'artifact')}, {size(total)}; "
        "signatures and every byte verified",
    )
