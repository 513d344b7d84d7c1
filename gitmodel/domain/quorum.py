"""How many principals must have said yes, and in which role (``design`` §4.4).

Principals are counted, not keys or signatures; the requester never counts; who has
signed in two roles is counted once, where it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """So many principals in a role.

    Attributes:
        role: In which they must have approved.
        threshold: How many of them it takes.
        direct: How many of these must have signed themselves. A review on a forge
            is no such signature; as nothing collects reviews yet, all are.
    """

    role: str
    threshold: int
    direct: int = 0

    def __str__(self) -> str:
        people = "approval" if self.threshold == 1 else "approvals"
        text = f"{self.threshold} {people} in the role {self.role}"
        return f"{text}, {self.direct} of them direct" if self.direct else text

    def join(self, other: Quorum) -> Quorum:
        """Return what satisfies both, for the same role."""
        return Quorum(
            role=self.role,
            threshold=max(self.threshold, other.threshold),
            direct=max(self.direct, other.direct),
        )


@dataclass(frozen=True, slots=True)
class Voice:
    """A principal who said yes in a role, by a signature of its own."""

    principal: str
    role: str


@dataclass(frozen=True, slots=True)
class Count:
    """How far one quorum is met.

    Attributes:
        who: The principals who count.
    """

    quorum: Quorum
    who: tuple[str, ...]

    @property
    def lacking(self) -> int:
        """How many more it takes."""
        needed = max(self.quorum.threshold, self.quorum.direct)
        return max(0, needed - len(self.who))


def join(quorums: Iterable[Quorum]) -> tuple[Quorum, ...]:
    """Return what satisfies all of them: one for each role, none for nothing."""
    joined: dict[str, Quorum] = {}
    for quorum in quorums:
        known = joined.get(quorum.role)
        joined[quorum.role] = known.join(quorum) if known else quorum
    return tuple(quorum for quorum in joined.values() if quorum.threshold)


def count(
    quorums: Sequence[Quorum], voices: Iterable[Voice], *, requester: str
) -> tuple[Count, ...]:
    """Say how far each of ``quorums`` is met."""
    heard = [voice for voice in voices if voice.principal != requester]
    used: set[str] = set()
    counts = []
    for quorum in quorums:
        who = {voice.principal for voice in heard if voice.role == quorum.role} - used
        used |= who
        counts.append(Count(quorum, tuple(sorted(who))))
    return tuple(counts)


def shortfall(
    quorums: Sequence[Quorum], voices: Iterable[Voice], *, requester: str
) -> tuple[str, ...]:
    """Say, for each of ``quorums`` that is not met, how far it is."""
    return tuple(
        f"{each.quorum}; {len(each.who)} count"
        for each in count(quorums, voices, requester=requester)
        if each.lacking
    )
