"""The ``gitmodel`` command: its global options, its commands, and its exit codes.

Errors are rendered here, once, for every command: ``Error:`` one sentence, then
``Hint:`` lines, on stderr; with ``--json`` also as an object on stdout.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from gitmodel import __version__
from gitmodel.cli import completion, streams
from gitmodel.cli.help import Group
from gitmodel.cli.keyless import Keyless
from gitmodel.cli.session import Session
from gitmodel.errors import GitmodelError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence

BUG = 70
INTERRUPTED = 130
_GARBAGE = 50_000  # objects
_SHORT_HELP = 64  # what fits beside the longest name in 80 columns

#: Command → help section. The order is the order of the help page.
COMMANDS: dict[str, str] = {
    "init": "Set up",
    "key": "Set up",
    "policy": "Set up",
    "hooks": "Set up",
    "doctor": "Set up",
    "forge": "Set up",
    "completion": "Set up",
    "demo": "Set up",
    "register": "Change the registry",
    "attest": "Change the registry",
    "promote": "Change the registry",
    "requests": "Change the registry",
    "approve": "Change the registry",
    "approvals": "Change the registry",
    "reject": "Change the registry",
    "sync": "Change the registry",
    "rollback": "Answer an incident",
    "quarantine": "Answer an incident",
    "incident": "Answer an incident",
    "validate": "Answer an incident",
    "hold": "Answer an incident",
    "watch": "Watch, and be ready",
    "triggers": "Watch, and be ready",
    "notify": "Watch, and be ready",
    "drill": "Watch, and be ready",
    "runbook": "Watch, and be ready",
    "list": "Read the registry",
    "show": "Read the registry",
    "log": "Read the registry",
    "diff": "Read the registry",
    "pull": "Read the registry",
    "check": "Prove it",
    "report": "Prove it",
    "verify": "Prove it",
    "checkpoint": "Prove it",
    "hook": "Prove it",
}


class LazyGroup(Group):
    """Imports a command's module only when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"gitmodel.cli.commands.{name}")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for one that does not exist."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            # Click looks for commands that are loaded, and none is.
            raise click.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # Not our own output, see ``streams``; click would end without a word.
            raise OutsideError("A process that gitmodel runs ended early.") from error

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the commands by section."""
        for section in dict.fromkeys(COMMANDS.values()):
            names = [name for name, where in COMMANDS.items() if where == section]
            rows = [
                (name, command.get_short_help_str(_SHORT_HELP))
                for name in names
                if (command := self.get_command(ctx, name)) is not None
            ]
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "GITMODEL",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="gitmodel", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "directory",
    metavar="DIR",
    type=click.Path(),
    help="Use the registry in DIR; other paths still start here.  [default: .]",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Print answers and errors, but no hints."
)
@click.option("-v", "--verbose", is_flag=True, help="Show the causes of errors.")
@click.option("--no-color", is_flag=True, help="Never use colour (NO_COLOR works too).")
@click.option(
    "--key",
    metavar="KEY",
    type=click.Path(),
    help="Sign with this key: a file, or as in gitmodel key --help.  "
    "[env: GITMODEL_KEY]",
)
@click.option(
    "--identity-token",
    metavar="TOKEN",
    help="Sign as this identity, without a key; - reads it from stdin.  "
    "[env: GITMODEL_IDENTITY_TOKEN]",
)
@click.option(
    "--keyless",
    is_flag=True,
    help="Sign as the CI job that this runs in, or log in with a browser.",
)
@click.option(
    "--trust-config",
    metavar="FILE",
    type=click.Path(),
    help="Which Sigstore certifies identities.  [env: GITMODEL_TRUST_CONFIG]",
)
@click.pass_context
def cli(
    ctx: click.Context,
    directory: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_color: bool,
    key: str | None,
    identity_token: str | None,
    keyless: bool,
    trust_config: str | None,
) -> None:
    """A Git-native model registry.

    Versions are signed manifests, promotion is a commit, rollback is a revert, and
    the git log is the audit trail.

    Examples:
      gitmodel demo                            the whole story, in under a minute
      gitmodel init                            make this repository a registry
      gitmodel register fraud model.safetensors --metric accuracy=0.97
      gitmodel promote fraud@1.0.0 dev
      gitmodel rollback fraud dev --plan       what going back would change
      gitmodel verify

    A SELECTOR names a version:
      fraud@1.2.0   fraud@1.2   fraud@latest   fraud@sha256:DIGEST
      fraud#production       what the stage holds now
      fraud@lkg#production   what it held before and could go back to
    """
    ctx.obj = Session.from_environment(
        directory=directory,
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
        no_color=no_color,
        key=key,
        keyless=Keyless.chosen(ctx, identity_token, keyless, trust_config),
    )


def run(args: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing escapes."""
    if completion.VARIABLE in os.environ:
        completion.install()
    try:
        code = cli.main(list(args), prog_name="gitmodel", standalone_mode=False)
        sys.stdout.flush()
    except GitmodelError as error:
        return _fail(args, error, error.exit_code)
    except click.ClickException as error:
        return _usage(args, error)
    except (KeyboardInterrupt, click.Abort):
        said = GitmodelError("Interrupted; nothing is half done.", code="E_INTERRUPTED")
        return _fail(args, said, INTERRUPTED)
    except Exception as error:  # noqa: BLE001 the last line of defence
        return _bug(args, error)
    return code if isinstance(code, int) else 0


def _usage(args: Sequence[str], error: click.ClickException) -> int:
    """Say what is wrong with the arguments; without any, how to use the command."""
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(message, err=True)
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = context.command_path if context else "gitmodel"
    hints = [f"{where} --help  shows how to use it."]
    if isinstance(error, click.NoSuchOption) and any(
        error.option_name in option.opts for option in cli.params
    ):
        rest = where.removeprefix("gitmodel ")
        hints.insert(
            0, f"gitmodel {error.option_name} {rest} …  puts it where it belongs."
        )
    said = GitmodelError(" ".join(message.split()), *hints, code="E_USAGE")
    return _fail(args, said, error.exit_code)


def _fail(args: Sequence[str], error: GitmodelError, code: int) -> int:
    from gitmodel.cli.output import render_error

    render_error(
        error, as_json="--json" in args, verbose=bool({"-v", "--verbose"} & {*args})
    )
    return code


def _bug(args: Sequence[str], error: Exception) -> int:
    from gitmodel.cli.output import report_bug

    report_bug(args, error)
    return BUG


def main(argv: Any = None) -> None:
    """Be the console script."""
    # Looking for garbage every 700 objects is a tenth of a short command's time.
    gc.set_threshold(_GARBAGE)
    streams.harden()
    sys.exit(run(sys.argv[1:] if argv is None else argv))
