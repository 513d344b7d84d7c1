"""``python -m bench``: the tables of the README of this directory, in one run."""

from __future__ import annotations

import argparse

from bench import scale


def main() -> None:
    """Run every benchmark."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--versions", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    scale.run(given.versions, given.rounds)


if __name__ == "__main__":
    main()
