"""Drills on a schedule: CI templates as they stand, and units of systemd (R159)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.formats import schema
from tests.support.ci_github import Runner
from tests.support.ci_gitlab import Pipeline
from tests.support.ci_jenkins import Build
from tests.support.ci_machine import Machine
from tests.support.remotes import make_hub
from tests.support.workbench import git

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

TEMPLATES = Path(__file__).parents[2] / "templates"
CI = TEMPLATES / "ci"
UNITS = sorted((TEMPLATES / "systemd").iterdir())
REPOSITORY = "octo/registry"


@dataclass(frozen=True)
class Scheduled:
    """A server with a registry, and what a scheduled job of it is given."""

    server: Path
    root: str
    key: Path
    machine: Machine

    @property
    def hub(self) -> Path:
        return self.server / f"{REPOSITORY}.git"

    def recorded(self) -> list[str]:
        """Return the drills that the server has, by path."""
        listed = git(self.hub, "ls-tree", "-r", "--name-only", "main")
        return [
            path
            for path in listed.splitlines()
            if "/attestations/drill-" in path and path.endswith(".yaml")
        ]

    def variables(self, **more: str) -> dict[str, str]:
        return {
            "GITMODEL_ROOT": self.root,
            "GITMODEL_DRILLS": "fraud#dev fraud#staging",
        } | more

    def workflow(self, kind: str, drills: str) -> Runner:
        variables = self.variables(GITMODEL_DRILLS=drills)
        return Runner(
            self.machine,
            CI / kind,
            str(self.hub),
            {
                "event_name": "schedule",
                "event": {"repository": {"default_branch": "main"}},
                "sha": git(self.hub, "rev-parse", "main"),
                "ref": "refs/heads/main",
                "ref_name": "main",
                "token": "t0ken",
                "api_url": "https://forge.example.com",
                "server_url": f"file://{self.server}",
                "repository": REPOSITORY,
            },
            variables,
            {"GITMODEL_RESPONDER_KEY": self.key.read_text()},
        )


@pytest.fixture
def scheduled(stocked: Workbench, tmp_path: Path) -> Scheduled:
    root = stocked.do("verify", "--no-bytes")["root"]
    key = tmp_path / "rae"
    stocked.do("key", "new", "--out", key)
    add = ("policy", "add-principal", "rae", "--key", f"{key}.pub")
    stocked.do(*add, "--role", "responder")
    server = tmp_path / "server"
    (server / REPOSITORY).parent.mkdir(parents=True)
    hub = make_hub(server / f"{REPOSITORY}.git")
    git(hub, "symbolic-ref", "HEAD", "refs/heads/main")
    stocked.git("remote", "add", "origin", hub)
    stocked.git("lfs", "push", "--all", "origin")
    stocked.git("push", "-q", "origin", "main")
    return Scheduled(server, root, key, Machine(tmp_path / "machine"))


BOTH = [f"models/fraud/versions/1.1.0/attestations/drill-{n}.yaml" for n in (1, 2)]


@pytest.mark.parametrize("kind", ["github", "gitea"])
def test_workflows_drill_and_keep_it_on_record(scheduled: Scheduled, kind: str) -> None:
    jobs = scheduled.workflow(kind, "fraud#dev fraud#staging").start("drill.yaml")
    output = scheduled.machine.output
    assert jobs["drill"].result == "success", output
    assert scheduled.recorded() == BOTH
    assert output.count("passed  drill of fraud") == 2
    assert not list(scheduled.machine.root.rglob("responder"))
    assert "PRIVATE KEY" not in output


@pytest.mark.parametrize("drills", ["", "fraud#production fraud#dev", "nobody#dev"])
def test_a_workflow_fails_where_a_drill_does(scheduled: Scheduled, drills: str) -> None:
    """Production is empty; and a schedule that rehearses nothing is worth nothing."""
    jobs = scheduled.workflow("github", drills).start("drill.yaml")
    assert jobs["drill"].result == "failure"
    assert scheduled.recorded() == ([BOTH[0]] if "fraud#dev" in drills else [])


def test_gitlab_drills_on_a_schedule(scheduled: Scheduled) -> None:
    tools = scheduled.machine.root / "tools"
    (tools / "apt-get").write_text("#!/bin/sh\n")  # git-lfs is here
    (tools / "apt-get").chmod(0o755)
    commit = git(scheduled.hub, "rev-parse", "main")
    variables = scheduled.variables(
        CI_PIPELINE_SOURCE="schedule",
        CI_COMMIT_BRANCH="main",
        CI_DEFAULT_BRANCH="main",
        CI_COMMIT_SHA=commit,
        CI_SERVER_URL="https://gitlab.example.com",
        GITLAB_TOKEN="t0ken",  # noqa: S106
        RESPONDER_KEY=str(scheduled.key),
    )
    file = CI / "gitlab/drill.gitlab-ci.yml"
    hub = str(scheduled.hub)
    quiet = Pipeline(scheduled.machine, file, hub, variables, commit)
    assert quiet.run() == {"drill": "success"}, scheduled.machine.output
    assert scheduled.recorded() == BOTH


def test_jenkins_drills_on_a_schedule(scheduled: Scheduled) -> None:
    file = CI / "jenkins/Jenkinsfile.drill"
    credentials = {"gitmodel-responder-key": str(scheduled.key)}
    url = f"file://{scheduled.hub}"
    variables = scheduled.variables(GITMODEL_URL=url, BRANCH_NAME="main")
    build = Build(scheduled.machine, file, variables, credentials, timer=True)
    assert set(build.run().values()) == {"success"}, scheduled.machine.output
    assert scheduled.recorded() == BOTH


def test_units_are_what_systemd_takes(tmp_path: Path) -> None:
    """With another program in the place of gitmodel, which is nowhere here."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd is not here")
    units = []
    for unit in UNITS:
        text = unit.read_text().replace("/usr/local/bin/gitmodel", "/bin/true")
        units.append(tmp_path / unit.name)
        units[-1].write_text(text)
    done = subprocess.run(
        [tool, "verify", *units], capture_output=True, text=True, check=False
    )
    assert not [line for line in done.stderr.splitlines() if "gitmodel" in line]
    bad = tmp_path / "gitmodel-bad.service"
    bad.write_text(units[0].read_text().replace("ProtectHome=yes", "ProtectHom=yes"))
    done = subprocess.run(
        [tool, "verify", bad], capture_output=True, text=True, check=False
    )
    assert "ProtectHom" in done.stderr


