"""The CI templates that turn reviews into evidence, executed (``design`` §4.9)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import forge_server
from tests.support.ci_github import Job, Runner
from tests.support.ci_gitlab import Pipeline
from tests.support.ci_machine import Machine
from tests.support.forge_server import github_review, gitlab_merge, user
from tests.support.remotes import clone, make_hub
from tests.support.reviewed import CAROL, DAVE, NUMBER, Reviewed, build
from tests.support.workbench import git, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.forge_server import ForgeServer

CI = Path(__file__).parents[2] / "templates/ci"
REQUEST = "request/staging/fraud/1"
PROJECT = 42


@pytest.fixture(scope="module")
def server() -> Iterator[ForgeServer]:
    with forge_server.serving() as running:
        yield running


@pytest.fixture
def reviewed(
    template: Path,
    server: ForgeServer,
    home: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Reviewed:
    bench = unpack(template, home, tmp_path)
    build(bench, home, server)
    if "gitlab" in request.node.name:
        here = f"gitlab@127.0.0.1:{server.port}"
        for name, account in (("carol", CAROL), ("dave", DAVE)):
            bench.do("policy", "add-principal", name, "--account", f"gitlab:{account}")
        bench.do("policy", "require", "staging", "--forge", f"{here}:{PROJECT}",
                 "--direct", "0")  # fmt: skip
    found = Reviewed(bench, home, server)
    bench.git("remote", "add", "origin", make_hub(tmp_path / "hub.git"))
    found.ask()
    bench.git("push", "-q", "--no-verify", "origin", "main", REQUEST)
    return found


def test_github_lands_what_reviews_allow(reviewed: Reviewed, tmp_path: Path) -> None:
    hub, head = tmp_path / "hub.git", reviewed.tip()
    before = git(hub, "rev-parse", "main")
    repository = {"default_branch": "main"}
    run = {"head_branch": REQUEST, "pull_requests": [{"number": NUMBER}]}
    root = reviewed.bench.do("verify", "--no-bytes")["root"]
    context = {
        "event_name": "workflow_run",
        "event": {"workflow_run": run, "repository": repository},
        "sha": before,
        "ref_name": "main",
        "token": "t0ken",
        "api_url": reviewed.forge.url,
        "server_url": "",
        "repository": "octo/registry",
    }
    secrets = {"GITMODEL_COLLECTOR_KEY": (reviewed.home / "ci.key").read_text()}

    def collect(name: str, context: dict[str, Any] = context) -> tuple[Machine, Job]:
        machine = Machine(tmp_path / name)
        variables = {"GITMODEL_ROOT": root}
        runner = Runner(
            machine, CI / "github", str(hub), context, variables, dict(secrets)
        )
        return machine, runner.start("approvals.yaml")["collect"]

    one, *others = [
        github_review(account, user(account), "APPROVED", head)
        for account in (CAROL, DAVE)
    ]
    reviewed.reviews(one)
    machine, job = collect("waits")
    assert job.result == "success", machine.output
    assert git(hub, "rev-parse", "main") == before

    reviewed.reviews(one, *others)
    machine, job = collect("lands")
    assert job.result == "success", machine.output
    assert git(hub, "rev-parse", "main") != before
    assert "PRIVATE KEY" not in machine.output
    assert not list(machine.root.rglob("collector"))
    now = clone(hub, tmp_path / "fresh", tmp_path)
    assert now.live("fraud", "staging") == "1.0.0"
    assert now.verify("--history", "--no-bytes", "--root", root) == (0, [])

    strange = context | {"event": {"workflow_run": run | {"head_branch": "topic"}}}
    assert collect("topic", strange)[1].result == "skipped"


def test_gitlab_lands_what_approvals_allow(reviewed: Reviewed, tmp_path: Path) -> None:
    hub, head, forge = tmp_path / "hub.git", reviewed.tip(), reviewed.forge
    merge = f"/projects/octo%2Fregistry/merge_requests/{NUMBER}"
    proposal = gitlab_merge(NUMBER, head, source_branch=REQUEST)
    at = "2026-02-14T14:03:00Z"
    approvals = [
        {"user": {"id": account, "username": "x"}, "approved_at": at}
        for account in (CAROL, DAVE)
    ]
    forge.on("GET /projects/octo%2Fregistry", {"id": PROJECT})
    forge.on(f"GET {merge}", proposal)
    forge.on(f"GET {merge}/approvals", {"approved_by": approvals})
    created = {"id": 1, "head_commit_sha": head, "created_at": "2026-02-14T14:00:00Z"}
    forge.on(f"GET {merge}/versions", [created])
    forge.on(f"GET {merge}/reviewers", [])
    for account in (CAROL, DAVE):
        forge.on(f"GET /users/{account}", {"id": account, "bot": False})
    machine = Machine(tmp_path / "machine")
    key = tmp_path / "collector"
    key.write_text((reviewed.home / "ci.key").read_text())
    commit = git(hub, "rev-parse", "main")
    root = reviewed.bench.do("verify", "--no-bytes")["root"]
    variables = {
        "CI_PIPELINE_SOURCE": "trigger",
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_SHA": commit,
        "CI_API_V4_URL": forge.url,
        "CI_SERVER_URL": "https://gitlab.example.com",
        "CI_PROJECT_PATH": "octo/registry",
        "GITMODEL_ROOT": root,
        "GITMODEL_REQUEST": "fraud#staging",
        "GITMODEL_PR": str(NUMBER),
        "GITLAB_TOKEN": "t0ken",
        "COLLECTOR_KEY": str(key),
    }
    file = CI / "gitlab/registry.gitlab-ci.yml"
    results = Pipeline(machine, file, str(hub), variables, commit).run()
    assert results == {"history": "success", "approvals": "success"}, machine.output
    now = clone(hub, tmp_path / "fresh", tmp_path)
    assert now.live("fraud", "staging") == "1.0.0"
    assert now.verify("--history", "--no-bytes", "--root", root) == (0, [])
