"""Plain git in a clone with hooks: what it says, and that a refusal changes nothing."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

#: A clone without git-lfs set up commits what lies in the work tree.
RAW = (
    *("-c", "filter.lfs.process="),
    *("-c", "filter.lfs.clean="),
    *("-c", "filter.lfs.required=false"),
)


@dataclass(frozen=True)
class Said:
    """How a git command ended, and all that it and its hooks said."""

    code: int
    text: str


def plain_git(where: Path, *args: str | Path) -> Said:
    """Run git as a person does who knows nothing of gitmodel."""
    done = subprocess.run(
        ["git", *map(str, args)],
        cwd=where, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stderr + done.stdout)


def stage(bench: Workbench, path: str, data: bytes | None) -> None:
    """Put new bytes, or their absence, into work tree and index."""
    target = bench.path / path
    if data is None:
        bench.git("rm", "-q", "--", path)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    bench.git(*RAW, "add", "-f", "--", path)


def refused(bench: Workbench, *args: str) -> str:
    """Run a git command that a hook must refuse; return what was said."""
    before = (bench.git("for-each-ref"), bench.git("rev-parse", "HEAD"))
    said = plain_git(bench.path, *args)
    assert said.code != 0, said.text
    assert (bench.git("for-each-ref"), bench.git("rev-parse", "HEAD")) == before
    assert "Traceback" not in said.text
    assert "gitmodel refuses" in said.text
    return said.text


def commit_refused(bench: Workbench, message: str = "by hand") -> str:
    """Commit what is staged, in vain."""
    return refused(bench, *RAW, "commit", "-qm", message)
