"""Verification of a long history, beside ``git verify-commit`` on a sample.

``python -m bench.history [--versions N] [--keep DIR]``: makes a registry of N
versions, one signed commit each, and a promotion for every tenth, then times whole
processes and asks the system for the most memory that each of them held.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import gitmodel
from bench.timing import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEW = 10
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


def run(versions: int, keep: Path | None = None) -> None:
    """Measure with so many versions; ``keep`` is where the registry stays."""
    with _place(keep) as root:
        environment = _environment(root)
        registry = root / "registry"
        if not registry.exists():
            began = time.perf_counter()
            _build(registry, versions)
            print(f"made in {time.perf_counter() - began:.0f} s")
        count = _git(registry, "rev-list", "--count", "refs/heads/main~10").strip()
        print(f"\nHistory of {versions} versions, {count} commits (whole processes)")
        tip = _git(registry, "rev-parse", "refs/heads/main").strip()
        ours = [sys.executable, "-m", "gitmodel", "-C", str(registry), "verify"]
        # As a clone that has verified nothing yet, ten commits ago.
        (registry / ".git/gitmodel/state.json").unlink(missing_ok=True)
        older = _git(registry, "rev-parse", "refs/heads/main~10").strip()
        command(
            ["git", "update-ref", "--no-deref", "HEAD", older], registry, environment
        )
        _timed(
            "verify --history --full --no-bytes",
            [*ours, "--history", "--full", "--no-bytes"],
            environment,
        )
        command(["git", "update-ref", "--no-deref", "HEAD", tip], registry, environment)
        _timed(
            "verify --history --no-bytes, ten new",
            [*ours, "--history", "--no-bytes"],
            environment,
        )
        _timed("verify --no-bytes", [*ours, "--no-bytes"], environment)
        _beside(registry, environment)
        command(
            ["git", "symbolic-ref", "HEAD", "refs/heads/main"], registry, environment
        )


def _build(registry: Path, versions: int) -> None:
    from bench.quick_registry import Grower, make  # noqa: PLC0415

    make(registry)
    _git(registry, "config", "core.fsync", "none")
    grower = Grower(registry)
    grower.grow(versions)
    grower.grow(NEW, promote_each=versions)
    _git(registry, "repack", "-adq")


def _timed(name: str, args: Sequence[str | Path], environment: dict[str, str]) -> None:
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


def _beside(registry: Path, environment: dict[str, str]) -> None:
    """Time git's own check of as many commits as patience allows."""
    sample = _git(registry, "rev-list", f"--max-count={SAMPLE}", "HEAD").split()
    began = time.perf_counter()
    for commit in sample:
        command(["git", "verify-commit", commit], registry, environment)
    each = (time.perf_counter() - began) / len(sample)
    print(f"  {'git verify-commit, each':44} {each:8.4f} s")


@contextlib.contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="gitmodel-bench-") as place:
        yield Path(place)


def _environment(root: Path) -> dict[str, str]:
    """Return, and set, the environment of a machine of its own."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    found = {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONPATH": str(Path(gitmodel.__file__).parents[1]),
    }
    os.environ.update(found)
    return found


def _git(cwd: Path, *args: str) -> str:
    return command(["git", *args], cwd, {})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m bench.history")
    arguments.add_argument("--versions", type=int, default=10_000)
    arguments.add_argument("--keep", type=Path)
    given = arguments.parse_args()
    run(given.versions, given.keep)
