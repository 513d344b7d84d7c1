"""One line on the terminal that says how far long work has come, and how fast."""

from __future__ import annotations

import threading
import time

import click

from gitmodel.cli.output import size

_EVERY = 0.1


class ProgressLine:
    """A ``Progress`` for people at a terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._label = ""
        self._total = 0
        self._done = 0
        self._began = 0.0
        self._drawn = 0.0

    def start(self, total: int, label: str) -> None:
        """Begin a line."""
        self._label, self._total, self._done = label, total, 0
        self._began = self._drawn = time.monotonic()

    def advance(self, count: int) -> None:
        """Count bytes, and redraw now and then."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now - self._drawn >= _EVERY:
                self._drawn = now
                self._draw(now)

    def finish(self) -> None:
        """Clear the line: the answer follows."""
        if self._drawn > self._began:
            click.echo("\r\033[K", err=True, nl=False)

    def _draw(self, now: float) -> None:
        share = f"{100 * self._done // self._total:3d}%" if self._total else ""
        rate = self._done / max(now - self._began, 1e-9)
        line = (
            f"{self._label} {share}  {size(self._done)} of {size(self._total)}  "
            f"{size(rate)}/s"
        )
        click.echo(f"\r\033[K{line}", err=True, nl=False)
