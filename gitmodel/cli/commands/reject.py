"""``gitmodel reject``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import REQUEST, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("reject", cls=Command)
@click.argument("request", type=REQUEST)
@click.option(
    "-m", "--message", "comment", default="", metavar="WHY", help="Why; required."
)
@click.option("--push", is_flag=True, help="Also push the request's branch.")
@json_option
@click.pass_obj
def command(session: Session, request: str, comment: str, push: bool) -> None:
    """Reject a promotion that waits for approvals.

    REQUEST is MODEL#STAGE, or the request's branch. It cannot land until you approve it
    instead.

    Examples:
      gitmodel reject fraud#production -m "recall on new merchants is too low"
    """
    from gitmodel.cli.request_rendering import request_json, request_text
    from gitmodel.operations.requests import decide

    if not comment.strip():
        raise click.UsageError("A rejection needs a reason: -m WHY.")

    with session.open_closing() as handle:
        row = decide(handle, request, "reject", comment=comment, push=push)
    session.answer(request_json(row), request_text(row))
    session.hint(f"gitmodel approve {row.model}#{row.stage}  takes it back.")
