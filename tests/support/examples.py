"""The documents in ``tests/examples``, and what their first lines expect.

``<kind>/valid/*.yaml`` must pass, ``<kind>/invalid/*.yaml`` begin with one line
``# expect: CODE [line N] [path]`` for each problem, and must have exactly these.
``yaml/invalid/*.yaml`` are no YAML documents at all, whatever their kind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1] / "examples"

_EXPECT = re.compile(rb"# expect: (\S+)(?: line (\d+))?(?: (\S.*))?\n")


class Expected(NamedTuple):
    """One problem that a document has."""

    code: str
    line: int | None
    path: str


def examples(kind: str, verdict: str) -> list[Path]:
    """Return the files of a kind (``*`` for all), sorted; there are always some."""
    found = sorted(ROOT.glob(f"{kind}/{verdict}/*.yaml"))
    assert found, f"no {verdict} examples of {kind}"
    return found


def name(path: Path) -> str:
    """Return a short name for a test's id."""
    return f"{path.parts[-3]}-{path.stem}"


def expected(path: Path) -> list[Expected]:
    """Return what the first lines of an invalid example say."""
    found = []
    data = path.read_bytes()
    start = 0
    while match := _EXPECT.match(data, start):
        code, line, place = match.groups(b"")
        found.append(
            Expected(code.decode(), int(line) if line else None, place.decode())
        )
        start = match.end()
    assert found, f"{path} does not say what is wrong with it"
    return found
