"""The guide to what is looked at after a rollback happens as it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support import transcript
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_guide_to_post_rollback_happens_as_it_is_told(tmp_path: Path) -> None:
    page = (ROOT / "docs/guides/post-rollback.md").read_text()
    steps = transcript.steps(page)
    assert steps
    (tmp_path / "guide").mkdir()
    for name, language in (("checks.yaml", "yaml"), ("fraud-accuracy", "sh")):
        [content] = re.findall(
            rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
        )
        (tmp_path / "guide" / name).write_text(content)
    for ran in transcript.run(steps, tmp_path / "guide"):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"
