"""``gitmodel promote``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import REQUEST, SELECTOR, STAGE, change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("promote", cls=Command)
@click.argument("selector", type=SELECTOR, required=False)
@click.argument("stage", type=STAGE, required=False)
@click.option(
    "--finalize",
    metavar="REQUEST",
    type=REQUEST,
    help="Land a request, of a rollback too: MODEL#STAGE or its branch.",
)
@click.option(
    "-m",
    "--message",
    "reason",
    default="",
    metavar="REASON",
    help="Why, for the record.",
)
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    selector: str | None,
    stage: str | None,
    finalize: str | None,
    reason: str,
    push: bool,
    dry_run: bool,
) -> None:
    """Put a version into a stage, by one signed commit.

    SELECTOR names the version; the policy says what STAGE asks for. Exit code 3 means
    that the policy refused; every refusal is listed. A stage that holds the version
    already is left as it is. Where STAGE asks for approvals, the promotion waits on a
    branch of its own (status pending) until others have approved it.

    Examples:
      gitmodel promote fraud@1.2.0 staging
      gitmodel promote fraud#staging production -m "passed the canary"
      gitmodel promote fraud@latest staging --dry-run
      gitmodel promote --finalize fraud#production
    """
    if finalize is not None:
        if selector or stage or reason:
            raise click.UsageError("--finalize takes a request and nothing else.")
        land(session, finalize, push=push, dry_run=dry_run)
        return
    if selector is None or stage is None:
        raise click.UsageError("Missing argument: SELECTOR and STAGE.")
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.promote import promote
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = promote(
            handle,
            Selector.parse(selector),
            stage,
            reason=reason,
            mode=Mode(dry_run=dry_run, push=push),
        )
    data = {
        "status": result.status,
        "model": result.model,
        "version": result.version,
        "stage": result.stage,
        "from": result.origin,
        "transition": result.transition,
        "seq": result.seq,
        "commit": result.commit,
        "branch": result.branch,
        "needed": list(result.needed),
        "refusals": [
            {"gate": refusal.gate, "message": refusal.message, "hint": refusal.hint}
            for refusal in result.refusals
        ],
        "dryRun": result.dry_run,
    }
    if result.status == "unchanged":
        session.answer(data, f"{stage} holds {result.model}@{result.version} already.")
        return
    if result.status == "pending":
        verb = "Would ask" if dry_run else "Asked"
        text = (
            f"{verb} to promote {result.model} in {stage}: "
            f"{result.origin or '(empty)'} -> {result.version}\n"
            f"  waits for  {'; '.join(result.needed)}\n"
            f"  branch     {result.branch}"
        )
        if result.commit:
            text += f"\n  commit     {result.commit[:12]}"
        session.answer(data, text)
        if not dry_run:
            session.hint(f"gitmodel approve {result.model}#{stage}  by somebody else.")
        return
    verb = "Would promote" if dry_run else "Promoted"
    move = f"{result.origin or '(empty)'} -> {result.version}"
    text = f"{verb} {result.model} in {stage}: {move}"
    if result.commit:
        text += f"\n  commit  {result.commit[:12]}"
    session.answer(data, text)
    if not dry_run:
        session.hint(f"gitmodel show {result.model}#{stage}")


def land(session: Session, request: str, *, push: bool, dry_run: bool) -> None:
    """Land a request."""
    from gitmodel.cli.request_rendering import request_json
    from gitmodel.operations.finalize import finalize
    from gitmodel.registry.policy_requests import is_policy
    from gitmodel.registry.transaction import Mode

    if is_policy(request):
        raise click.UsageError(f"That is a policy: gitmodel policy sign {request}")
    with session.open_closing() as handle:
        row = finalize(handle, request, Mode(dry_run=dry_run, push=push))
    done, would = (
        ("Rolled back", "Would roll back")
        if row.kind == "rollback"
        else ("Promoted", "Would promote")
    )
    move = f"{row.origin or '(empty)'} -> {row.version}"
    text = f"{would if dry_run else done} {row.model} in {row.stage}: {move}"
    text += f"\n  approved by  {', '.join(row.approvals) or '(nobody had to)'}"
    if row.commit:
        text += f"\n  commit       {row.commit[:12]}"
    session.answer(request_json(row), text)
    if row.commit:
        session.hint(f"gitmodel show {row.model}#{row.stage}")
