"""The past: what was added once has never been changed or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, first_parent_line
from gitmodel.registry import layout

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.verification.findings import Findings

_WORDS = {"M": "changed", "D": "deleted", "T": "replaced by another kind of file"}


def verify_append_only(repository: Repository, findings: Findings, tip: str) -> None:
    """Look at every first-parent difference from the first commit to ``tip``."""
    if (repository.common_dir / "shallow").exists():
        findings.add(
            "E_SHALLOW",
            "this clone is shallow: its history cannot be verified. "
            "git fetch --unshallow  brings the rest.",
        )
    line = first_parent_line(repository, tip)
    findings.commits += len(line)
    for commit, paths in changes(repository, line):
        for change in paths:
            if change.status == "A":
                continue
            if layout.classify(change.path).kind in layout.APPEND_ONLY:
                word = _WORDS.get(change.status, "changed")
                findings.add("E_APPEND_ONLY", f"it was {word}.", change.path, commit)
