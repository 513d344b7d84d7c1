"""The general runbooks happen as they are told (R160)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import transcript
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RUNBOOKS = ROOT / "docs/runbooks"
INDEX = (RUNBOOKS / "README.md").read_text()
PAGES = sorted(set(RUNBOOKS.glob("*.md")) - {RUNBOOKS / "README.md"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    steps = transcript.steps(page.read_text())
    assert len(steps) > 5
    here = tmp_path / "runbook"
    here.mkdir()
    for ran in transcript.run(steps, here):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"


def test_the_index_names_every_page() -> None:
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", INDEX)) == {p.name for p in PAGES}
    for path in re.findall(r"`(templates/\w+)`", INDEX):
        assert list((ROOT / path).iterdir()), path
