"""Dates as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitmodel.errors import InputError

_DAY = len("2026-01-01")


def parse_date(text: str, *, end: bool = False) -> datetime:
    """Read an ISO 8601 date or time; without a zone it is UTC.

    Args:
        text: Such as ``2026-03-01`` or ``2026-03-01T12:00+02:00``.
        end: Whether a bare date means the end of that day.

    Raises:
        InputError: It is neither.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a date.", "Write 2026-03-01 or 2026-03-01T12:00Z."
        ) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if end and len(text) == _DAY:
        found += timedelta(days=1) - timedelta(seconds=1)
    return found
