"""Tells a program, which reads the event as one line of JSON; never through a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.running import run_program
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.domain.event import Event


def send(program: Path, arguments: Sequence[str], event: Event, seconds: float) -> str:
    """Run an allowed program, and return how it ended.

    Raises:
        OutsideError: It cannot be started, fails, or does not end in time.
    """
    line = event.to_line()
    try:
        ran = run_program([str(program), *arguments], seconds=seconds, stdin=line)
    except OSError as error:
        raise OutsideError(
            f"{program} cannot be started: {error.strerror or error}"
        ) from error
    if ran.status is None:
        raise OutsideError(f"{program} did not end within {seconds:.3g} seconds.")
    if ran.status:
        said = ran.complaint or f"it ended with {ran.status}"
        raise OutsideError(f"{program} failed: {said}")
    return f"{program.name} took it"
