"""Runs the ``console`` blocks of a page, and compares what they print.

A line that begins with ``$`` is a command, those with ``>`` right after it belong to
it, and the lines after them are what it prints, on both streams. In them ``…`` stands
for anything, alone on a line for any lines; every digest, commit, key id and time
stands for any other.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.terminal import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "-- end of step with exit code "
_VARIES = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\dZ)?)|(?P<stamp>\d{8}T\d{4})"
    r"|(?P<hex>\b[0-9a-f]{7,64}\b)|(?P<any>…)"
)
_FORMS = {
    "time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\dZ)?",
    "stamp": r"\d{8}T\d{4}",
    "hex": r"[0-9a-f]{7,64}",
    "any": r".*",
}


@dataclass(frozen=True)
class Step:
    """One command of a page, and the lines that it shows below it."""

    command: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Ran:
    """What a step printed, and how it ended."""

    step: Step
    lines: tuple[str, ...]
    code: int

    @property
    def as_shown(self) -> bool:
        """Whether the page shows what was printed."""
        pattern = "".join(map(_pattern, self.step.shown))
        printed = "".join(f"{line}\n" for line in self.lines)
        return re.fullmatch(pattern, printed) is not None


def steps(page: str) -> list[Step]:
    """Return the commands of a page, in order."""
    found: list[tuple[str, list[str]]] = []
    for block in _BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif line.startswith("> ") and not found[-1][1]:
                command, shown = found[-1]
                found[-1] = (f"{command}\n{line.removeprefix('> ')}", shown)
            else:
                found[-1][1].append(line.rstrip())
    return [Step(command, tuple(shown)) for command, shown in found]


def run(page_steps: list[Step], cwd: Path) -> list[Ran]:
    """Run steps in one shell, in which ``gitmodel`` is this checkout's."""
    script = "".join(
        f"{step.command}\nprintf '\\n{_MARK}%s\\n' $?\n" for step in page_steps
    )
    path = f"{install(cwd.parent / 'bin')}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"exec 2>&1\n{script}"],
        cwd=cwd,
        env=environment({"PATH": path}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = re.split(rf"\n?{_MARK}(\d+)\n", done.stdout)
    outputs, codes = printed[:-1:2], printed[1::2]
    assert len(codes) == len(page_steps), done.stdout
    return [
        Ran(step, tuple(map(str.rstrip, output.strip("\n").splitlines())), int(code))
        for step, output, code in zip(page_steps, outputs, codes, strict=True)
    ]


def install(directory: Path) -> Path:
    """Make a directory for PATH, with this checkout's gitmodel and its Python."""
    directory.mkdir(exist_ok=True)
    python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
    for name, command in (
        ("gitmodel", f"PYTHONPATH={root} exec {python} -m gitmodel"),
        ("python", f"exec {python}"),
    ):
        program = directory / name
        program.write_text(f'#!/bin/sh\n{command} "$@"\n')
        program.chmod(0o755)
    return directory


def _pattern(shown: str) -> str:
    if shown.strip() == "…":
        return r"(?:.*\n)*"
    parts, end = [], 0
    for match in _VARIES.finditer(shown):
        parts += [re.escape(shown[end : match.start()]), _FORMS[str(match.lastgroup)]]
        end = match.end()
    return "".join([*parts, re.escape(shown[end:]), r"\n"])
