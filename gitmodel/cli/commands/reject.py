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
@click.option(
    "--push", is_flag=True, help="Also push the branch: the request's, or the main one."
)
@json_option
@click.pass_obj
def command(session: Session, request: str, comment: str, push: bool) -> None:
    """Reject a promotion, a rollback or a policy that waits.

    REQUEST is MODEL#STAGE, or the request's branch: request/policy/N for a policy,
    which a root of it or of the one in force can reject. It cannot land until you
    approve it instead. A rollback that has landed and asks for approval afterwards can
    be rejected, too: that stays on record, and what is live stays live.

    Examples:
      gitmodel reject fraud#production -m "recall on new merchants is too low"
      gitmodel reject request/policy/3 -m "bob has left" --push
    """
    from gitmodel.cli.request_rendering import request_json, request_text
    from gitmodel.operations.decisions import decide
    from gitmodel.operations.policy_signing import reject_policy
    from gitmodel.registry.policy_requests import is_policy

    if not comment.strip():
        raise click.UsageError("A rejection needs a reason: -m WHY.")

    with session.open_closing() as handle:
        if is_policy(request):
            row = reject_policy(handle, request, comment=comment, push=push)
        else:
            row = decide(handle, request, "reject", comment=comment, push=push)
    session.answer(request_json(row), request_text(row))
    if row.kind == "review":
        session.hint(f"gitmodel log {row.model} --stage {row.stage}")
        return
    again = (
        f"approve {row.model}#{row.stage}"
        if row.model
        else f"policy sign {row.version}"
    )
    session.hint(f"gitmodel {again}  takes it back.")
