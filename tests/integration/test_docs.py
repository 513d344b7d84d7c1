"""The documentation says what is: codes, commands, links, examples."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitmodel.formats import schema
from tests.support import transcript
from tests.support.model_files import a_safetensors
from tests.support.reference import pages
from tests.support.terminal import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted(DOCS.rglob("*.md"))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
_CODE = re.compile(r"E_[A-Z_]*[A-Z]")


def _codes() -> set[str]:
    """Return every problem and error code that the source can report."""
    return {
        str(node.value)
        for path in (ROOT / "gitmodel").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and _CODE.fullmatch(str(node.value))
    }


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    text = (DOCS / "reference/problems.md").read_text()
    documented = re.findall(r"^\| `(E_[A-Z_]+)` \|", text, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == _codes()


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_generated_pages_are_what_make_docs_writes(path: Path) -> None:
    assert path.read_text() == pages()[path], "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            slugs = {_slug(heading) for heading in headings}
            assert anchor in slugs, f"{page.name} links to {target}"


def _slug(heading: str) -> str:
    """Return the anchor that forges give to a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def test_decisions_are_numbered_and_of_one_form() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(
        range(1, len(DECISIONS) + 1)
    )
    for path in DECISIONS:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name
        assert len(text.split()) < 450, f"{path.name} is longer than a page"


def test_the_readme_fits_one_screen_or_two() -> None:
    assert len(README.splitlines()) <= 80


@pytest.mark.parametrize(
    ("name", "kind"), [("gitmodel.yaml", "Registry"), ("model.yaml", "Model")]
)
def test_templates_are_documents_that_the_schema_takes(name: str, kind: str) -> None:
    data = (ROOT / "templates" / name).read_bytes()
    assert schema.read_document(data, name, kind).value["kind"] == kind
    assert data.count(b"#") > 3, "a template explains itself"


def test_the_metadata_template_registers_as_it_is(bench: Workbench) -> None:
    template = ROOT / "templates/metadata.yaml"
    file = bench.file("model.bin")
    bench.do("register", "fraud", file, "--metadata", template, "--no-capture")
    shown = bench.do("show", "fraud")
    assert shown["metrics"]["validation"]["loss"]["value"] == 0.11
    assert shown["training"]["data"][0]["transforms"] == ["drop-test-cards"]
    assert (shown["change"], shown["labels"]) == ("feature", {"team": "risk"})
    compared = bench.run("list", "fraud", "--where", "test.recall>=0.9")
    assert "1.0.0" in compared.out


def _rehearse(page: Path, cwd: Path, skipped: tuple[str, ...] = ()) -> None:
    steps = [
        step
        for step in transcript.steps(page.read_text())
        if not step.command.startswith(skipped or ("#",))
    ]
    assert steps
    for ran in transcript.run(steps, cwd):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"


def test_the_first_guide_happens_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    _rehearse(DOCS / "guides/first-registry.md", tmp_path / "guide")


def test_the_guide_to_keys_happens_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    _rehearse(DOCS / "guides/keys-and-roles.md", tmp_path / "guide")


def test_the_guide_to_incidents_happens_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    _rehearse(DOCS / "guides/incidents.md", tmp_path / "guide")


def test_the_readme_happens_as_it_is_told(tmp_path: Path) -> None:
    here = tmp_path / "readme"
    here.mkdir()
    for name in ("model.safetensors", "better.safetensors", "train.csv"):
        (here / name).write_bytes(a_safetensors(metadata={"file": name}))
    _rehearse(ROOT / "README.md", here, skipped=("make",))


def test_the_python_in_the_readme_runs(bench: Workbench) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    bench.file("model.safetensors", a_safetensors())
    bench.path.rename(bench.outside / "registry")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=bench.outside,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_targets_that_the_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = README + (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text))
    assert {"demo", "test", "lint", "docs"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
