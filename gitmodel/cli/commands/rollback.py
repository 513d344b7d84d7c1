"""``gitmodel rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.forges import forge_options
from gitmodel.cli.help import Command
from gitmodel.cli.options import (
    INCIDENT,
    MODEL,
    REQUEST,
    STAGE,
    VERSION,
    change_options,
    json_option,
)

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


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
@click.option(
    "--incident",
    metavar="ID",
    type=INCIDENT,
    help="The incident that this belongs to.",
)
@click.option(
    "--also",
    metavar="MODEL[#STAGE]",
    type=REQUEST,
    multiple=True,
    help="Take this back in the same commit; repeat it.",
)
@click.option(
    "--emergency",
    is_flag=True,
    help="Wait for nobody; quarantine what was live, open the incident.",
)
@click.option("-y", "--yes", is_flag=True, help="Ask no question in an emergency.")
@click.option(
    "--plan", is_flag=True, help="Show what would change, and change nothing."
)
@click.option(
    "--skip-validation",
    "skip",
    is_flag=True,
    help="Carry out no checks afterwards, and put that on record.",
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
    /,
    model: str,
    stage: str,
    also: tuple[str, ...],
    emergency: bool,
    plan: bool,
    by_request: bool,
    push: bool,
    dry_run: bool,
    **options: Any,
) -> int:
    """Take a stage back to its last known good version.

    STAGE goes back to what it held of MODEL before, leaving out versions in quarantine
    and those that left by a rollback themselves; or to V. The target's signatures and
    bytes are verified first, and bytes that this clone lacks are fetched, if it has a
    remote. The commit is a revert: the pin gets back the very bytes it had, and the log
    keeps everything. What was live is held: `gitmodel hold` lets it return.

    Where STAGE asks for approvals before a rollback, it waits on a branch of its own
    (status pending); `promote --finalize` lands it. Afterwards the model's own checks
    are carried out, as by `gitmodel validate`; exit code 3 says that one failed.

    In an emergency nothing waits: a responder takes STAGE back, puts what was live into
    quarantine and opens the incident, in one commit. Others approve it afterwards. It
    is made here even if the remote is down. Running it again for the same incident
    changes nothing.

    Examples:
      gitmodel rollback fraud production --plan
      gitmodel rollback fraud production -m "recall fell to 0.61" --incident INC-42
      gitmodel rollback fraud production --to 1.1.0 -m "1.2.x is slow"
      gitmodel rollback fraud production --emergency --incident INC-42 -m "trojaned"
      gitmodel rollback fraud production --also scoring --incident INC-42 -m "bad data"
    """
    from gitmodel.cli.rollback_flows import Wish, emergency_flow, one_flow, several_flow
    from gitmodel.registry.transaction import Mode

    plan = plan or dry_run
    reason: str = options["reason"] or ""
    if not plan and not reason.strip():
        raise click.UsageError("A rollback needs a reason: -m REASON.")
    if emergency and not options["incident"]:
        raise click.UsageError(
            "An emergency belongs to an incident: add --incident ID, new or known."
        )
    if by_request and (emergency or also):
        raise click.UsageError(
            "--pr asks for one rollback, and an emergency asks nobody."
        )
    if options["to"] is not None and also:
        raise click.UsageError("--to names a version of one model; drop --also.")
    wish = Wish(
        places=((model, stage), *(_place(each, stage) for each in also)),
        reason=reason,
        incident=options["incident"],
        to=options["to"],
        mode=Mode(dry_run=plan, push=push or by_request, by_request=by_request),
        skip=options["skip"],
        yes=options["yes"],
        at=options["at"],
    )
    if emergency:
        return emergency_flow(session, wish)
    return several_flow(session, wish) if also else one_flow(session, wish)


def _place(text: str, stage: str) -> tuple[str, str]:
    model, sign, other = text.partition("#")
    if "@" in model:
        raise click.UsageError(f"{text!r} is neither a MODEL nor MODEL#STAGE.")
    return (model, other) if sign else (model, stage)
