"""The guide to CI happens as it is told, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import transcript
from tests.support.ci_github import read

ROOT = Path(__file__).parents[2]
CI = ROOT / "templates/ci"
GUIDE = (ROOT / "docs/guides/ci.md").read_text(encoding="utf-8")


def test_the_guide_to_ci_happens_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    steps = transcript.steps(GUIDE)
    assert len(steps) > 10
    for ran in transcript.run(steps, tmp_path / "guide"):
        assert ran.as_shown, f"{ran.step.command}\n" + "\n".join(ran.lines)


def test_the_guide_names_what_is_there() -> None:
    templates = "".join(path.read_text() for path in CI.rglob("*") if path.is_file())
    for name in re.findall(r"\b(?:GITMODEL|GITLAB)_[A-Z_]+\b", GUIDE):
        assert name in templates, name
    for path in re.findall(r"templates/ci/[\w./-]+\w", GUIDE):
        assert (ROOT / path).exists(), path
    jobs = read(CI / "github/gitmodel.yaml")["jobs"].values()
    caller = read(CI / "github/registry.yaml")["jobs"]
    for check in re.findall(r"`(\w+) / ([\w ]+)`", GUIDE):
        assert check[0] in caller
        assert check[1] in {job["name"] for job in jobs}
