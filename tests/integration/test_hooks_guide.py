"""The guide to hooks happens as it is told."""

from __future__ import annotations

from pathlib import Path

from tests.support import transcript

GUIDE = Path(__file__).parents[2] / "docs/guides/hooks.md"


def test_the_guide_to_hooks_happens_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    steps = transcript.steps(GUIDE.read_text(encoding="utf-8"))
    assert len(steps) > 10
    for ran in transcript.run(steps, tmp_path / "guide"):
        assert ran.as_shown, f"{ran.step.command}\n" + "\n".join(ran.lines)
