"""``gitmodel sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("sync", cls=Command)
@click.option(
    "--dry-run", is_flag=True, help="Fetch, and say what would happen; no more."
)
@json_option
@click.pass_obj
def command(session: Session, dry_run: bool) -> None:
    """Bring this clone and its remote together, safely.

    Takes in what others have pushed, and pushes what you have not, artifacts first.
    Where both went on, your commits are put behind theirs, each by a merge that keeps
    it and its signatures. One that makes no sense there any more, such as a promotion
    of a pin that somebody else has moved, stops it: nothing is changed, and you are
    told which it is and how to make it again. Nothing is ever rebased or forced.

    Examples:
      gitmodel sync
      gitmodel sync --dry-run
    """
    from gitmodel.operations.sync import sync

    with session.open_closing() as handle:
        result = sync(handle, dry_run=dry_run)
    data = {
        "status": result.status,
        "remote": result.remote,
        "branch": result.branch,
        "received": result.received,
        "sent": result.sent,
        "behind": result.behind,
        "commit": result.commit,
        "dryRun": result.dry_run,
    }
    if result.status == "unchanged":
        text = f"{result.branch} is as {result.remote} has it."
        session.answer(data, text)
        return
    would = "Would be " if dry_run else ""
    lines = [f"{would}{'synced' if would else 'Synced'} with {result.remote}:"]
    lines.append(f"  received  {_steps(result.received)}")
    sent = f"  sent      {_steps(result.sent)}"
    if result.behind:
        sent += ", put behind what others had pushed"
    lines.append(sent)
    session.answer(data, "\n".join(lines))


def _steps(count: int) -> str:
    return f"{count} commit{'s' if count != 1 else ''}" if count else "nothing"
