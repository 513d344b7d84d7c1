"""``gitmodel approve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import REQUEST, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("approve", cls=Command)
@click.argument("request", type=REQUEST)
@click.option(
    "-m",
    "--message",
    "comment",
    default="",
    metavar="COMMENT",
    help="What you looked at, for the record.",
)
@click.option(
    "--push", is_flag=True, help="Also push the branch: the request's, or the main one."
)
@json_option
@click.pass_obj
def command(session: Session, request: str, comment: str, push: bool) -> None:
    """Approve a promotion or a rollback that waits.

    You sign the identical transition. REQUEST is MODEL#STAGE, or the request's
    branch; a policy that waits is for `policy sign`. The requester's own approval never
    counts, and principals are counted, not keys. Where nothing waits, a rollback is
    approved that has landed already and asks for it afterwards, such as an emergency.

    Examples:
      gitmodel approve fraud#production
      gitmodel approve request/production/fraud/4 -m "metrics reviewed" --push
    """
    from gitmodel.cli.request_rendering import request_json, request_text
    from gitmodel.operations.decisions import decide
    from gitmodel.registry.policy_requests import is_policy

    if is_policy(request):
        raise click.UsageError(f"That is a policy: gitmodel policy sign {request}")
    with session.open_closing() as handle:
        row = decide(handle, request, "approve", comment=comment, push=push)
    session.answer(request_json(row), request_text(row))
    if row.status == "approved" and row.kind != "review":
        session.hint(f"gitmodel promote --finalize {row.model}#{row.stage}")