@pytest.mark.parametrize(
    "unit", [u for u in UNITS if u.suffix == ".service"], ids=lambda u: u.name
)
def test_services_may_touch_nothing_but_their_state(unit: Path) -> None:
    lines = set(unit.read_text().splitlines())
    assert lines >= {
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "CapabilityBoundingSet=",
        "User=gitmodel",
        "StateDirectory=gitmodel",
    }
    assert not [line for line in lines if line.startswith("ReadWritePaths")]
    started = [line for line in lines if line.startswith("ExecStart=")]
    assert len(started) == 1
    assert "--key %d/" in started[0]  # the key is no file that the service can find


def test_what_the_units_run_is_a_command(stocked: Workbench) -> None:
    for unit in UNITS:
        for line in unit.read_text().splitlines():
            if not line.startswith("ExecStart"):
                continue
            words = line.partition("/gitmodel ")[2].split()
            verb = next(w for w in words if w in {"drill", "watch", "sync"})
            shown = stocked.run(verb, "--help").out
            later = words[words.index(verb) :]
            for option in (word for word in later if word.startswith("--")):
                assert option in shown, line


def test_the_example_of_a_trigger_is_one(bench: Workbench) -> None:
    data = (TEMPLATES / "triggers/MODEL.yaml").read_bytes()
    document = schema.read_document(data, "MODEL.yaml", "RollbackTrigger")
    assert document.value["spec"]["model"] == "fraud"
    bench.register()
    bench.commit_file("triggers/fraud.yaml", data)
    assert bench.verify("--history") == (0, [])
    said = bench.run("triggers", "explain").out
    assert "accuracy" in said
    assert "backdoor" in said
