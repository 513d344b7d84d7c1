"""``promote --pr``: the request is pushed, and a pull request is there, once."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import gitmodel
from tests.support.contract import ANSWERS
from tests.support.forge_server import (
    ForgeServer,
    Reply,
    gitea_pull,
    github_pull,
    gitlab_merge,
    serving,
    user,
)
from tests.support.json_keys import deviations
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.remotes import Team

BRANCH = "request/staging/fraud/1"
PULLS = "/repos/octo/registry/pulls"
ASK = ("promote", "fraud@1.0.0", "staging", "--pr")


@pytest.fixture
def forge() -> Iterator[ForgeServer]:
    with serving() as running:
        running.on(f"GET {PULLS}", [])
        yield running


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    return "t0ken"


def at(forge: ForgeServer, kind: str = "github") -> tuple[str, ...]:
    return ("--forge", kind, "--api", forge.url, "--repository", "octo/registry")


def pull(number: int = 5) -> dict[str, Any]:
    made = github_pull(number, "a" * 40)
    made["head"] |= {"ref": BRANCH}
    return made


def hub_has(team: Team, ref: str) -> bool:
    return bool(git(team.hub, "for-each-ref", ref))


@pytest.mark.usefixtures("token")
def test_the_branch_is_pushed_and_the_pull_request_opened_once(
    team: Team, forge: ForgeServer
) -> None:
    forge.on(f"POST {PULLS}", Reply(pull(), 201))
    asked = team.ours.do(*ASK, "-m", "canary passed", *at(forge))

    assert deviations(asked, ANSWERS["promote"]) == []
    assert (asked["status"], asked["branch"]) == ("pending", BRANCH)
    assert asked["pullRequest"] == {
        "url": "https://github.com/octo/registry/pull/5", "number": 5,
        "status": "opened",
    }  # fmt: skip
    assert git(team.hub, "rev-parse", BRANCH) == asked["commit"]
    assert team.ours.live("fraud", "staging") is None  # though nobody has to agree
    [sent] = forge.requests(f"POST {PULLS}")
    assert (sent.body["head"], sent.body["base"]) == (BRANCH, "main")
    assert sent.body["title"] == "Promote fraud 1.0.0 to staging"
    for words in ("canary passed", "### Gates", "All are met", asked["transition"]):
        assert words in sent.body["body"]

    forge.on(f"GET {PULLS}", [pull()])
    again = team.ours.do(*ASK, *at(forge))
    assert again["pullRequest"] == asked["pullRequest"] | {"status": "found"}
    assert (again["commit"], again["transition"]) == (None, asked["transition"])
    assert len(forge.requests(f"POST {PULLS}")) == 1

    landed = team.ours.do("promote", "--finalize", "fraud#staging", "--push")
    assert landed["status"] == "promoted"
    assert not hub_has(team, f"refs/heads/{BRANCH}")


@pytest.mark.usefixtures("token")
def test_another_request_for_the_same_pin_is_in_the_way(
    team: Team, forge: ForgeServer
) -> None:
    forge.on(f"POST {PULLS}", Reply(pull(), 201))
    team.ours.do(*ASK, *at(forge))
    team.ours.do("promote", "fraud@1.1.0", "dev")
    before = team.ours.snapshot()
    answer = team.ours.run(
        "--json", "promote", "fraud@1.1.0", "staging", "--pr", *at(forge)
    )
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_REQUEST_OPEN")
    assert team.ours.snapshot().files == before.files


@pytest.mark.usefixtures("token")
def test_a_pull_request_that_somebody_else_opened_meanwhile_is_found(
    team: Team, forge: ForgeServer
) -> None:
    forge.on(f"GET {PULLS}", [], [pull(6)])
    exists = {"message": "Validation Failed", "errors": [{"message": "exists"}]}
    forge.on(f"POST {PULLS}", Reply(exists, 422))
    asked = team.ours.do(*ASK, *at(forge))
    assert (asked["pullRequest"]["number"], asked["pullRequest"]["status"]) == (
        6, "found",
    )  # fmt: skip


@pytest.mark.usefixtures("token")
def test_a_forge_that_fails_leaves_a_request_that_can_be_tried_again(
    team: Team, forge: ForgeServer
) -> None:
    forge.on(f"POST {PULLS}", Reply({"message": "no"}, 403))
    failed = team.ours.run("--json", *ASK, *at(forge))
    assert (failed.code, failed.json["error"]["code"]) == (5, "E_FORGE_RIGHTS")
    assert "read and write access to pull requests" in failed.err
    assert hub_has(team, f"refs/heads/{BRANCH}")
    forge.on(f"POST {PULLS}", Reply(pull(), 201))
    assert team.ours.do(*ASK, *at(forge))["pullRequest"]["number"] == 5


def test_nothing_is_asked_where_it_is_not_clear_which_forge_it_is(team: Team) -> None:
    before = team.ours.snapshot()
    answer = team.ours.run("--json", *ASK)
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_FORGE_UNKNOWN")
    assert team.ours.snapshot() == before


def test_a_dry_run_asks_nobody(team: Team, forge: ForgeServer) -> None:
    before = team.ours.snapshot()
    answer = team.ours.do(*ASK, "--dry-run", *at(forge))
    assert (answer["status"], answer["pullRequest"]) == ("pending", None)
    assert (team.ours.snapshot(), forge.heard) == (before, [])


def test_a_gitlab_merge_request_and_a_forgejo_pull_request_are_opened(
    team: Team, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "t0ken")
    monkeypatch.setenv("FORGEJO_TOKEN", "t0ken")
    merges = "/projects/octo%2Fregistry/merge_requests"
    forge.on(f"GET {merges}", [])
    forge.on(f"POST {merges}", Reply(gitlab_merge(5, "a" * 40), 201))
    forge.on(f"POST {PULLS}", Reply(gitea_pull(6, "a" * 40), 201))
    made = team.ours.do(*ASK, *at(forge, "gitlab"))
    assert made["pullRequest"]["number"] == 5
    [sent] = forge.requests(f"POST {merges}")
    assert sent.body["source_branch"] == BRANCH
    made = team.ours.do(*ASK, *at(forge, "forgejo"))
    assert made["pullRequest"]["number"] == 6


# Without a token.


def note_options(team: Team, *said: str, options: bool = True) -> Path:
    """Let the remote take push options, note them, and say something."""
    git(team.hub, "config", "receive.advertisePushOptions", str(options).lower())
    heard = team.hub / "heard"
    lines = "\n".join(f"echo {shlex.quote(line)} >&2" for line in said)
    hook = team.hub / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        '#!/bin/sh\ni=0\nwhile [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do\n'
        f'eval "echo \\"\\$GIT_PUSH_OPTION_$i\\"" >> {shlex.quote(str(heard))}\n'
        f"i=$((i+1))\ndone\n{lines}\nexit 0\n"
    )
    hook.chmod(0o755)
    return heard


def test_gitlab_opens_a_merge_request_for_push_options(
    team: Team, forge: ForgeServer
) -> None:
    url = f"http://127.0.0.1:{forge.port}/octo/registry/-/merge_requests/9"
    heard = note_options(team, "View merge request:", f"  {url}", "http://evil.test/1")
    asked = team.ours.do(*ASK, *at(forge, "gitlab"))
    assert asked["pullRequest"] == {"url": url, "number": 9, "status": "opened"}
    assert heard.read_text().splitlines() == [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Promote fraud 1.0.0 to staging",
    ]
    assert forge.heard == []


def test_forgejo_opens_a_pull_request_for_a_push_to_refs_for(
    team: Team, forge: ForgeServer
) -> None:
    url = f"http://127.0.0.1:{forge.port}/octo/registry/pulls/3"
    heard = note_options(team, "Visit the existing pull request:", f"  {url}")
    asked = team.ours.do(*ASK, *at(forge, "forgejo"))
    assert asked["pullRequest"] == {"url": url, "number": 3, "status": "opened"}
    assert heard.read_text().splitlines() == [
        f"topic={BRANCH}", "title=Promote fraud 1.0.0 to staging",
    ]  # fmt: skip
    assert hub_has(team, f"refs/heads/{BRANCH}")
    assert hub_has(team, "refs/for/main")


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"])
def test_where_nothing_helps_the_page_is_named(
    team: Team, forge: ForgeServer, kind: str
) -> None:
    note_options(team, options=False)
    answer = team.ours.run(*ASK, *at(forge, kind))
    assert answer.code == 0, answer.err
    assert f"open it at http://127.0.0.1:{forge.port}/octo/registry/" in answer.out
    assert hub_has(team, f"refs/heads/{BRANCH}")
    assert forge.heard == []


# What the pull request says.


@pytest.mark.usefixtures("token")
def test_what_people_wrote_stays_text(team: Team, forge: ForgeServer) -> None:
    forge.on(f"POST {PULLS}", Reply(pull(), 201))
    reason = (
        "ok\n/merge\n@octocat ```\n<img src=x onerror=1> [x](http://evil) \u202egnp"
    )
    team.ours.do(*ASK, "-m", reason, *at(forge))
    [sent] = forge.requests(f"POST {PULLS}")
    text = sent.body["body"]
    start, end = text.index("````text\n"), text.index("\n````\n")
    for words in ("/merge", "@octocat", "<img", "](http"):
        assert start < text.index(words) < end
    assert "\u202e" not in text


@pytest.mark.usefixtures("token")
def test_a_rollback_by_pull_request_compares_with_what_is_live(
    team: Team, forge: ForgeServer
) -> None:
    team.ours.do("promote", "fraud@1.1.0", "dev")
    made = pull()
    made["head"] |= {"ref": "request/dev/fraud/3"}
    forge.on(f"POST {PULLS}", Reply(made, 201))
    asked = team.ours.do(
        "rollback", "fraud", "dev", "-m", "it drifts", "--pr", *at(forge)
    )
    assert deviations(asked, ANSWERS["rollback"]) == []
    assert (asked["status"], asked["pullRequest"]["number"]) == ("pending", 5)
    [sent] = forge.requests(f"POST {PULLS}")
    assert sent.body["title"] == "Roll fraud in dev back to 1.0.0"
    assert "`model.bin`" in sent.body["body"]
    assert team.ours.live("fraud", "dev") == "1.1.0"


@pytest.mark.usefixtures("token")
def test_the_comment_is_kept_up_to_date(team: Team, forge: ForgeServer) -> None:
    forge.on(f"POST {PULLS}", Reply(pull(), 201))
    team.ours.do(*ASK, *at(forge))
    comments = "/repos/octo/registry/issues/5/comments"
    stored = {"id": 3, "html_url": "https://x/3", "user": user(8)}
    forge.on("GET /user", user(8))
    forge.on(f"GET {comments}", [])
    forge.on(f"POST {comments}", Reply(stored, 201))
    command = ("forge", "comment", "fraud#staging", "--pr", "5", *at(forge))
    first = team.ours.do(*command)
    assert deviations(first, ANSWERS["forge comment"]) == []
    [sent] = forge.requests(f"POST {comments}")
    forge.on(f"GET {comments}", [stored | {"body": sent.body["body"]}])
    forge.on("PATCH /repos/octo/registry/issues/comments/3", stored)
    assert team.ours.do(*command) == first == {"pullRequest": 5, "url": "https://x/3"}
    assert len(forge.requests(f"POST {comments}")) == 1


@pytest.mark.usefixtures("token")
def test_a_text_is_posted_in_place_without_any_clone(
    forge: ForgeServer, tmp_path: Path
) -> None:
    comments = "/repos/octo/registry/issues/5/comments"
    stored = {"id": 3, "html_url": "https://x/3", "user": user(8)}
    forge.on("GET /user", user(8))
    forge.on(f"GET {comments}", [])
    forge.on(f"POST {comments}", Reply(stored, 201))
    file = tmp_path / "report.md"
    file.write_text("### ready\n")
    command = ("forge", "comment", "--pr", "5", "--from", str(file), *at(forge))
    assert gitmodel(*command, cwd=tmp_path).code == 0
    [sent] = forge.requests(f"POST {comments}")
    assert sent.body["body"].endswith("\n### ready\n")
    forge.on(f"GET {comments}", [stored | {"body": sent.body["body"]}])
    forge.on("PATCH /repos/octo/registry/issues/comments/3", stored)
    assert gitmodel(*command, cwd=tmp_path).code == 0
    assert len(forge.requests(f"POST {comments}")) == 1


@pytest.mark.parametrize("data", [b"", b" \n", b"\xff\xfe", b"x" * 65_001])
def test_what_is_no_comment_is_not_posted(
    forge: ForgeServer, tmp_path: Path, data: bytes
) -> None:
    file = tmp_path / "report.md"
    file.write_bytes(data)
    command = ("forge", "comment", "--pr", "5", *at(forge), "--from")
    assert gitmodel(*command, file, cwd=tmp_path).code == 2
    assert gitmodel(*command, tmp_path / "none", cwd=tmp_path).code == 1
    assert gitmodel(*command, file, "fraud#dev", cwd=tmp_path).code == 2
    assert gitmodel(*command[:-1], cwd=tmp_path).code == 2
    assert forge.heard == []
