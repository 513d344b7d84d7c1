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
            is no such signature.
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
    """A principal who said yes in a role.

    Attributes:
        direct: By a signature of its own; a review on a forge is none.
    """

    principal: str
    role: str
    direct: bool = True


@dataclass(frozen=True, slots=True)
class Count:
    """How far one quorum is met.

    Attributes:
        who: The principals who count.
        direct: Those of them who signed themselves.
    """

    quorum: Quorum
    who: tuple[str, ...]
    direct: tuple[str, ...]

    @property
    def lacking(self) -> int:
        """How many more it takes, if those who are missing sign themselves."""
        return max(
            0,
            self.quorum.threshold - len(self.who),
            self.quorum.direct - len(self.direct),
        )

    @property
    def so_far(self) -> str:
        """How many count, in words."""
        if len(self.direct) >= self.quorum.direct:
            return f"{len(self.who)} count"
        return f"{len(self.who)} count, {len(self.direct)} of them direct"


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
        direct = {
            voice.principal
            for voice in heard
            if voice.direct and voice.role == quorum.role and voice.principal in who
        }
        counts.append(Count(quorum, tuple(sorted(who)), tuple(sorted(direct))))
    return tuple(counts)


def shortfall(
    quorums: Sequence[Quorum], voices: Iterable[Voice], *, requester: str
) -> tuple[str, ...]:
    """Say, for each of ``quorums`` that is not met, how far it is."""
    return tuple(
        f"{each.quorum}; {each.so_far}"
        for each in count(quorums, voices, requester=requester)
        if each.lacking
    )
