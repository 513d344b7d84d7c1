"""``gitmodel policy require``, ``threshold`` and ``sensitivity``: what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, ROLES, STAGE, change_options, json_option
from gitmodel.cli.policy_rendering import answer_policy

if TYPE_CHECKING:
    from gitmodel.cli.session import Session

_LEVELS = ("public", "internal", "restricted")


@click.command("require", cls=Command)
@click.argument("stage", type=STAGE)
@click.option("--model", type=MODEL, metavar="M", help="Only of this model, as well.")
@click.option(
    "--sensitivity",
    type=click.Choice(_LEVELS),
    help="Only of models that are this sensitive or more, as well.",
)
@click.option(
    "--approvals",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many, the requester aside.",
)
@click.option(
    "--direct",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many of them by a signature of their own, not by a review on a forge.",
)
@click.option("--role", type=click.Choice(ROLES), help="Who approves.")
@click.option(
    "--forge",
    "forges",
    multiple=True,
    metavar="FORGE[@HOST]:ID",
    help="Reviews of this repository count, such as github:1296269.",
)
@click.option("--no-forge", "no_forges", is_flag=True, help="No reviews count.")
@click.option(
    "--attestation",
    "attestations",
    multiple=True,
    metavar="TYPE[:ROLE]",
    help="The newest attestation of TYPE must have passed.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="BOUND",
    help="Such as 'validation.accuracy>=0.9' or 'test.p99_ms<=50'.",
)
@click.option(
    "--no-regression",
    "regressions",
    multiple=True,
    metavar="METRIC[:TOLERANCE]",
    help="Not worse than what the stage holds.",
)
@click.option(
    "--complete",
    "sections",
    multiple=True,
    type=click.Choice(("lineage", "card", "environment", "code", "data")),
    help="The manifest must have this section.",
)
@click.option(
    "--soak",
    "soaks",
    multiple=True,
    metavar="[STAGE:]TIME",
    help="It must have been in STAGE, or the stage before, so long, such as 24h.",
)
@click.option("--label", "labels", multiple=True, metavar="K=V", help="It must have.")
@click.option(
    "--forbid-label",
    "forbidden",
    multiple=True,
    metavar="K=V",
    help="It must not have.",
)
@click.option(
    "--freeze",
    "freezes",
    multiple=True,
    metavar="FROM..UNTIL[=REASON]",
    help="Nothing is promoted then; days or times in UTC.",
)
@click.option("--unfreeze", is_flag=True, help="Drop the freezes that were there.")
@click.option(
    "--rollback-approvals",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many a rollback needs, the requester aside.",
)
@click.option("--rollback-role", type=click.Choice(ROLES), help="Who may roll back.")
@click.option(
    "--rollback-review",
    type=click.Choice(("before", "after")),
    help="Whether a rollback waits for them, or they follow after the fact.",
)
@click.option(
    "--rollback-within",
    metavar="TIME",
    help="How long others have for what did not wait for them, such as 24h.",
)
@click.option(
    "--further-back",
    type=click.IntRange(0, 10),
    metavar="N",
    help="How many more steps back a rollback goes if validation fails after it.",
)
@click.option(
    "--clear-gates",
    "clear",
    is_flag=True,
    help="Drop gates, soak times and freezes; with --model or --sensitivity all else.",
)
@change_options
@json_option
@click.pass_obj
def require(
    session: Session, /, stage: str, push: bool, dry_run: bool, **options: Any
) -> None:
    """Ask for approvals and gates before a promotion to STAGE.

    Gates, soak stages and freezes add to what is asked for already. What nobody could
    ever meet is refused. With --model or --sensitivity more is asked of some models; it
    comes on top of what STAGE asks of all, and can never be less.

    With --forge, reviews that a collector has signed count as approvals; one approval
    must then be direct, by `gitmodel approve`, unless you say --direct 0.

    Examples:
      gitmodel policy require production --approvals 2 --direct 1
      gitmodel policy require production --attestation scan --attestation review:auditor
      gitmodel policy require production --metric 'validation.accuracy>=0.9'
      gitmodel policy require production --no-regression test.recall:0.01
      gitmodel policy require production --soak 24h --complete card
      gitmodel policy require production --freeze 2026-12-20..2027-01-02=holidays
      gitmodel policy require production --model fraud --approvals 3
      gitmodel policy require production --sensitivity restricted --role auditor
      gitmodel policy require production --forge github:1296269 --direct 1
      gitmodel policy require production --rollback-approvals 1
      gitmodel policy require production --rollback-review after --rollback-within 12h
      gitmodel policy require production --clear-gates
    """
    from gitmodel.operations.demand_words import demands_from_words
    from gitmodel.operations.policy import require as change
    from gitmodel.registry.transaction import Mode

    demands = demands_from_words(**options)
    with session.open_closing() as handle:
        result = change(handle, stage, demands, Mode(dry_run=dry_run, push=push))
        if demands.model is not None:
            _note_unknown(session, demands.model, handle.view().models())
    answer_policy(session, result)


@click.command("threshold", cls=Command)
@click.argument("role", type=click.Choice(ROLES))
@click.argument("number", type=click.IntRange(min=1), metavar="N")
@change_options
@json_option
@click.pass_obj
def threshold(
    session: Session, role: str, number: int, push: bool, dry_run: bool
) -> None:
    """Say how many principals of ROLE must sign.

    Only the roots have a threshold: how many of them must sign a policy, this change
    included. Approvals of promotions are for `policy require STAGE --approvals`.

    Examples:
      gitmodel policy threshold root 2
    """
    from gitmodel.operations.policy import set_threshold
    from gitmodel.registry.transaction import Mode

    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        result = set_threshold(handle, role, number, mode)
    answer_policy(session, result)


@click.command("lift", cls=Command)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    help="How many must sign.",
)
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="approver",
    show_default=True,
    help="In which role.",
)
@change_options
@json_option
@click.pass_obj
def lift(
    session: Session, threshold: int, role: str, push: bool, dry_run: bool
) -> None:
    """Say how many must sign before a quarantine is lifted.

    To put something into quarantine takes one person, at any hour; to let it out again
    takes as many as this, and each by a signature of their own.

    Examples:
      gitmodel policy lift --threshold 2
      gitmodel policy lift --threshold 1 --role auditor
    """
    from gitmodel.operations.policy import set_lift
    from gitmodel.registry.transaction import Mode

    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        result = set_lift(handle, threshold, role, mode)
    answer_policy(session, result)


@click.command("sensitivity", cls=Command)
@click.argument("model", type=MODEL, required=False)
@click.argument("level", type=click.Choice(_LEVELS), required=False)
@click.option(
    "--default",
    type=click.Choice(_LEVELS),
    help="Instead: of every model that is not named.",
)
@change_options
@json_option
@click.pass_obj
def sensitivity(
    session: Session,
    model: str | None,
    level: str | None,
    default: str | None,
    push: bool,
    dry_run: bool,
) -> None:
    """Say how sensitive a model is: public, internal or restricted.

    Rules that `policy require STAGE --sensitivity` made apply from their level on. A
    model that the policy does not name is restricted, unless --default says otherwise;
    what model.yaml says makes no difference, as anybody may edit that.

    Examples:
      gitmodel policy sensitivity fraud restricted
      gitmodel policy sensitivity --default internal
    """
    from gitmodel.operations.policy import set_sensitivity
    from gitmodel.registry.transaction import Mode

    level = default or level
    if level is None or (default is None) == (model is None):
        raise click.UsageError("Give MODEL and LEVEL, or --default LEVEL.")
    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        result = set_sensitivity(handle, model, level, mode)
        if model is not None:
            _note_unknown(session, model, handle.view().models())
    answer_policy(session, result)


def _note_unknown(session: Session, model: str, known: tuple[str, ...]) -> None:
    if model not in known:
        session.note(f"There is no model {model} here yet; is the name right?")
