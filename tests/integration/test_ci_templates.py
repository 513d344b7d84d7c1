"""The CI templates, executed: every step as it stands, in real clones (R087, R139).

Each system sees the same three pull requests: one that is approved, one that waits, and
one of a stranger who edited a manifest, and whose branch and files try to be run.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import forge_server
from tests.support.ci_github import Job, Runner
from tests.support.ci_gitlab import Pipeline
from tests.support.ci_jenkins import Build
from tests.support.ci_machine import Machine
from tests.support.forge_server import ForgeServer, Reply, user
from tests.support.isolation import isolate
from tests.support.remotes import make_hub
from tests.support.workbench import Workbench, git, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

CI = Path(__file__).parents[2] / "templates/ci"
APPROVED, WAITING, EDITED = 1, 2, 3
NUMBERS = {APPROVED: "allowed", WAITING: "pending", EDITED: "refused"}
#: Text that people choose, and that a careless template would run.
EVIL = '"; touch "$HOME/pwned"; echo "$(touch $HOME/pwned)`touch $HOME/pwned`'
TOKEN = "t0ken-of-the-job"  # noqa: S105
REPOSITORY = "octo/registry"


@dataclass(frozen=True)
class Proposed:
    """A forge's repository with three pull requests, under the names of all forges.

    Attributes:
        root: Digest of policy 1.
        heads: The commit of each pull request.
    """

    server: Path
    root: str
    heads: dict[int, str]
    auditor: str

    @property
    def hub(self) -> Path:
        return self.server / f"{REPOSITORY}.git"

    def tip(self, branch: str = "main") -> str:
        return git(self.hub, "rev-parse", branch)


def _propose(bench: Workbench, place: Path) -> Proposed:
    home = place / "home"
    root = bench.do("verify", "--no-bytes")["root"]
    bench.do("promote", "fraud@1.0.0", "production")
    for name, role in (("bob", "approver"), ("audrey", "auditor")):
        bench.do("key", "new", "--out", home / name)
        key = f"{home / name}.pub"
        bench.do("policy", "add-principal", name, "--key", key, "--role", role)
    gate = ("--metric", "validation.accuracy>=0.91")
    bench.do("policy", "require", "production", "--approvals", "1", *gate)
    bench.do("policy", "review", "--sign-off", "-m", "all known")
    bench.do("promote", "fraud@1.1.0", "production", "-m", f"canary {EVIL}")
    request = "request/production/fraud/2"
    heads = {WAITING: bench.git("rev-parse", request)}
    bench.do("--key", home / "bob", "approve", "fraud#production")
    heads[APPROVED] = bench.git("rev-parse", request)
    bench.git("switch", "-qc", "edited")
    manifest = "models/fraud/versions/1.0.0/manifest.yaml"
    text = (bench.path / manifest).read_text()
    bench.commit_file(manifest, text.replace("a model", "another").encode())
    for name in ("sitecustomize", "gitmodel", "venv", "json", "pip", "setup"):
        bench.commit_file(f"{name}.py", b"import os; os.system('touch $HOME/pwned')\n")
    heads[EDITED] = bench.git("rev-parse", "HEAD")
    bench.git("switch", "-q", "main")
    (place / "server" / REPOSITORY).parent.mkdir(parents=True)
    hub = make_hub(place / "server" / f"{REPOSITORY}.git")
    bench.git("remote", "add", "origin", hub)
    off = ("-c", "core.hooksPath=/dev/null")
    refs = [
        f"{commit}:refs/{kind}/{number}/head"
        for number, commit in heads.items()
        for kind in ("pull", "merge-requests")
    ]
    bench.git(*off, "push", "-q", "origin", "main", *refs)
    return Proposed(place / "server", root, heads, (home / "audrey").read_text())


@pytest.fixture(scope="module")
def proposed(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Proposed:
    place = tmp_path_factory.mktemp("ci")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, place / "home")
        return _propose(unpack(told, place / "home", place), place)


@pytest.fixture(scope="module")
def running() -> Iterator[ForgeServer]:
    with forge_server.serving() as server:
        yield server


@pytest.fixture
def forge(running: ForgeServer) -> ForgeServer:
    running.replies.clear()
    running.heard.clear()
    return running


def machine(tmp_path: Path, name: str = "machine") -> Machine:
    return Machine(tmp_path / name)


def judged(machine: Machine, number: int, *, green: bool) -> None:
    """Insist on what holds for every system: the verdict, and that nothing was run."""
    assert green == (number == APPROVED), machine.output
    assert f"{NUMBERS[number]} " in machine.output, machine.output
    assert not list(machine.root.rglob("pwned"))
    assert set(machine.installed) == {"install --quiet gitmodel==0.1.0"}
    for file in machine.root.rglob("sitecustomize.py"):
        pytest.fail(f"{file} of the pull request was checked out")


def comments(forge: ForgeServer, path: str, author: str, *, update: str) -> None:
    """Let the forge have no comment of ours at first, then the one that was posted."""
    stored = {"id": 3, "html_url": "https://forge/3", author: user(8, kind="Bot")}
    posted = forge.requests(f"POST {path}")
    seen = [stored | {"body": posted[0].body["body"]}] if posted else []
    forge.on(f"GET {path}", seen)
    forge.on(f"POST {path}", Reply(stored, 201))
    forge.on(update, stored)


def the_comment(forge: ForgeServer, what: str) -> str:
    [sent] = forge.requests(what)
    said: str = sent.body["body"]
    token = sent.headers.get("authorization", "") + sent.headers.get(
        "private-token", ""
    )
    assert TOKEN in token
    assert said.startswith("<!-- ")
    return said


# GitHub.


def on_github(
    machine: Machine,
    proposed: Proposed,
    forge: ForgeServer,
    name: str,
    event: dict[str, Any],
) -> Runner:
    tip = proposed.tip()
    return Runner(
        machine,
        CI / "github",
        str(proposed.hub),
        {
            "event_name": name,
            "event": event,
            "sha": event.get("merge_group", {}).get("head_sha", tip),
            "ref": "refs/heads/main",
            "ref_name": "main",
            "token": TOKEN,
            "api_url": forge.url,
            "server_url": f"file://{proposed.server}",
            "repository": REPOSITORY,
        },
        {"GITMODEL_ROOT": proposed.root},
    )


def pull_request(proposed: Proposed, number: int) -> dict[str, Any]:
    return {
        "pull_request": {
            "number": number,
            "title": EVIL,
            "head": {"sha": proposed.heads[number], "ref": EVIL},
            "base": {"sha": proposed.tip(), "ref": "main"},
        }
    }


def github_comments(forge: ForgeServer, number: int) -> str:
    forge.on("GET /user", Reply({"message": "Resource not accessible"}, 403))
    path = f"/repos/{REPOSITORY}/issues/{number}/comments"
    update = f"PATCH /repos/{REPOSITORY}/issues/comments/3"
    comments(forge, path, "user", update=update)
    return path


@pytest.mark.parametrize("number", NUMBERS)
def test_github_judges_and_comments(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path, number: int
) -> None:
    runner = machine(tmp_path)
    event = pull_request(proposed, number)
    path = github_comments(forge, number)
    args = (proposed, forge, "pull_request_target", event)
    jobs = on_github(runner, *args).start("registry.yaml")

    assert {name: job.result for name, job in jobs.items()} == {
        "change": "success" if number == APPROVED else "failure",
        "comment": "success",
        "history": "skipped",
        "care": "skipped",
    }, runner.output
    judged(runner, number, green=jobs["change"].result == "success")
    said = the_comment(forge, f"POST {path}")
    report = base64.b64decode(jobs["change"].outputs["report"]).decode()
    assert said.endswith(report)


def test_github_replaces_its_comment(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    event = pull_request(proposed, WAITING)
    path = f"/repos/{REPOSITORY}/issues/{WAITING}/comments"
    for attempt in ("first", "second"):
        assert github_comments(forge, WAITING) == path
        runner = machine(tmp_path, attempt)
        args = (proposed, forge, "pull_request_target", event)
        jobs = on_github(runner, *args).start("registry.yaml")
        assert jobs["comment"].result == "success", runner.output
    assert len(forge.requests(f"POST {path}")) == 1
    the_comment(forge, f"PATCH /repos/{REPOSITORY}/issues/comments/3")


def test_github_stops_where_the_root_is_another(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    for root in ("", f"sha256:{'0' * 64}"):
        place = machine(tmp_path, f"machine-{len(root)}")
        event = pull_request(proposed, APPROVED)
        runner = on_github(place, proposed, forge, "pull_request_target", event)
        runner.variables["GITMODEL_ROOT"] = root
        jobs = runner.start("registry.yaml")
        assert (jobs["change"].result, jobs["comment"].result) == ("failure", "skipped")
        assert jobs["change"].steps["Judge what merging it would change"] == "skipped"
    assert forge.heard == []


def merged(proposed: Proposed, number: int, place: Path) -> str:
    """Return a merge of a pull request, as a forge's queue makes it."""
    git(place, "clone", "-q", "-c", "filter.lfs.smudge=", "-c",
        "filter.lfs.required=false", "-c", "filter.lfs.process=", proposed.hub,
        "queue")  # fmt: skip
    queue = place / "queue"
    git(queue, "fetch", "-q", "origin", f"refs/pull/{number}/head")
    git(queue, "merge", "-q", "--no-ff", "-m", "queued", "FETCH_HEAD")
    commit = git(queue, "rev-parse", "HEAD")
    git(queue, "push", "-q", "--no-verify", "origin", f"+HEAD:refs/queue/{number}")
    return commit


