"""``doctor`` asks the remote: is it the right one, complete, and who can read it?"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import gitmodel
from tests.support.faulty_lfs import FaultyLfs, Reply, Request, serving
from tests.support.remotes import Team, clone, digests, make_hub
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

SECRET = base64.b64encode(b"ada:secret").decode()


@pytest.fixture
def server() -> Iterator[FaultyLfs]:
    with serving() as running:
        yield running


@pytest.fixture
def hosted(team: Team, server: FaultyLfs) -> Team:
    """Return clones whose bytes are on a server that anybody can read."""
    for oid in digests(team.ours, "fraud@1.0.0", "fraud@1.1.0", "fraud@1.2.0", "churn"):
        server.objects[oid] = team.ours.object_path(oid).read_bytes()
    for bench in (team.ours, team.theirs):
        bench.git("config", "lfs.url", server.url)
    return team


def checks(bench: Workbench, *options: str, code: int = 0) -> dict[str, Any]:
    before = bench.snapshot()
    answer = bench.run("--json", "doctor", *options)
    after = bench.snapshot()
    assert (after.files, after.objects) == (before.files, before.objects)
    assert answer.code == code, answer.out
    return {check["name"]: check for check in answer.json["checks"]}


def closed(request: Request, reply: Reply) -> Reply:
    """Let in only those who know the password."""
    if request.headers.get("authorization") == f"Basic {SECRET}":
        return reply
    return Reply(401, b"", {"WWW-Authenticate": 'Basic realm="models"'})


def keep_password(bench: Workbench) -> None:
    helper = "!f() { echo username=ada; echo password=secret; }; f"
    bench.git("config", "credential.helper", helper)


# --- the server -----------------------------------------------------------------------


def test_a_complete_server_that_anybody_can_read_is_advised_against(
    hosted: Team, server: FaultyLfs
) -> None:
    found = checks(hosted.ours)
    assert found["lfs server"]["found"] == server.url
    assert found["lfs objects"]["found"] == "origin has all 4"
    readers = found["lfs readers"]
    assert (readers["ok"], readers["required"]) == (False, False)
    assert "without credentials" in readers["found"]
    assert server.asked("download") == []
    # Who means it can say so, and hears of it no more.
    hosted.ours.git("config", "gitmodel.public", "true")
    assert checks(hosted.ours)["lfs readers"]["ok"]


def test_with_a_password_a_closed_server_is_asked_and_found_closed(
    hosted: Team, server: FaultyLfs
) -> None:
    server.spoil["batch"] = closed
    keep_password(hosted.ours)
    found = checks(hosted.ours)
    assert found["lfs readers"] == {
        "name": "lfs readers",
        "ok": True,
        "required": True,
        "found": "not without credentials",
        "hint": "",
    }
    assert found["lfs objects"]["ok"]


def test_the_header_that_ci_jobs_set_is_used_too(
    hosted: Team, server: FaultyLfs
) -> None:
    server.spoil["batch"] = closed
    setting = f"http.http://127.0.0.1:{server.port}/.extraHeader"
    hosted.ours.git("config", setting, f"AUTHORIZATION: basic {SECRET}")
    server.spoil["batch"] = lambda request, reply: (
        reply if SECRET in request.headers.get("authorization", "") else Reply(403)
    )
    assert checks(hosted.ours)["lfs objects"]["ok"]


def test_without_a_password_it_says_who_should_know_one(
    hosted: Team, server: FaultyLfs
) -> None:
    server.spoil["batch"] = closed
    found = checks(hosted.ours, code=1)["lfs server"]
    assert "HTTP 401" in found["found"]
    assert "git config credential.helper" in found["hint"]
    assert "Authorization" not in hosted.ours.run("doctor").out


def test_what_the_server_has_lost_is_counted_and_named(
    hosted: Team, server: FaultyLfs
) -> None:
    [lost] = digests(hosted.ours, "fraud@1.1.0")
    kept = server.objects.pop(lost)
    found = checks(hosted.theirs, code=1)["lfs objects"]
    path = "models/fraud/versions/1.1.0/artifacts/model.bin"
    assert found["found"] == f"origin lacks 1 of 4, such as {path}"
    # The advice helps, in the clone that has the bytes.
    assert found["hint"].startswith("git lfs push --all origin ")
    hosted.ours.git("lfs", "push", "--all", "origin")
    assert server.objects[lost] == kept
    assert checks(hosted.theirs)["lfs objects"]["ok"]


def test_many_objects_are_asked_for_a_hundred_at_a_time(
    hosted: Team, server: FaultyLfs
) -> None:
    for number in range(230):
        hosted.ours.file(f"many/{number}.bin", f"part {number}".encode())
    many = hosted.ours.outside / "many"
    hosted.ours.do("register", "many", many, "--no-capture", "--push")
    last = max(digests(hosted.ours, "many"))
    del server.objects[last]
    server.requests.clear()
    found = checks(hosted.ours, code=1)["lfs objects"]["found"]
    assert found.startswith("origin lacks 1 of 234, ")
    sizes = [len(each.json["objects"]) for each in server.asked("batch")]
    assert sorted(sizes) == [1, 34, 100, 100]


def _page(*_: object) -> Reply:
    return Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"})


def _redirect(*_: object) -> Reply:
    return Reply(307, headers={"Location": "http://localhost:1/"})


BROKEN = {
    "a page": (_page, "does not answer as an LFS server does"),
    "a list": (lambda *_: Reply.of([]), "does not answer as an LFS server does"),
    "a redirect": (_redirect, "HTTP 307"),
    "failure": (lambda *_: Reply.of({"message": "the reason"}, 500), "the reason"),
    "nothing there": (lambda *_: Reply(404), "HTTP 404"),
    "endless": (lambda *_: Reply(200, bytes(9 << 20)), "longer than"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_lfs_server_is_found(
    name: str, hosted: Team, server: FaultyLfs
) -> None:
    server.spoil["batch"], words = BROKEN[name]
    found = checks(hosted.ours, code=1)["lfs server"]
    assert words in found["found"]
    assert found["hint"]
    assert "lfs objects" not in checks(hosted.ours, code=1)


def test_a_server_that_is_down_is_found_and_offline_nobody_asks(hosted: Team) -> None:
    hosted.ours.git("config", "lfs.url", "http://ada:pass@127.0.0.1:1/lfs")
    found = checks(hosted.ours, code=1)["lfs server"]["found"]
    assert found.startswith("http://127.0.0.1:1/lfs: it cannot be reached")
    assert (
        not {"lfs server", "remote commits"} & checks(hosted.ours, "--offline").keys()
    )


# --- the repository -------------------------------------------------------------------


def test_a_repository_on_this_disk_is_looked_into(team: Team) -> None:
    found = checks(team.theirs)
    assert found["lfs objects"]["found"] == "origin has all 4"
    assert found["remote commits"]["ok"]
    [oid] = digests(team.ours, "fraud@1.0.0")
    (team.hub / "lfs/objects" / oid[:2] / oid[2:4] / oid).unlink()
    for url in (team.hub, team.hub.as_uri()):
        team.theirs.git("remote", "set-url", "origin", url)
        found = checks(team.theirs, code=1)
        assert "lacks 1 of 4" in found["lfs objects"]["found"]


def test_another_clone_as_the_remote_is_looked_into(team: Team, tmp_path: Path) -> None:
    anyone = clone(team.ours.path, tmp_path / "anyone", team.ours.outside)
    assert checks(anyone)["lfs objects"]["found"] == "origin has all 4"
    team.ours.object_path(*digests(team.ours, "churn")).unlink()
    assert "churn" in checks(anyone, code=1)["lfs objects"]["found"]


def test_how_this_clone_stands_to_its_remote_is_said_with_the_next_command(
    team: Team,
) -> None:
    team.theirs.promote("fraud@1.1.0", "dev")
    ahead = checks(team.theirs)["remote commits"]
    assert (ahead["ok"], ahead["hint"]) == (False, "git push origin main")
    team.ours.do("promote", "churn@1.0.0", "dev", "--push")
    assert checks(team.theirs)["remote commits"]["hint"] == "git merge origin/main"
    team.theirs.git("reset", "-q", "--hard", "HEAD~1")
    behind = checks(team.theirs)["remote commits"]
    assert behind["hint"] == "git merge --ff-only origin/main"
    team.theirs.git(*behind["hint"].split()[1:])
    assert checks(team.theirs)["remote commits"]["ok"]


def test_a_wrong_remote_is_found_whatever_it_is(team: Team, tmp_path: Path) -> None:
    hub = make_hub(team.hub.with_name("other.git"))
    ours = team.ours
    ours.git("remote", "set-url", "origin", hub)
    assert "nothing was pushed" in checks(ours)["remote commits"]["found"]
    answer = gitmodel("init", "--principal", "eve", tmp_path / "eve")
    assert answer.code == 0, answer.err
    git(tmp_path / "eve", "push", "-q", hub, "main")
    found = checks(ours, code=1)["remote commits"]
    assert "another registry" in found["found"]
    assert found["hint"].startswith("git remote set-url origin")
    ours.git("remote", "set-url", "origin", hub.with_name("nowhere.git"))
    assert checks(ours, code=1)["remote commits"]["required"]


@pytest.mark.parametrize("name", ["main", "origin/main", "HEAD"])
def test_a_tag_that_git_takes_for_a_branch_is_found(name: str, team: Team) -> None:
    assert checks(team.ours)["tags"]["ok"]
    team.ours.git("update-ref", f"refs/tags/{name}", "HEAD~1")
    found = checks(team.ours)["tags"]
    assert (found["ok"], name in found["found"]) == (False, True)
    team.ours.git("tag", "-d", name)
    assert checks(team.ours)["tags"]["ok"]
