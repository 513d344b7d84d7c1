"""The guide to quarantine happens as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import transcript
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_guide_to_quarantine_happens_as_it_is_told(tmp_path: Path) -> None:
    steps = transcript.steps((ROOT / "docs/guides/quarantine.md").read_text())
    assert steps
    for ran in transcript.run(steps, tmp_path):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"
