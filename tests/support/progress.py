"""A listener that remembers, and one that acts while work is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorder:
    """Remembers what it was told; ``then`` is called at every step."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.total = 0
        self.done = 0
        self.label = ""
        self.finished = 0
        self._then = then

    def start(self, total: int, label: str) -> None:
        self.total, self.label = total, label

    def advance(self, count: int) -> None:
        self.done += count
        self._then()

    def finish(self) -> None:
        self.finished += 1


def once(action: Callable[[], object]) -> Callable[[], None]:
    """Return a function that does something the first time that it is called."""
    waiting = [action]

    def act() -> None:
        if waiting:
            waiting.pop()()

    return act
