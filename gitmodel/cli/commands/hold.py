"""``gitmodel hold``: what was rolled back, and stays out until somebody releases it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command, Group
from gitmodel.cli.options import (
    MODEL,
    SELECTOR,
    STAGE,
    change_options,
    json_option,
)

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.holds import Hold


@click.group("hold", cls=Group)
@json_option
def command() -> None:
    """Show and release holds on what was rolled back.

    A rollback holds the version that it took out: it cannot be promoted to that stage
    again, by people or by robots, until somebody who may roll back there releases it.

    Examples:
      gitmodel hold list
      gitmodel hold release fraud@1.3.0 production -m "the feature store was at fault"
    """


@command.command("list", cls=Command)
@click.argument("model", type=MODEL, required=False)
@json_option
@click.pass_obj
def list_(session: Session, model: str | None) -> None:
    """List what is held, and by which rollback.

    Examples:
      gitmodel hold list
      gitmodel hold list fraud --json
    """
    from gitmodel.cli.output import table
    from gitmodel.operations.holds import list_holds

    with session.open_closing() as handle:
        holds = list_holds(handle.view(), model)
    session.answer(
        {"holds": [_to_json(hold) for hold in holds]},
        table(
            ("version", "stage", "since", "by", "incident", "reason"),
            [
                (
                    f"{hold.model}@{hold.version}",
                    hold.stage,
                    hold.since,
                    hold.by,
                    hold.incident or "-",
                    hold.reason,
                )
                for hold in holds
            ],
        )
        if holds
        else "",
    )
    if not holds:
        session.note("Nothing is held.")


@command.command("release", cls=Command)
@click.argument("selector", type=SELECTOR)
@click.argument("stage", type=STAGE)
@click.option(
    "-m",
    "--message",
    "reason",
    required=True,
    metavar="REASON",
    help="Why it may return, for the record.",
)
@change_options
@json_option
@click.pass_obj
def release(
    session: Session, selector: str, stage: str, reason: str, push: bool, dry_run: bool
) -> None:
    """Let a version that was rolled back be promoted to STAGE again.

    It takes one who may roll back there. The version is promoted by nobody with this:
    all gates and approvals of STAGE are asked for again when it is.

    Examples:
      gitmodel hold release fraud@1.3.0 production -m "the feature store was at fault"
    """
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.holds import release_hold
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = release_hold(
            handle,
            Selector.parse(selector),
            stage,
            reason=reason,
            mode=Mode(dry_run=dry_run, push=push),
        )
    hold = result.hold
    verb = "Would release" if dry_run else "Released"
    name = f"{hold.model}@{hold.version}"
    text = f"{verb} {name}: it may return to {hold.stage}"
    if result.commit:
        text += f"\n  commit  {result.commit[:12]}"
    session.answer(
        {"hold": _to_json(hold), "released": True, "commit": result.commit}, text
    )
    session.hint(f"gitmodel check {name} --stage {hold.stage}")


def _to_json(hold: Hold) -> dict[str, object]:
    return {
        "model": hold.model,
        "version": hold.version,
        "stage": hold.stage,
        "seq": hold.seq,
        "since": hold.since,
        "by": hold.by,
        "reason": hold.reason,
        "incident": hold.incident,
    }
