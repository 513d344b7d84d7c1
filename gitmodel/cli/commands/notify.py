"""``gitmodel notify``: trying whether those who must know can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session

UNTOLD = 5


@click.group("notify", cls=Group)
@json_option
def command() -> None:
    """Try who is told of rollbacks, incidents and alerts.

    Those who are stand in gitmodel.yaml, and in .git/gitmodel/notifications.yaml of
    this clone. Programs, files and addresses that gitmodel.yaml names count only where
    this machine allows them: git config --add gitmodel.allow WHAT.

    Examples:
      gitmodel notify test
    """


@command.command("test")
@click.option("--name", metavar="NAME", help="Only this one.")
@json_option
@click.pass_obj
def test(session: Session, name: str | None) -> int:
    """Send everybody a test event, and say what came of it.

    It is sent whatever they want to hear of. Secrets are read from the variables that
    the configuration names. Exit code 5 means that somebody was not told.

    Examples:
      gitmodel notify test
      gitmodel notify test --name ops --json
    """
    from gitmodel.operations.notify import try_out

    with session.open_closing() as handle:
        told = try_out(handle, name)
    lines = []
    for each in told:
        word, color = ("ok", "green") if each.ok else ("FAIL", "red")
        lines.append(
            f"{session.style(f'{word:<4}', fg=color)}  {each.name:<16} {each.detail}"
        )
        lines += [f"{'':<6}{'':<16} -> {hint}" for hint in each.hints]
    data = {
        "ok": all(each.ok for each in told),
        "deliveries": [
            {
                "name": each.name,
                "ok": each.ok,
                "detail": each.detail,
                "hints": list(each.hints),
                "seconds": round(each.seconds, 3),
            }
            for each in told
        ],
    }
    session.answer(data, "\n".join(lines))
    return 0 if data["ok"] else UNTOLD
