"""What automation may do to a stage now, and why it may not (R171)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from gitmodel.domain.moment import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitmodel.domain.trigger import Action, Safety
    from gitmodel.domain.watch_state import Ledger

Bar = Literal["", "freeze", "frozen", "cooldown", "budget"]


class Leave(NamedTuple):
    """Whether it may; ``reason`` is for people.

    Attributes:
        bar: What keeps it from acting; empty if nothing does.
    """

    bar: Bar
    reason: str = ""


def leave_to(
    action: Action,
    ledger: Ledger,
    safety: Safety,
    now: datetime,
    logged: Sequence[datetime],
) -> Leave:
    """Say whether an action may be taken.

    What the registry's log knows counts as well as what is remembered: a clone that
    forgot is bound by it. A time that has not come yet counts as just now, whoever
    wrote it: then there is an alert, and no rollback too many.

    Args:
        action: Any but ``alert``, which nothing bars.
        ledger: What automation did, as this clone remembers it.
        safety: The limits.
        now: The time.
        logged: When automation rolled back, by the registry's log.
    """
    for freeze in safety.freeze:
        if freeze.start <= now < freeze.end:
            why = f": {freeze.reason}" if freeze.reason else ""
            return Leave("freeze", f"frozen until {to_text(freeze.end)}{why}")
    cooling = [*ledger.rollbacks, *logged]
    if action == "propose":
        if ledger.proposed_at is not None:
            cooling.append(ledger.proposed_at)
        return _cooldown(cooling, safety, now)
    if ledger.frozen:
        return Leave("frozen", "frozen until a person has moved the stage")
    spent = max(
        sum(now - at < safety.window for at in times)
        for times in (ledger.rollbacks, logged)
    )
    if spent >= safety.max_rollbacks:
        allowed = f"{safety.max_rollbacks} are allowed in {safety.window}"
        return Leave("budget", f"{spent} rollbacks without a person, where {allowed}")
    return _cooldown(cooling, safety, now)


def _cooldown(times: Sequence[datetime], safety: Safety, now: datetime) -> Leave:
    latest = max(times, default=None)
    if latest is None or now - latest >= safety.cooldown:
        return Leave("")
    return Leave("cooldown", f"the last action was at {to_text(latest)}")
