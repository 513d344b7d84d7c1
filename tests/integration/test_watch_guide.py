"""The guide to watching happens as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import transcript
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

PAGE = (ROOT / "docs/guides/watching.md").read_text(encoding="utf-8")
REPORT = "/var/lib/fraud/accuracy.json"


def test_the_guide_to_watching_happens_as_it_is_told(bench: Workbench) -> None:
    for version, accuracy in (("1.0.0", 0.93), ("1.1.0", 0.95)):
        file = bench.file(f"{version}/model.bin", version.encode())
        metric = ("--metric", f"test.accuracy={accuracy}")
        bench.do("register", "fraud", file, "--version", version, *metric)
        bench.promote(f"fraud@{version}", "dev", "staging", "production")
    report = bench.file("accuracy.json", b"0.94")
    steps = transcript.steps(PAGE.replace(REPORT, str(report)))
    assert len(steps) > 8
    for ran in transcript.run(steps, bench.path):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- as --\n{shown}"
