"""Times commands and functions: medians, and peak memory of child processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


def median(function: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of ``rounds`` calls."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def command(
    args: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]
) -> str:
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(
        list(map(str, args)),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, args))}: {done.stderr}{done.stdout}")
    return done.stdout


def capped(
    args: Sequence[str | Path],
    cwd: Path,
    environment: Mapping[str, str],
    seconds: float,
) -> tuple[float, bool]:
    """Return how long a command took, and whether it was stopped after ``seconds``."""
    began = time.perf_counter()
    try:
        subprocess.run(
            list(map(str, args)),
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            check=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return time.perf_counter() - began, True
    return time.perf_counter() - began, False


def table(title: str, rows: Sequence[tuple[str, float, float | None]]) -> None:
    """Print seconds, and how many times a peer's are ours."""
    print(f"\n{title}")
    width = max(len(name) for name, _, _ in rows)
    for name, seconds, ratio in rows:
        times = f"{ratio:8.2f} x" if ratio is not None else ""
        print(f"  {name.ljust(width)}  {seconds:9.3f} s  {times}")
