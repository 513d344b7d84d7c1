"""``gitmodel rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.forges import (
    find_place,
    forge_options,
    open_pull_request,
    proposal_json,
    proposal_text,
)
from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, STAGE, VERSION, change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.forges import At
    from gitmodel.cli.session import Session
    from gitmodel.operations.pull_request import Proposal
    from gitmodel.operations.rollback_plan import RollbackResult


@click.command("rollback", cls=Command)
@click.argument("model", type=MODEL)
@click.argument("stage", type=STAGE)
@click.option(
    "--to",
    metavar="V",
    type=VERSION,
    help="Go back to this version.  [default: the last known good]",
)
@click.option(
    "-m",
    "--message",
    "reason",
    metavar="REASON",
    help="Why, for the record; required but for --plan.",
)
@click.option("--incident", metavar="ID", help="The incident that this belongs to.")
@click.option(
    "--plan", is_flag=True, help="Show what would change, and change nothing."
)
@click.option(
    "--pr",
    "by_request",
    is_flag=True,
    help="Ask by a pull request, even if nobody has to agree; implies --push.",
)
@forge_options
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    model: str,
    stage: str,
    to: str | None,
    reason: str | None,
    incident: str | None,
    plan: bool,
    by_request: bool,
    at: At,
    push: bool,
    dry_run: bool,
) -> None:
    """Take a stage back to its last known good version.

    STAGE goes back to what it held of MODEL before, leaving out versions that left by a
    rollback themselves; or to V. The target's signatures and bytes are verified first,
    and bytes that this clone lacks are fetched, if it has a remote.
    The commit is a revert: the pin gets back the very bytes it had, and the log keeps
    everything. Where STAGE asks for approvals of rollbacks, it waits on a branch of its
    own (status pending) until others have approved it; `promote --finalize` lands it.

    Examples:
      gitmodel rollback fraud production --plan
      gitmodel rollback fraud production -m "recall fell to 0.61" --incident INC-42
      gitmodel rollback fraud production --to 1.1.0 -m "1.2.x is poisoned"
    """
    from gitmodel.operations.rollback import rollback
    from gitmodel.registry.transaction import Mode

    plan = plan or dry_run
    if not plan and not (reason and reason.strip()):
        raise click.UsageError("A rollback needs a reason: -m REASON.")
    with session.open_closing() as handle:
        place = find_place(handle, at) if by_request else None
        result = rollback(
            handle,
            model,
            stage,
            to=to,
            reason=reason or "",
            incident=incident,
            mode=Mode(dry_run=plan, push=push or by_request, by_request=by_request),
        )
        pending = result.status == "pending" and not plan
        asked = open_pull_request(handle, place, result.branch) if pending else None
    if result.status == "unchanged":
        text = f"{stage} holds {model}@{result.target} already."
        session.answer(_to_json(result, asked), text)
        return
    text = _to_text(session, result)
    if asked is not None:
        text += "\n" + proposal_text(asked)
    session.answer(_to_json(result, asked), text)
    if result.status == "pending":
        session.hint(f"gitmodel approve {model}#{stage}  by somebody else.")
    elif result.status == "planned":
        aim = f" --to {to}" if to else ""
        session.hint(f"gitmodel rollback {model} {stage}{aim} -m REASON")
    else:
        session.hint(f"gitmodel verify {model}#{stage}")


def _to_json(result: RollbackResult, asked: Proposal | None) -> dict[str, object]:
    return {
        "status": result.status,
        "model": result.model,
        "stage": result.stage,
        "from": result.origin,
        "to": result.target,
        "reverts": list(result.reverts),
        "incident": result.incident,
        "transition": result.transition if result.commit else None,
        "seq": result.seq,
        "commit": result.commit,
        "branch": result.branch,
        "needed": list(result.needed),
        "pullRequest": proposal_json(asked),
        "targetSince": result.target_since,
        "fromSince": result.origin_since,
        "versionsPassedOver": [
            {"version": version, "reason": why} for version, why in result.skipped
        ],
        "metrics": [delta.to_dict() for delta in result.deltas],
    }


def _to_text(session: Session, result: RollbackResult) -> str:
    from gitmodel.cli.rendering import metric_table

    verbs = {"planned": "Would roll back", "pending": "Asked to roll back"}
    verb = verbs.get(result.status, "Rolled back")
    lines = [
        f"{verb} {result.model} in {result.stage}: {result.origin} -> {result.target}",
        f"  from      {result.origin}, live since {result.origin_since}",
        f"  to        {result.target}, live from {result.target_since}",
        f"  verified  signatures and bytes of {result.target}, just now",
    ]
    lines += [f"  passed over {version}: {why}" for version, why in result.skipped]
    lines += [f"  reverts   {commit[:12]}" for commit in result.reverts]
    if result.needed:
        lines.append(f"  waits for {'; '.join(result.needed)}")
        lines.append(f"  branch    {result.branch}")
    if result.incident:
        lines.append(f"  incident  {result.incident}")
    if result.commit:
        lines.append(f"  commit    {result.commit[:12]}")
    if result.deltas:
        lines += ["", metric_table(session, result.deltas)]
    return "\n".join(lines)
