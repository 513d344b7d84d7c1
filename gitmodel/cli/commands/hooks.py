"""``gitmodel hooks install|status|uninstall``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import gitmodel
from gitmodel.cli.help import Group
from gitmodel.cli.options import json_option
from gitmodel.cli.output import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.cli.session import Session
    from gitmodel.operations.hooks.installing import HookRow, Program


@click.group("hooks", cls=Group)
def command() -> None:
    """Check commits and pushes made with plain git in this clone.

    For clones that do not use the pre-commit tool. Hooks that are there already, such
    as those of git-lfs, are kept and run first.

    Examples:
      gitmodel hooks install
      gitmodel hooks status --json
    """


@command.command("install")
@click.option(
    "--shared",
    is_flag=True,
    help="Install even where all your repositories share the hooks.",
)
@json_option
@click.pass_obj
def install(session: Session, shared: bool) -> None:
    """Put the hooks into this clone; again, after gitmodel has moved.

    Examples:
      gitmodel hooks install
      gitmodel -C ~/registry hooks install --json
    """
    from gitmodel.operations.hooks.installing import install as put

    rows = put(_repository(session), program(), shared=shared)
    _answer(session, rows)
    session.hint("git commit  is checked now;  gitmodel hooks uninstall  ends that.")


@command.command("status")
@json_option
@click.pass_obj
def status(session: Session) -> None:
    """Show which hooks are there, whose they are, and whether they are up to date.

    Examples:
      gitmodel hooks status
    """
    from gitmodel.operations.hooks.installing import status as look

    rows = look(_repository(session), program())
    _answer(session, rows)
    if any(row.state in {"absent", "foreign", "outdated"} for row in rows):
        session.hint("gitmodel hooks install")


@command.command("uninstall")
@json_option
@click.pass_obj
def uninstall(session: Session) -> None:
    """Take the hooks out, and put back what was there before.

    Examples:
      gitmodel hooks uninstall
    """
    from gitmodel.operations.hooks.installing import uninstall as take

    _answer(session, take(_repository(session), program()))


def program() -> Program:
    """Return what hooks start: this interpreter, and this gitmodel."""
    from gitmodel.operations.hooks.installing import Program

    return Program(Path(sys.executable), Path(gitmodel.__file__).parent)


def _repository(session: Session) -> Repository:
    from gitmodel.adapters.git.repository import Repository

    return Repository.discover(session.directory)


def _answer(session: Session, rows: Sequence[HookRow]) -> None:
    shown = [(row.hook, row.state, row.other and f"with {row.other}") for row in rows]
    session.answer(
        {
            "hooks": [
                {
                    "hook": row.hook,
                    "path": str(row.path),
                    "state": row.state,
                    "other": row.other or None,
                }
                for row in rows
            ]
        },
        table(("hook", "state", ""), shown),
    )
