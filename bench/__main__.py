"""``python -m bench``: every table, in one run, so that its ratios can be believed."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from bench import history, ingest, night, place, scale, writers


def main() -> int:
    """Run the benchmarks; exit 1 if ingest misses its targets, or updates are lost."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument(
        "--only", choices=["scale", "history", "ingest", "writers", "night"]
    )
    arguments.add_argument(
        "--quick", action="store_true", help="a tenth of everything, once"
    )
    arguments.add_argument("--versions", type=int, help="default: 10000")
    arguments.add_argument("--rounds", type=int, help="default: 3")
    arguments.add_argument("--size", type=int, help="MiB of the large file")
    arguments.add_argument("--clones", type=int, default=8, help="default: 8")
    arguments.add_argument("--turns", type=int, default=25, help="default: 25")
    arguments.add_argument(
        "--keep", type=Path, metavar="DIR", help="where the large registry stays"
    )
    given = arguments.parse_args()
    versions = given.versions or (1000 if given.quick else 10_000)
    rounds = given.rounds or (1 if given.quick else 3)
    size = given.size or (100 if given.quick else 1024)
    well = True
    if given.only in {None, "writers"}:
        well = writers.table(given.clones, 3 if given.quick else given.turns)
    if given.only in {None, "night"}:
        night.run(rounds)
    if given.only not in {"ingest", "writers", "night"}:
        _registry(given.only, versions, rounds, given.keep)
    if given.only in {None, "ingest"}:
        return _ingest(size, rounds) or int(not well)
    return int(not well)


def _registry(only: str | None, versions: int, rounds: int, keep: Path | None) -> None:
    with place.place(keep) as root:
        environment = place.environment(root)
        registry = place.registry(root, versions)
        if only in {None, "scale"}:
            with place.place(None) as beside:
                scale.run(beside, registry, environment, versions, rounds)
        if only in {None, "history"}:
            history.run(registry, environment)


def _ingest(size: int, rounds: int) -> int:
    beside = Path(sys.executable).with_name("dvc")
    dvc = str(beside) if beside.exists() else shutil.which("dvc")
    options = ["--size", str(size), "--rounds", str(rounds)]
    return ingest.main([*options, *(("--dvc", dvc) if dvc else ())])


if __name__ == "__main__":
    sys.exit(main())
