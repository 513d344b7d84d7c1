"""``gitmodel completion``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from gitmodel.cli import completion
from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("completion", cls=Command)
@click.argument(
    "shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="{bash|zsh|fish}"
)
@json_option
@click.pass_obj
def command(session: Session, shell: str) -> None:
    """Print the script that completes models, versions and stages.

    Examples:
      eval "$(gitmodel completion bash)"          # in ~/.bashrc
      eval "$(gitmodel completion zsh)"           # in ~/.zshrc
      gitmodel completion fish > ~/.config/fish/completions/gitmodel.fish
    """
    from gitmodel.cli.main import cli

    completion.install()
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click cannot complete in {shell}.")
    script = found(cli, {}, "gitmodel", completion.VARIABLE).source()
    session.answer({"shell": shell, "script": script}, script)