@pytest.mark.parametrize("number", NUMBERS)
def test_github_verifies_what_a_merge_queue_would_make(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path, number: int
) -> None:
    runner = machine(tmp_path)
    head = merged(proposed, number, tmp_path)
    event = {"merge_group": {"head_sha": head, "base_sha": proposed.tip()}}
    jobs = on_github(runner, proposed, forge, "merge_group", event).start(
        "registry.yaml"
    )
    result = "success" if number == APPROVED else "failure"
    assert jobs["history"].result == result, runner.output
    assert (jobs["change"].result, jobs["care"].result) == ("skipped", "skipped")
    assert not list(runner.root.rglob("pwned"))


def test_github_cares_on_a_schedule(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    runner = machine(tmp_path)
    care = on_github(runner, proposed, forge, "schedule", {})
    care.secrets = {"GITMODEL_AUDITOR_KEY": proposed.auditor}
    jobs = care.start("registry.yaml")
    assert (jobs["history"].result, jobs["care"].result) == ("success", "success"), (
        runner.output
    )
    refs = git(proposed.hub, "for-each-ref", "--format=%(refname)", "refs/gitmodel")
    assert "checkpoint" in refs
    assert not list(runner.root.rglob("auditor"))
    assert "PRIVATE KEY" not in runner.output

    without = machine(tmp_path, "without")
    jobs = on_github(without, proposed, forge, "schedule", {}).start("registry.yaml")
    assert jobs["care"].result == "success"
    assert "no checkpoint is signed" in without.output


def test_github_reviews_have_no_rights_and_do_nothing(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    runner = machine(tmp_path)
    started = on_github(runner, proposed, forge, "pull_request_review", {})
    jobs = started.start("reviews.yaml")
    assert [job.result for job in jobs.values()] == ["success"]
    assert runner.output == ""
    assert started.start("registry.yaml") == {}


# Gitea and Forgejo.


@pytest.mark.parametrize("number", NUMBERS)
def test_gitea_judges_and_comments(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path, number: int
) -> None:
    runner = machine(tmp_path)
    event = pull_request(proposed, number)
    path = github_comments(forge, number)
    forge.on("GET /user", user(8))
    jobs = gitea(runner, proposed, forge, "pull_request_target", event)
    judged(runner, number, green=jobs["change"].result == "success")
    assert jobs["comment"].result == "success", runner.output
    said = the_comment(forge, f"POST {path}")
    assert NUMBERS[number] in said or number != EDITED


def gitea(
    place: Machine, proposed: Proposed, forge: ForgeServer, name: str, event: Any
) -> dict[str, Job]:
    runner = on_github(place, proposed, forge, name, event)
    runner.workflows = CI / "gitea"
    runner.secrets = {
        "GITMODEL_FORGE_TOKEN": TOKEN,
        "GITMODEL_AUDITOR_KEY": proposed.auditor,
    }
    return runner.start("registry.yaml")


def test_gitea_cares_on_a_schedule(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    runner = machine(tmp_path)
    jobs = gitea(runner, proposed, forge, "schedule", {})
    assert jobs["history"].result == "success", runner.output
    assert set(jobs["history"].steps.values()) == {"success"}
    pushed = gitea(machine(tmp_path, "pushed"), proposed, forge, "push", {})
    assert pushed["history"].steps["Sign a checkpoint"] == "skipped"
    assert pushed["history"].result == "success"


# GitLab.


def gitlab(
    place: Machine, proposed: Proposed, forge: ForgeServer, **variables: str
) -> Pipeline:
    commit = variables.setdefault("CI_COMMIT_SHA", proposed.tip())
    given = {
        "CI_API_V4_URL": forge.url,
        "CI_SERVER_URL": "https://gitlab.example.com",
        "CI_PROJECT_PATH": REPOSITORY,
        "CI_DEFAULT_BRANCH": "main",
        "GITMODEL_ROOT": proposed.root,
        "GITLAB_TOKEN": TOKEN,
    }
    file = CI / "gitlab/registry.gitlab-ci.yml"
    return Pipeline(place, file, str(proposed.hub), given | variables, commit)


def merge_request(proposed: Proposed, number: int) -> dict[str, str]:
    return {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": str(number),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": EVIL,
        "CI_MERGE_REQUEST_TITLE": EVIL,
        "CI_COMMIT_SHA": proposed.heads[number],
    }


@pytest.mark.parametrize("number", NUMBERS)
def test_gitlab_judges_and_comments(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path, number: int
) -> None:
    runner = machine(tmp_path)
    path = f"/projects/octo%2Fregistry/merge_requests/{number}/notes"
    forge.on("GET /user", user(8))
    comments(forge, path, "author", update=f"PUT {path}/3")
    variables = merge_request(proposed, number)
    results = gitlab(runner, proposed, forge, **variables).run()
    assert set(results) == {"change", "comment"}
    judged(runner, number, green=results["change"] == "success")
    assert results["comment"] == "success", runner.output
    the_comment(forge, f"POST {path}")


def test_gitlab_leaves_no_comment_without_a_token(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    """As in the pipeline of a fork."""
    variables = merge_request(proposed, APPROVED)
    pipeline = gitlab(machine(tmp_path), proposed, forge, **variables)
    del pipeline.variables["GITLAB_TOKEN"]
    assert pipeline.run() == {"change": "success"}
    assert forge.heard == []


@pytest.mark.parametrize("number", [APPROVED, WAITING])
def test_gitlab_verifies_what_a_merge_train_would_make(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path, number: int
) -> None:
    runner = machine(tmp_path)
    variables = merge_request(proposed, number)
    variables["CI_COMMIT_SHA"] = merged(proposed, number, tmp_path)
    variables["CI_MERGE_REQUEST_EVENT_TYPE"] = "merge_train"
    results = gitlab(runner, proposed, forge, **variables).run()
    result = "success" if number == APPROVED else "failure"
    assert results == {"history": result}, runner.output


def test_gitlab_cares_on_a_schedule(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    runner = machine(tmp_path)
    key = tmp_path / "auditor"
    key.write_text(proposed.auditor)
    pipeline = gitlab(
        runner, proposed, forge, CI_PIPELINE_SOURCE="schedule",
        CI_COMMIT_BRANCH="main", AUDITOR_KEY=str(key),
    )  # fmt: skip
    assert pipeline.run() == {
        "history": "success",
        "checkpoint": "success",
        "access-review": "success",
    }, runner.output


# Jenkins.


def jenkins(
    place: Machine, proposed: Proposed, forge: ForgeServer, **variables: str
) -> Build:
    given = {
        "GITMODEL_ROOT": proposed.root,
        "GITMODEL_URL": f"file://{proposed.hub}",
        "GITMODEL_FORGE": "github",
        "GITMODEL_API": forge.url,
        "GITMODEL_REPOSITORY": REPOSITORY,
    }
    key = place.root / "audrey"
    key.write_text(proposed.auditor)
    key.chmod(0o600)
    credentials = {"gitmodel-forge-token": TOKEN, "gitmodel-auditor-key": str(key)}
    return Build(place, CI / "jenkins/Jenkinsfile", given | variables, credentials)


@pytest.mark.parametrize("number", NUMBERS)
def test_jenkins_judges_and_comments(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path, number: int
) -> None:
    runner = machine(tmp_path)
    path = github_comments(forge, number)
    forge.on("GET /user", user(8))
    results = jenkins(
        runner, proposed, forge, BRANCH_NAME=f"PR-{number}", CHANGE_ID=str(number),
        CHANGE_TARGET="main", CHANGE_BRANCH=EVIL, CHANGE_TITLE=EVIL,
    ).run()  # fmt: skip
    assert set(results) == {"Install", "Judge the change", "post"}
    judged(runner, number, green=results["Judge the change"] == "success")
    assert results["post"] == "success", runner.output
    the_comment(forge, f"POST {path}")
    assert TOKEN not in runner.output


def test_jenkins_cares_when_the_timer_says_so(
    proposed: Proposed, forge: ForgeServer, tmp_path: Path
) -> None:
    runner = machine(tmp_path)
    build = jenkins(runner, proposed, forge, BRANCH_NAME="main")
    build.timer = True
    results = build.run()
    assert set(results.values()) == {"success"}, runner.output
    assert len(results) == 4
    assert json.loads((runner.root / "workspace/review.json").read_text())["review"]
