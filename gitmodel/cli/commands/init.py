"""``gitmodel init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("init", cls=Command)
@click.argument("directory", required=False, metavar="[DIR]", type=click.Path())
@click.option(
    "--stage", "stages", multiple=True, metavar="STAGE",
    help="A stage, in promotion order; repeat it.  [default: dev, staging, production]",
)  # fmt: skip
@click.option(
    "--name", metavar="NAME", help="Name of the registry.  [default: the directory's]"
)
@click.option(
    "--principal", metavar="NAME",
    help="Who the key belongs to.  [default: git's user.name]",
)  # fmt: skip
@click.option(
    "--key", metavar="KEY", type=click.Path(),
    help="Sign with this key.  [default: yours; made where there is none]",
)  # fmt: skip
@json_option
@click.pass_obj
def command(
    session: Session,
    directory: str | None,
    stages: tuple[str, ...],
    name: str | None,
    principal: str | None,
    key: str | None,
) -> None:
    """Make a git repository a registry.

    Makes the repository if there is none, a key if you have none, and one signed
    commit with the settings and policy 1. A registry is left as it is.

    With --keyless or --identity-token before the command, no key is made: policy 1
    names your identity, and pins the trusted root of the Sigstore that certifies it.

    Examples:
      gitmodel init
      gitmodel init registry --stage test --stage live
      gitmodel init --key ~/.ssh/id_ecdsa --principal alice
      gitmodel --keyless init --principal alice
    """
    from gitmodel.cli.keyless import Keyless
    from gitmodel.operations.init import init

    if key:
        Keyless.require_unasked(click.get_current_context())
        session.use_key(key)
    result = init(
        session.directory / (directory or ""),
        session.context(create_key=True),
        name=name,
        stages=stages,
        principal=principal,
    )
    data = {
        "registry": result.registry,
        "root": result.root,
        "stages": list(result.stages),
        "principal": result.principal,
        "keyid": result.keyid,
        "identity": str(result.identity) if result.identity else None,
        "commit": result.commit,
        "path": result.path,
        "created": result.created,
    }
    signer = result.identity or f"key {result.keyid[:8]}"
    word = "Made" if result.created else "Unchanged:"
    session.answer(
        data,
        f"{word} registry {result.registry} in {result.path}\n"
        f"  stages     {' -> '.join(result.stages)}\n"
        f"  principal  {result.principal}, {signer}\n"
        f"  root       {result.root}\n"
        f"  commit     {result.commit[:12]}",
    )
    if result.created:
        session.note(
            "Keep the root digest elsewhere, too: it is what others verify against."
        )
        session.hint("gitmodel register MODEL FILE…")
