"""A registry opened at another time: what expires can be seen to, without waiting."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workbench import Workbench


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@contextmanager
def opened_after(bench: Workbench, later: timedelta) -> Iterator[RegistryHandle]:
    """Open the registry of a workbench so much later than now."""
    clock = FixedClock(datetime.now(UTC) + later)
    context = Context(clock=clock, keys=KeyChoice(ask=lambda _: None))
    handle = RegistryHandle.open(bench.path, context)
    try:
        yield handle
    finally:
        handle.close()
