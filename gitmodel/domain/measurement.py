"""What a source of measurements said at one moment, or why it said nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

#: ``value``: it answered. ``no_data``: it works, and has nothing to say, or nothing
#: recent. ``error``: it is broken, unreachable, or talks nonsense.
Status: TypeAlias = Literal["value", "no_data", "error"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One answer of one source.

    Attributes:
        status: Whether there is a value; the three are never mixed up (R164, R165).
        value: What JSON can say; None unless ``status`` is ``value``. Numbers may be
            NaN: Prometheus answers that for 0/0.
        detail: For people: one line, what was asked and what came of it.
        taken_at: When the answer was there, in UTC.
    """

    status: Status
    value: Any
    detail: str
    taken_at: datetime
