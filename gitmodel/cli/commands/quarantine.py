"""``gitmodel quarantine``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import (
    DURATION,
    INCIDENT,
    SELECTOR,
    change_options,
    json_option,
)
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.cli.session import Session
    from gitmodel.operations.quarantine_scope import Suspects
    from gitmodel.registry.handle import RegistryHandle


@click.command("quarantine", cls=Command)
@click.argument("selectors", metavar="[SELECTOR]...", type=SELECTOR, nargs=-1)
@click.option(
    "--data",
    metavar="NAME[@V]",
    multiple=True,
    help="A data set, and with it all that was trained on it; repeat it.",
)
@click.option(
    "--digest",
    "digests",
    metavar="DIGEST",
    multiple=True,
    help="An artifact, data set or manifest by its digest; repeat it.",
)
@click.option(
    "--since",
    metavar="TIME",
    help="Data sets that were first used since: 48h, 7d, or a date.",
)
@click.option("--until", metavar="TIME", help="And not later than that.")
@click.option("--lift", "lifting", is_flag=True, help="Take it out again.")
@click.option("--list", "listing", is_flag=True, help="Show what is in quarantine.")
@click.option("-m", "--message", "reason", metavar="WHY", help="Why, for everybody.")
@click.option(
    "--incident",
    metavar="ID",
    type=INCIDENT,
    help="The incident that it belongs to.",
)
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    selectors: tuple[str, ...],
    data: tuple[str, ...],
    digests: tuple[str, ...],
    since: str | None,
    until: str | None,
    lifting: bool,
    listing: bool,
    reason: str | None,
    incident: str | None,
    push: bool,
    dry_run: bool,
) -> None:
    """Stop the use of versions and data, and what comes of them.

    What is in quarantine is not promoted, not pulled and not gone back to; nothing can
    be registered that was made from it. It stays live where it is: roll back. A lift
    takes as many signatures as the policy asks for; each runs the same command.

    Examples:
      gitmodel quarantine fraud#production -m "backdoor found" --incident INC-42
      gitmodel quarantine --data transactions@2026-03 -m "flipped labels"
      gitmodel quarantine --since 48h -m "the data pipeline was broken into"
      gitmodel quarantine --lift fraud@1.2.0 -m "false alarm, see INC-42"
      gitmodel quarantine --list
    """
    named = bool(selectors or data or digests or since)
    _require_sense(named, since, until, lifting, listing, reason)
    from gitmodel.cli.quarantine_rendering import (
        held_json,
        held_text,
        hint_next,
        result_json,
        result_text,
    )
    from gitmodel.operations.quarantine import quarantine
    from gitmodel.operations.quarantine_lift import lift
    from gitmodel.operations.quarantine_list import list_quarantine
    from gitmodel.operations.quarantine_news import report
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        if listing:
            held = list_quarantine(handle.view())
            session.answer(
                {"quarantine": [held_json(one) for one in held]}, held_text(held)
            )
            if not held:
                session.note("Nothing is in quarantine.")
            return
        suspects = _suspects(handle, selectors, data, digests, since, until)
        done = (lift if lifting else quarantine)(
            handle,
            suspects,
            reason=reason or "",
            incident=incident,
            mode=Mode(dry_run=dry_run, push=push),
        )
        told = report(handle, done)
    session.answer(result_json(done, told), result_text(done))
    hint_next(session, done, lifting)


def _require_sense(
    named: bool,
    since: str | None,
    until: str | None,
    lifting: bool,
    listing: bool,
    reason: str | None,
) -> None:
    if listing and (named or lifting or reason is not None):
        raise click.UsageError("--list takes nothing besides.")
    if listing:
        return
    if until and not since:
        raise click.UsageError("--until goes with --since.")
    if not named:
        raise click.UsageError("Name a SELECTOR, --data, --digest or --since.")
    if lifting and since:
        raise click.UsageError("A lift names what it lifts: no --since.")
    if reason is None or not reason.strip():
        raise click.UsageError("Say why: -m WHY.")


def _suspects(
    handle: RegistryHandle,
    selectors: tuple[str, ...],
    data: tuple[str, ...],
    digests: tuple[str, ...],
    since: str | None,
    until: str | None,
) -> Suspects:
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.quarantine_scope import Suspects

    now = handle.context.clock.now()
    return Suspects(
        selectors=tuple(map(Selector.parse, selectors)),
        data=data,
        digests=digests,
        since=_moment(since, now, end=False) if since else None,
        until=_moment(until, now, end=True) if until else None,
    )


def _moment(text: str, now: datetime, *, end: bool) -> datetime:
    """Return a date, or the time so long ago."""
    from gitmodel.cli.dates import parse_date

    if re.fullmatch(r"[0-9]+[a-z]", text):
        return now - DURATION.convert(text, None, None)
    try:
        return parse_date(text, end=end)
    except InputError as error:
        raise InputError(
            f"{text!r} is neither a date nor a length of time.",
            "Write 48h, 7d, 2026-03-01 or 2026-03-01T12:00Z.",
        ) from error
