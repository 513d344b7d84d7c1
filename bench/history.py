"""Verification of a long history, beside ``git verify-commit`` on a sample.

Times whole processes, and asks the system for the most memory that each of them held.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.timing import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SAMPLE = 50
_MIB = 1024  # kilobytes, as Linux counts them
#: Runs a command and prints what it used: most memory of one process, processor time.
_PEAK = (
    "import resource, subprocess, sys\n"
    "code = subprocess.run(sys.argv[1:]).returncode\n"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "print(used.ru_maxrss, used.ru_utime + used.ru_stime)\n"
    "sys.exit(code)"
)


def run(registry: Path, environment: Mapping[str, str]) -> None:
    """Measure with a registry that ``bench.place`` made; it is left as it was."""
    count = int(_git(registry, "rev-list", "--count", "refs/heads/main~10"))
    print(f"\nVerification of {count} commits (whole processes)")
    tip = _git(registry, "rev-parse", "refs/heads/main").strip()
    ours = [sys.executable, "-m", "gitmodel", "-C", str(registry), "verify"]
    # As a clone that has verified nothing yet, ten commits ago.
    (registry / ".git/gitmodel/state.json").unlink(missing_ok=True)
    older = _git(registry, "rev-parse", "refs/heads/main~10").strip()
    _git(registry, "update-ref", "--no-deref", "HEAD", older)
    full = _timed(
        "verify --history --full --no-bytes",
        [*ours, "--history", "--full", "--no-bytes"],
        environment,
    )
    _git(registry, "update-ref", "--no-deref", "HEAD", tip)
    _timed(
        "verify --history --no-bytes, ten new",
        [*ours, "--history", "--no-bytes"],
        environment,
    )
    _timed("verify --no-bytes", [*ours, "--no-bytes"], environment)
    each = _beside(registry, environment)
    print(f"  {'git verify-commit, each':44} {each:8.4f} s")
    print(
        f"  {f'git verify-commit, {count} times (by {SAMPLE})':44} "
        f"{each * count:8.2f} s  {each * count / full:5.1f} x ours, signatures alone"
    )
    _git(registry, "symbolic-ref", "HEAD", "refs/heads/main")


def _timed(
    name: str, args: Sequence[str | Path], environment: Mapping[str, str]
) -> float:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _PEAK, *map(str, args)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
    )
    said, _ = process.communicate()
    seconds = time.perf_counter() - began
    peak, used = said.decode().splitlines()[-1].split()
    print(
        f"  {name:44} {seconds:8.2f} s  {int(peak) // _MIB:5} MiB"
        f"  {float(used):6.2f} s of processors"
    )
    if process.returncode != 0:
        raise SystemExit(said.decode()[-800:])
    return seconds


def _beside(registry: Path, environment: Mapping[str, str]) -> float:
    """Return the seconds of git's own check of one commit, by a sample."""
    sample = _git(registry, "rev-list", f"--max-count={SAMPLE}", "HEAD").split()
    began = time.perf_counter()
    for commit in sample:
        command(["git", "verify-commit", commit], registry, environment)
    return (time.perf_counter() - began) / len(sample)


def _git(cwd: Path, *args: str) -> str:
    return command(["git", *args], cwd, {})
