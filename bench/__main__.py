"""``python -m bench``: every table, in one run, so that its ratios can be believed."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from bench import ingest, scale


def main() -> int:
    """Run the benchmarks; exit 1 if ingest misses its targets."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--versions", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument(
        "--size", type=int, default=1024, help="MiB of the large file"
    )
    arguments.add_argument("--only", choices=["ingest", "scale"])
    given = arguments.parse_args()
    if given.only != "ingest":
        scale.run(given.versions, given.rounds)
    if given.only == "scale":
        return 0
    beside = Path(sys.executable).with_name("dvc")
    dvc = str(beside) if beside.exists() else shutil.which("dvc")
    options = ["--size", str(given.size), "--rounds", str(given.rounds)]
    return ingest.main([*options, *(("--dvc", dvc) if dvc else ())])


if __name__ == "__main__":
    sys.exit(main())
