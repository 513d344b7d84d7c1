"""Runs a program that this machine has allowed, and reads what it prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.metrics.answers import BrokenSourceError, part, read
from gitmodel.adapters.running import run_program

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.domain.sources import ExecSource

_NUMBER = re.compile(
    rb"[-+]?(?:nan|inf(?:inity)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]{1,4})?)",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 100


def measure(source: ExecSource, program: Path) -> Any:
    """Return the JSON or number that a program prints, or a part of it.

    Args:
        source: What to run.
        program: Where it is, as this machine allows it.

    Raises:
        NoDataError: The value is null.
        BrokenSourceError: It cannot be run, fails, hangs, or prints something else.
    """
    seconds = source.timeout.total_seconds()
    try:
        ran = run_program([str(program), *source.argv[1:]], seconds=seconds)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise BrokenSourceError(f"it cannot be started: {why}") from error
    if ran.status is None:
        raise BrokenSourceError(f"it did not end within {seconds:g} seconds")
    if ran.status:
        why = ran.complaint or "it does not say why"
        raise BrokenSourceError(f"it failed with status {ran.status}: {why}")
    if not ran.whole:
        raise BrokenSourceError(f"it printed more than {len(ran.output):,} bytes")
    return part(_value(ran.output), source.json_path)


def _value(output: bytes) -> Any:
    # Shell and awk print numbers that JSON does not have, such as .5 and nan.
    bare = output.strip()
    if len(bare) <= _LONGEST_NUMBER and _NUMBER.fullmatch(bare):
        number = float(bare)
        return int(bare) if bare.isdigit() else number
    return read(output)
