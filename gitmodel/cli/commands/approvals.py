"""``gitmodel approvals``: reviews on a forge as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.forges import forge_options
from gitmodel.cli.help import Group
from gitmodel.cli.options import REQUEST, change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.forges import At
    from gitmodel.cli.session import Session
    from gitmodel.operations.collect import CollectResult


@click.group("approvals", cls=Group)
@json_option
def command() -> None:
    """Turn reviews on a forge into signed evidence.

    Examples:
      gitmodel approvals collect fraud#production --pr 42 --push
    """


@command.command("collect")
@click.argument("request", type=REQUEST)
@click.option(
    "--pr",
    "number",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    help="The pull request, or merge request, that proposes it.",
)
@click.option(
    "--finalize",
    "land",
    is_flag=True,
    help="Land it if that makes the approvals enough; write nothing if not.",
)
@forge_options
@change_options
@json_option
@click.pass_obj
def collect(
    session: Session,
    request: str,
    number: int,
    land: bool,
    at: At,
    push: bool,
    dry_run: bool,
) -> None:
    """Sign what a forge says of the pull request of a waiting promotion.

    To be run as a collector, by CI on the base branch. The reviews count if the policy
    lets reviews of that repository count for the stage, for approvers whose accounts
    it names, of the commit that is proposed. The token is GITHUB_TOKEN, GITLAB_TOKEN
    (or CI_JOB_TOKEN), GITEA_TOKEN or FORGEJO_TOKEN.

    Examples:
      gitmodel approvals collect fraud#production --pr 42 --push
      gitmodel approvals collect fraud#production --pr 42 --finalize --push
      gitmodel approvals collect fraud#production --pr 7 --forge gitlab --dry-run
    """
    from gitmodel.cli.forges import find_forge
    from gitmodel.operations import collect as operation
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = operation.collect(
            handle,
            request,
            find_forge(handle, at),
            number,
            land=land,
            mode=Mode(dry_run=dry_run, push=push),
        )
    session.answer(_to_json(result), _to_text(result))
    if result.row.status == "approved":
        session.hint(
            f"gitmodel promote --finalize {result.row.model}#{result.row.stage}"
        )


def _to_json(result: CollectResult) -> dict[str, object]:
    from gitmodel.cli.request_rendering import request_json

    return {
        "pullRequest": result.pull_request,
        "reviewApprovals": list(result.approvals),
        "reviewRejections": list(result.rejections),
        "passedOver": [
            {
                "review": each.review.id,
                "user": each.review.user,
                "state": each.review.state,
                "reason": each.why,
            }
            for each in result.passed_over
        ],
        "document": result.document,
        "dryRun": result.dry_run,
        "request": request_json(result.row),
    }


def _to_text(result: CollectResult) -> str:
    from gitmodel.cli.request_rendering import request_text

    lines = [request_text(result.row)]
    lines += [
        f"  not counted: {each.review.state} by account {each.review.user}: {each.why}"
        for each in result.passed_over
    ]
    if result.document is None:
        lines.append("  nothing new was written")
    elif result.dry_run:
        lines.append(f"  would write {result.document}")
    else:
        lines.append(f"  statement  {result.document}")
    return "\n".join(lines)
