"""Help, suggestions and start-up: the first things that people meet."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gitmodel import __version__
from gitmodel.cli.main import cli
from tests.support.cli import gitmodel
from tests.support.terminal import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A verb that is not in the third person.
IMPERATIVE = re.compile(r"(?!(?:A|An|The|This|Your) )[A-Z][a-z]*(?:[a-rt-z]|ss) ")
HEAVY = (
    "sigstore",
    "jsonschema",
    "git",
    "ruamel",
    "cryptography",
    "gitmodel.domain.policy",
)


def _walk(
    command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _walk(found, click.Context(found, context, info_name=name))


ROOT = click.Context(cli, info_name="gitmodel", **cli.context_settings)
PAGES = list(_walk(cli, ROOT))


@pytest.mark.parametrize(
    ("path", "command"), [page[:2] for page in PAGES], ids=[page[0] for page in PAGES]
)
def test_the_help_of_a_command_is_complete(path: str, command: click.Command) -> None:
    answer = gitmodel(*path.split()[1:], "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == gitmodel(*path.split()[1:], "-h").out
    _, _, examples = answer.out.partition("\n  Examples:\n")
    lines = [line for line in examples.partition("\n\n")[0].splitlines() if line]
    assert lines, f"{path} has no examples"
    assert all(line.startswith("    ") for line in lines)
    assert any(line.split()[: len(path.split())] == path.split() for line in lines)
    assert "\b" not in answer.out
    assert "\\b" not in answer.out
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts} has no help"
    if command is not cli:
        first = (command.help or "").splitlines()[0]
        assert IMPERATIVE.match(first), first
        assert first.endswith(".")
        assert "--json" in answer.out


def test_the_first_page_shows_every_command_whole() -> None:
    answer = gitmodel("--help")
    _, _, sections = answer.out.partition("Set up:")
    assert "..." not in sections
    assert max(map(len, answer.out.splitlines())) <= 80
    for path, _, _ in PAGES:
        if len(path.split()) == 2:
            assert f"\n  {path.split()[1]} " in answer.out


def test_groups_say_whole_what_their_commands_do() -> None:
    for path, command, _ in PAGES[1:]:
        if isinstance(command, click.Group):
            answer = gitmodel(*path.split()[1:], "--help")
            _, _, listed = answer.out.partition("\nCommands:\n")
            assert listed, path
            assert "..." not in listed, path


def test_gitmodel_alone_shows_help() -> None:
    for args in ((), ("key",)):
        answer = gitmodel(*args)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err == gitmodel(*args, "--help").out


def test_a_missing_command_is_an_error_object_for_scripts() -> None:
    answer = gitmodel("--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "E_USAGE"


def test_the_version_is_said() -> None:
    assert gitmodel("--version").out == f"gitmodel {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lst", "list"), ("promot", "promote"), ("roll-back", "rollback")],
)
def test_an_unknown_command_suggests_the_nearest(typed: str, meant: str) -> None:
    answer = gitmodel(typed)
    assert answer.code == 2
    assert answer.err.splitlines() == [
        f"Error: No such command '{typed}'. Did you mean '{meant}'?",
        "Hint: gitmodel --help  shows how to use it.",
    ]


def test_what_resembles_nothing_suggests_nothing() -> None:
    answer = gitmodel("frobnicate")
    assert answer.err.splitlines()[0] == "Error: No such command 'frobnicate'."


def test_a_global_option_after_the_command_is_told_its_place() -> None:
    answer = gitmodel("key", "list", "-q")
    assert answer.code == 2
    assert answer.err.splitlines()[1] == (
        "Hint: gitmodel -q key list …  puts it where it belongs."
    )


def test_unknown_options_and_choices_say_what_there_is() -> None:
    assert "Did you mean '--json'?" in gitmodel("list", "--jsn").err
    assert "bash" in gitmodel("completion", "tcsh").err
    missing = gitmodel("completion").err.splitlines()
    assert missing[0].endswith("Choose from: bash, zsh, fish")


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("promote", "--help")])
def test_help_loads_nothing_heavy(args: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from gitmodel.cli.main import run\n"
        f"assert run({list(args)!r}) == 0\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"
