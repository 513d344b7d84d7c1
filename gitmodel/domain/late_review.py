"""What others must still say of a rollback that did not wait for them (R145, R175)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.moment import from_text, to_text
from gitmodel.domain.quorum import count

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gitmodel.domain.policy import Policy
    from gitmodel.domain.quorum import Count, Quorum, Voice
    from gitmodel.domain.transition import Transition

#: How much the clock of whoever rolled back may be ahead of ours.
SKEW = timedelta(minutes=5)

Standing = Literal["approved", "rejected", "due", "overdue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReview:
    """The review of one rollback, after the fact.

    Attributes:
        counts: How far each quorum is met that is asked for.
        rejections: Who said no, beside who made it. That stays on record, and calls
            for another move.
        due_at: Until when it must be approved, by the time that it gives itself.
        is_newest: Whether its stage has not been moved since.
    """

    transition: Transition
    counts: tuple[Count, ...]
    rejections: tuple[str, ...]
    due_at: datetime
    is_newest: bool = True

    def is_open(self, now: datetime) -> bool:
        """Say whether somebody has to do something about it, now or until it is due."""
        standing = self.standing(now)
        return standing in {"due", "overdue"} or (
            standing == "rejected" and self.is_newest
        )

    def standing(self, now: datetime) -> Standing:
        """Return where it stands at ``now``."""
        if self.rejections:
            return "rejected"
        if not any(each.lacking for each in self.counts):
            return "approved"
        late = now > self.due_at or self._is_ahead_of(now)
        return "overdue" if late else "due"

    def _is_ahead_of(self, now: datetime) -> bool:
        """Say whether it dates itself to the future, so that it would never be late."""
        return from_text(self.transition.created_at) > now + SKEW

    def describe(self, now: datetime) -> str:
        """Say what it is about, and where it stands at ``now``."""
        move = self.transition
        target = move.target.version if move.target else "nothing"
        what = "emergency rollback" if move.emergency else "rollback"
        where = (
            f"the {what} of {move.model} in {move.stage} to {target}, by "
            f"{move.requester} at {move.created_at},"
        )
        if self.rejections:
            return f"{where} was rejected by {', '.join(self.rejections)}."
        if self._is_ahead_of(now):
            return f"{where} is dated to the future, and asks at once: {self}."
        late = self.standing(now) == "overdue"
        return f"{where} {'should have been approved' if late else 'asks'}: {self}."

    def __str__(self) -> str:
        lacking = "; ".join(
            f"{each.lacking} more of {each.quorum}"
            for each in self.counts
            if each.lacking
        )
        return f"{lacking or 'nothing'} until {to_text(self.due_at)}"


def asked_afterwards(policy: Policy, transition: Transition) -> tuple[Quorum, ...]:
    """Return who must approve a move once it has landed; () for nobody.

    No more than there are beside the requester: one alone has nobody to ask.
    """
    rules = policy.rules_for(transition.stage, transition.model)
    if rules is None:
        return ()
    found = []
    for quorum in rules.reviews(transition.move):
        role = policy.role(quorum.role)
        others = set(role.members if role else ()) - {transition.requester}
        threshold = min(quorum.threshold, len(others))
        if threshold:
            direct = min(quorum.direct, threshold)
            found.append(replace(quorum, threshold=threshold, direct=direct))
    return tuple(found)


def late_review(
    policy: Policy,
    transition: Transition,
    voices: Iterable[Voice],
    rejections: tuple[str, ...] = (),
) -> LateReview | None:
    """Return the review that a rollback asks for; None if it asks for none.

    Args:
        policy: That it was made under.
        transition: The rollback.
        voices: Who has said yes so far.
        rejections: Who has said no.
    """
    asked = asked_afterwards(policy, transition)
    rules = policy.rules_for(transition.stage, transition.model)
    if not asked or rules is None:
        return None
    return LateReview(
        transition=transition,
        counts=count(asked, voices, requester=transition.requester),
        # Who made it could settle it by saying no with a second key, and moving on.
        rejections=tuple(who for who in rejections if who != transition.requester),
        due_at=from_text(transition.created_at) + rules.rollback.within,
    )
