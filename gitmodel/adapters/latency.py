"""How fast a server answers, and whether it answers what it should (R185).

Every request has a connection of its own, as the first one of a client does. What is
in the answers is read, and looked at by nobody.
"""

from __future__ import annotations

import math
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

from gitmodel.adapters.http import Limits, Request, exchange

if TYPE_CHECKING:
    from gitmodel.adapters.deadline import Deadline

MAX_ANSWER = 16 << 20  # bytes
_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Answers:
    """What a number of requests came to.

    Attributes:
        milliseconds: How long each good answer took, to its last byte.
        problem: What is wrong with the one after; "" if none is.
    """

    milliseconds: tuple[float, ...]
    problem: str

    @property
    def p95(self) -> float:
        """What 95 % of the requests took at most, by the nearest rank; NaN for none."""
        if not self.milliseconds:
            return math.nan
        rank = math.ceil(_SHARE * len(self.milliseconds))
        return sorted(self.milliseconds)[rank - 1]


def ask_repeatedly(
    url: str, *, requests: int, status: int, timeout: float, deadline: Deadline
) -> Answers:
    """Send GET requests one after the other, until one goes wrong.

    Args:
        url: Of http or https.
        requests: How many.
        status: What each answer must have.
        timeout: Seconds for one answer.
        deadline: When all of them must be over.
    """
    context = ssl.create_default_context() if url.startswith("https:") else None
    taken: list[float] = []
    for number in range(1, requests + 1):
        deadline.require()
        patience = min(timeout, deadline.left)
        limits = Limits(silence=patience, total=patience, size=MAX_ANSWER)
        began = time.perf_counter()
        try:
            answer = exchange(Request(url=url), limits, context)
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "reason", None) or error
            said = f"request {number} of {requests} had no answer: {why}"
            return Answers(tuple(taken), said)
        if answer.status != status:
            said = (
                f"answer {number} of {requests} has status {answer.status}, and "
                f"{status} is asked for"
            )
            return Answers(tuple(taken), said)
        taken.append((time.perf_counter() - began) * 1000)
    return Answers(tuple(taken), "")
