"""``gitmodel register``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.register import RegisterResult


@click.command("register", cls=Command)
@click.argument("model", type=MODEL)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path())
@click.option("--version", metavar="V", help="The version, such as 1.2.0.")
@click.option(
    "--bump", type=click.Choice(["major", "minor", "patch"]),
    help="Raise the highest version that exists.  [default: patch; first: 1.0.0]",
)  # fmt: skip
@click.option(
    "--change", type=click.Choice(["breaking", "feature", "fix"]),
    help="What kind of change it is.  [default: by the version]",
)  # fmt: skip
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="[SET.]NAME=NUMBER",
    help="A metric; SET is validation by default.",
)
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A hyperparameter."
)
@click.option(
    "--data",
    "data",
    multiple=True,
    metavar="NAME[@VERSION]=PATH|URI@sha256:…",
    help="A training data set; a PATH is hashed.",
)
@click.option(
    "--code",
    metavar="DIR",
    type=click.Path(),
    help="Where the training code is.  "
    "[default: the current repository, if it is not the registry]",
)
@click.option(
    "--parent",
    "parents",
    multiple=True,
    metavar="MODEL@V[:RELATION]",
    help="A version that this one was made from.",
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="NAME=ROLE",
    help="The role of an artifact, where its name does not tell.",
)
@click.option(
    "--card",
    metavar="FILE",
    type=click.Path(),
    help="The model card; becomes an artifact.",
)
@click.option(
    "--metadata",
    metavar="FILE",
    type=click.Path(),
    help="YAML or JSON with whatever else the manifest should say.",
)
@click.option("--description", metavar="TEXT", help="One sentence about this version.")
@click.option("--no-capture", is_flag=True, help="Do not record code and environment.")
@click.option(
    "--allow-same-bytes", is_flag=True, help="Register bytes that another version has."
)
@click.option("-m", "--message", default="", metavar="MSG", help="Why, for the log.")
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    /,
    model: str,
    paths: tuple[str, ...],
    version: str | None,
    bump: str | None,
    roles: tuple[str, ...],
    allow_same_bytes: bool,
    message: str,
    push: bool,
    dry_run: bool,
    **options: object,
) -> None:
    """Register files as a new version of MODEL.

    Each PATH is a file, or a directory that gives its content. The bytes go straight
    into the Git LFS store, the manifest records and signs what they are and where they
    came from, and one commit holds it all.

    Examples:
      gitmodel register fraud model.safetensors --version 1.0.0 --metric accuracy=0.97
      gitmodel register fraud out/ --bump minor --data train=data/train.csv
      gitmodel register fraud m.gguf --parent base@2.0.0:finetune --metadata run.yaml
    """
    from gitmodel.cli.register_options import facts_from_options, roles_from_options
    from gitmodel.domain.semver import Version
    from gitmodel.operations.register import Naming, register
    from gitmodel.registry.transaction import Mode

    if version is not None and bump:
        raise click.UsageError("--version and --bump exclude each other.")
    if options["code"] is not None and options["no_capture"]:
        raise click.UsageError("--code and --no-capture exclude each other.")
    for name in ("code", "card", "metadata"):
        if options[name] == "":
            raise click.UsageError(f"--{name} needs the name of a file.")
    files = [Path(path) for path in paths]
    card = options.get("card")
    if card and not any(Path(str(card)) == path for path in files):
        files.append(Path(str(card)))
    with session.open_closing() as handle:
        result = register(
            handle,
            model,
            files,
            naming=Naming(
                version=None if version is None else Version.parse(version),
                bump=bump,  # type: ignore[arg-type]  # click has checked the choice
                allow_same_bytes=allow_same_bytes,
            ),
            facts=facts_from_options(
                options, handle.context.progress, os.environ.get("VIRTUAL_ENV")
            ),
            roles=roles_from_options(roles, card),
            message=message,
            mode=Mode(dry_run=dry_run, push=push),
        )
        first = handle.view().settings.stages[0]
    session.answer(_to_json(result), _to_text(result))
    if not dry_run:
        session.hint(f"gitmodel promote {model}@{result.version} {first}")


def _to_json(result: RegisterResult) -> dict[str, object]:
    return {
        "model": result.model,
        "version": result.version,
        "id": result.id,
        "manifest": result.manifest,
        "artifacts": [artifact.to_dict() for artifact in result.artifacts],
        "commit": result.commit,
        "dryRun": result.dry_run,
    }


def _to_text(result: RegisterResult) -> str:
    from gitmodel.cli.rendering import artifact_lines

    word = "Would register" if result.dry_run else "Registered"
    lines = [
        f"{word} {result.model}@{result.version}",
        *artifact_lines(result.artifacts),
        f"  id        {result.id}",
        f"  manifest  {result.manifest}",
    ]
    if result.commit:
        lines.append(f"  commit    {result.commit[:12]}")
    return "\n".join(lines)
