"""Points in time as documents write them: RFC 3339, UTC, whole seconds, ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def to_text(moment: datetime) -> str:
    """Return ``moment`` such as ``2026-02-14T14:03:00Z``."""
    # Not by strftime, which writes the years before 1000 with fewer digits.
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{plain.isoformat(timespec='seconds')}Z"


def from_text(text: str) -> datetime:
    """Read what :func:`to_text` wrote.

    Raises:
        ValueError: ``text`` is not of that form.
    """
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def minute_stamp(moment: datetime) -> str:
    """Return the basic form used in version ids, such as ``20260214T1403`` (R001)."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M")
