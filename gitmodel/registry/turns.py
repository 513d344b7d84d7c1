"""When to try again after somebody else's push won, and when to give up.

A push is lost only because another one was won, so all of those who push get on
whatever anybody does: nobody can starve everybody. Waiting a while only saves work that
would be lost again, and gives those a turn who are slower. So the pause grows with
what one attempt takes, with how busy the remote seems, and with chance, so that those
who collided do not meet again; but never by much more than for newcomers, or who waits
longest would wait longest again.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds of losing races to others until it is given up: a queue of a hundred.
PATIENCE = 600.0
#: Seconds until people are told why it takes so long.
QUIET = 15.0
#: Rejections in a row by a remote that did not move.
STUCK = 6
_GROWTH = 4
_SHORTEST = 0.1
_LONGEST = 10.0


def pause(lost: int, took: float, chance: float) -> float:
    """Return for how many seconds to wait after a lost push.

    Args:
        lost: How many were lost in a row, this one included.
        took: Seconds that it took, from fetching to being rejected.
        chance: From 0 to 1, another one each time.
    """
    longest = max(_SHORTEST, took) * min(lost, _GROWTH)
    return min(longest, _LONGEST) * chance


@dataclass(slots=True)
class Turns:
    """How a push has fared so far.

    Attributes:
        began: When it was first tried, in seconds of any clock.
        lost: How many were rejected.
        stuck: How many of the last ones were, while the remote did not move.
        told: Whether people know that it takes long.
    """

    began: float
    lost: int = 0
    stuck: int = 0
    told: bool = False
    _last: str | None = None

    def lose(self, theirs: str | None) -> None:
        """Note that a push was rejected that was based on ``theirs``."""
        self.lost += 1
        self.stuck = self.stuck + 1 if self.lost > 1 and theirs == self._last else 0
        self._last = theirs

    @property
    def is_stuck(self) -> bool:
        """Whether it is not others who are in the way."""
        return self.stuck >= STUCK

    def is_over(self, now: float) -> bool:
        """Say whether to give up."""
        return now - self.began > PATIENCE

    def should_tell(self, now: float) -> bool:
        """Say whether to tell people, which is done once."""
        tell = not self.told and now - self.began > QUIET
        self.told = self.told or tell
        return tell
