"""``gitmodel completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    r"""Print the script that makes SHELL complete models, versions and stages.

    \b
    Examples:
      eval "$(gitmodel completion bash)"          # in ~/.bashrc
      eval "$(gitmodel completion zsh)"           # in ~/.zshrc
      gitmodel completion fish > ~/.config/fish/completions/gitmodel.fish
    """
    from gitmodel.cli.main import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click cannot complete in {shell}.")
    click.echo(found(cli, {}, "gitmodel", "_GITMODEL_COMPLETE").source())
