"""The CI templates that turn reviews into evidence, executed (``design`` §4.9)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import forge_server
from tests.support.ci_github import Job, Runner
from tests.support.ci_machine import Machine
from tests.support.forge_server import github_review, user
from tests.support.remotes import clone, make_hub
from tests.support.reviewed import CAROL, DAVE, NUMBER, Reviewed, build
from tests.support.workbench import git, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.forge_server import ForgeServer

CI = Path(__file__).parents[2] / "templates/ci"
REQUEST = "request/staging/fraud/1"


@pytest.fixture(scope="module")
def server() -> Iterator[ForgeServer]:
    with forge_server.serving() as running:
        yield running


@pytest.fixture
def reviewed(
    template: Path, server: ForgeServer, home: Path, tmp_path: Path
) -> Reviewed:
    bench = unpack(template, home, tmp_path)
    build(bench, home, server)
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
