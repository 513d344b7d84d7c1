"""Runs the command line in this process, as users see it: code, stdout, stderr."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def gitmodel(*args: str | Path, cwd: Path | None = None) -> Answer:
    """Run ``gitmodel`` with ``args``; ``cwd`` goes in as ``-C``."""
    where = () if cwd is None else ("-C", str(cwd))
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*where, *map(str, args)])
    return Answer(code, out.getvalue(), err.getvalue())
