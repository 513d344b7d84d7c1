"""Recorded measurements: CSV with a header, or one JSON object per line.

``time`` is RFC 3339, or seconds since 1970; ``value`` is JSON, where nothing at all
means no data, ``NaN`` a number that is none, and ``error`` a source that failed.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gitmodel.domain.measurement import Measurement
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 64 << 20  # bytes
_MOST = 1_000_000
_WORDS = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of a series.

    Attributes:
        line: Where it stands in the file, from 1.
    """

    line: int
    measurement: Measurement


def read_series(data: bytes, name: str) -> tuple[Sample, ...]:
    """Read a series; its times must ascend.

    Raises:
        InputError: It is empty, too long, or a line of it is malformed.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8.") from error
    rows = _json(text, name) if text.lstrip().startswith("{") else _csv(text, name)
    found: list[Sample] = []
    for line, time, value in rows:
        if len(found) >= _MOST:
            raise InputError(f"{name} has more than {_MOST:,} measurements.")
        sample = Sample(line, _measurement(time, value, f"{name}:{line}"))
        if found and sample.measurement.taken_at <= found[-1].measurement.taken_at:
            raise InputError(f"{name}:{line}: its time is not after the one before.")
        found.append(sample)
    if not found:
        raise InputError(
            f"{name} has no measurements.",
            'Write lines such as {"time": "2026-02-14T14:03:00Z", "value": 0.97}, or '
            "CSV with the header time,value.",
        )
    return tuple(found)


def _json(text: str, name: str) -> Iterator[tuple[int, Any, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield number, row["time"], row.get("value")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
            message = f"{name}:{number}: it is no JSON object with time and value."
            raise InputError(message) from e


def _csv(text: str, name: str) -> Iterator[tuple[int, Any, Any]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        if not {"time", "value"} <= set(reader.fieldnames or ()):
            raise InputError(f"{name}:1: it has no header with time and value.")
        for row in reader:
            yield reader.line_num, row["time"], _plain(row["value"] or "")
    except csv.Error as error:
        raise InputError(f"{name}:{reader.line_num}: it is no CSV: {error}.") from error


def _plain(text: str) -> Any:
    """Return what a cell says: JSON where it is, text where it is not."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _measurement(time: Any, value: Any, where: str) -> Measurement:
    at = _time(time, where)
    if value is None:
        return Measurement("no_data", None, "no data", at)
    if value == "error":
        return Measurement("error", None, "the source failed", at)
    if isinstance(value, str):
        value = _WORDS.get(value.lower(), value)
    return Measurement("value", value, "", at)


def _time(text: Any, where: str) -> datetime:
    try:
        if isinstance(text, str) and not text.replace(".", "", 1).isdigit():
            found = datetime.fromisoformat(text)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
        elif not isinstance(text, bool):
            return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        pass
    raise InputError(
        f"{where}: {str(text)[:40]!a} is no time such as 2026-02-14T14:03:00Z."
    )
