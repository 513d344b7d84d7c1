"""What ``doctor`` says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        ok: False where something should be done.
        required: Whether commands fail while it is not ok; else it is advice.
        hint: What to do; "" where nothing is to be done.
    """

    name: str
    ok: bool
    found: str
    hint: str = ""
    required: bool = True
