"""``--push``: objects first, then the commit, then this clone (design section 6)."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.killer import Killer
from tests.support.refusals import refusal
from tests.support.remotes import (
    Team,
    clone,
    digests,
    fresh,
    make_hub,
    stored,
)
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.killer import Outcome


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path / "hub.git")


# --- what reaches the remote ----------------------------------------------------------


def test_the_first_push_brings_the_whole_registry_to_an_empty_remote(
    bench: Workbench, hub: Path, tmp_path: Path
) -> None:
    versions = ("1.0.0", "1.1.0")
    for version in versions:
        bench.register(version=version)
    bench.promote("fraud@1.0.0", "dev")
    bench.git("remote", "add", "origin", hub)
    result = bench.do("promote", "fraud@1.1.0", "dev", "--push")
    assert git(hub, "rev-parse", "main") == result["commit"]
    assert bench.git("rev-parse", "HEAD") == result["commit"]
    # Versions that were registered long before have their bytes there as well.
    anyone = clone(hub, tmp_path / "anyone", bench.outside, smudge=True)
    assert stored(anyone) == digests(bench, *(f"fraud@{each}" for each in versions))
    assert anyone.verify() == (0, [])
    assert bench.git("status", "--porcelain") == ""


def test_every_verb_that_writes_can_push(team: Team, tmp_path: Path) -> None:
    file = team.ours.file("new/model.bin", b"new")
    team.ours.do("register", "fraud", file, "--no-capture", "--push")
    assert team.tip() == team.ours.git("rev-parse", "HEAD")
    team.ours.do("promote", "fraud@1.2.1", "dev", "--push")
    assert team.tip() == team.ours.git("rev-parse", "HEAD")
    team.ours.do("rollback", "fraud", "dev", "-m", "x", "--push")
    assert team.tip() == team.ours.git("rev-parse", "HEAD")
    anyone = fresh(team, tmp_path / "fresh")
    assert anyone.live("fraud", "dev") == "1.0.0"
    assert anyone.verify() == (0, [])


def test_what_is_so_already_still_pushes_what_was_left_unpushed(team: Team) -> None:
    team.ours.promote("fraud@1.1.0", "dev")
    assert team.tip() != team.ours.git("rev-parse", "HEAD")
    result = team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert (result["status"], result["commit"]) == ("unchanged", None)
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


def test_lfs_files_of_the_users_own_commits_go_along(
    team: Team, tmp_path: Path
) -> None:
    # The hook of git-lfs that would upload them does not run when gitmodel pushes.
    attributes = (team.ours.path / ".gitattributes").read_text()
    (team.ours.path / ".gitattributes").write_text(f"data/** filter=lfs\n{attributes}")
    (team.ours.path / "data").mkdir()
    (team.ours.path / "data/train.csv").write_bytes(b"a,b\n1,2\n")
    team.ours.git("add", ".")
    team.ours.git("commit", "-qm", "data")
    (team.ours.path / "data/train.csv").write_bytes(b"a,b\n3,4\n")
    team.ours.git("commit", "-qam", "more data")
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    anyone = fresh(team, tmp_path / "fresh")
    assert (anyone.path / "data/train.csv").read_bytes() == b"a,b\n3,4\n"
    anyone.git("lfs", "fetch", "origin", "HEAD~2")
    assert anyone.git("lfs", "fsck", "HEAD~2") == "Git LFS fsck OK"


def test_a_large_file_of_the_users_does_not_stand_in_the_way(
    team: Team, tmp_path: Path
) -> None:
    (team.ours.path / "notebook.ipynb").write_bytes(bytes(9 << 20))
    team.ours.git("add", ".")
    team.ours.git("commit", "-qm", "large")
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    team.theirs.do("promote", "churn@1.0.0", "dev", "--push")
    assert (team.theirs.path / "notebook.ipynb").stat().st_size == 9 << 20
    assert fresh(team, tmp_path / "fresh").verify() == (0, [])


def test_what_a_merge_took_from_the_remote_is_not_asked_of_this_clone(
    team: Team,
) -> None:
    team.ours.register(version="2.0.0")
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    team.theirs.do("promote", "churn@1.0.0", "dev")
    team.theirs.git("fetch", "-q")
    skip = ("-c", "filter.lfs.process=git-lfs filter-process --skip")
    team.theirs.git(*skip, "merge", "-q", "--no-edit", "origin/main")
    team.theirs.do("promote", "churn@1.0.0", "staging", "--push")
    assert stored(team.theirs) == set()
    assert team.tip() == team.theirs.git("rev-parse", "HEAD")


def test_a_new_branch_asks_this_clone_only_for_what_no_branch_has(team: Team) -> None:
    team.theirs.git("switch", "-q", "-c", "trial")
    team.theirs.register(version="2.0.0")
    team.theirs.do("promote", "fraud@2.0.0", "dev", "--push")
    tip = git(team.hub, "rev-parse", "trial")
    assert tip == team.theirs.git("rev-parse", "HEAD")
    [new] = stored(team.theirs)
    assert (team.hub / "lfs/objects" / new[:2] / new[2:4] / new).is_file()


def test_commits_do_not_go_where_their_bytes_cannot_follow(
    team: Team, tmp_path: Path
) -> None:
    empty = make_hub(tmp_path / "empty.git")
    team.theirs.git("remote", "set-url", "origin", empty)
    before = team.theirs.snapshot()
    promote = ("promote", "fraud@1.1.0", "dev", "--push")
    refusal(team.theirs.run("--json", *promote), 1, "E_ARTIFACT_MISSING")
    assert git(empty, "for-each-ref") == ""
    assert team.theirs.snapshot() == before
    team.theirs.git("remote", "add", "old", team.hub)
    team.theirs.git("lfs", "fetch", "--all", "old")
    team.theirs.do(*promote)
    assert git(empty, "rev-parse", "main") == team.theirs.git("rev-parse", "HEAD")
    anyone = clone(empty, tmp_path / "anyone", team.ours.outside, smudge=True)
    assert anyone.verify() == (0, [])


# --- remotes that fail ----------------------------------------------------------------


def test_without_a_remote_it_says_how_to_get_one(bench: Workbench) -> None:
    bench.register()
    before = bench.snapshot()
    answer = bench.run("--json", "promote", "fraud@1.0.0", "dev", "--push")
    refusal(answer, 1, "E_NO_REMOTE")
    assert "git remote add origin" in answer.err
    assert bench.snapshot() == before


def test_a_remote_out_of_reach_is_an_outside_failure(team: Team) -> None:
    team.hub.rename(team.hub.with_name("elsewhere.git"))
    before = team.ours.snapshot()
    answer = team.ours.run("--json", "promote", "fraud@1.1.0", "dev", "--push")
    message = refusal(answer, 5, "E_REMOTE")
    assert str(team.hub) in message
    assert team.ours.snapshot() == before
    # Without the remote, work goes on; it is brought along when the remote is back.
    team.ours.promote("fraud@1.1.0", "dev")
    team.hub.with_name("elsewhere.git").rename(team.hub)
    team.ours.do("promote", "fraud@1.2.0", "dev", "--push")
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    "words",
    [
        ["Production is frozen", "until Monday, says bob"],
        ["fetch first, and read non-fast-forward rules"],
    ],
)
def test_a_refusing_hook_of_the_remote_is_quoted_and_nothing_moves(
    words: list[str], team: Team, tmp_path: Path
) -> None:
    (team.hub / "hooks").mkdir(exist_ok=True)
    hook = team.hub / "hooks/pre-receive"
    runs = tmp_path / "runs"
    said = "".join(f"echo {shlex.quote(line)}\n" for line in words)
    hook.write_text(f"#!/bin/sh\necho x >> {shlex.quote(str(runs))}\n{said}exit 1\n")
    hook.chmod(0o755)
    before, tip = team.ours.snapshot(), team.tip()
    answer = team.ours.run("--json", "promote", "fraud@1.1.0", "dev", "--push")
    message = refusal(answer, 5, "E_REMOTE_REFUSED")
    assert all(line in message for line in words)
    assert (team.ours.snapshot(), team.tip()) == (before, tip)
    assert runs.read_text() == "x\n"  # it was not asked a second time
    assert not (team.ours.path / ".git/gitmodel/journal.json").exists()
    hook.unlink()
    team.ours.do("promote", "fraud@1.2.0", "dev", "--push")
    assert team.ours.verify() == (0, [])


def test_when_objects_cannot_be_uploaded_the_commit_is_not_pushed(team: Team) -> None:
    file = team.ours.file("new/model.bin", b"new")
    team.ours.git("config", "lfs.url", "http://127.0.0.1:1/")
    team.ours.git("config", "lfs.transfer.maxRetries", "1")
    before, tip = team.ours.snapshot(), team.tip()
    register = ("register", "fraud", file, "--no-capture", "--push")
    answer = team.ours.run("--json", *register)
    message = refusal(answer, 5, "E_LFS")
    assert "connection refused" in message
    after = team.ours.snapshot()
    assert (after.refs, after.status, after.files) == (
        before.refs,
        before.status,
        before.files,
    )
    assert team.tip() == tip
    team.ours.git("config", "--unset", "lfs.url")
    team.ours.do(*register)
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


def test_without_git_lfs_only_artifacts_cannot_be_pushed(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to("/usr/bin/git")
    (tmp_path / "bin/sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    file = team.ours.file("new/model.bin", b"new")
    tip = team.tip()
    answer = team.ours.run("--json", "register", "fraud", file, "--push")
    refusal(answer, 5, "E_NO_GIT_LFS")
    assert team.tip() == tip == team.ours.git("rev-parse", "HEAD")


# --- killed ---------------------------------------------------------------------------


def _killed(team: Team, tmp_path: Path, *, steps_after_push: int) -> Outcome:
    """Kill a promotion of fraud@1.1.0 in ``team.ours`` so long after it pushed."""
    promote = ("promote", "fraud@1.1.0", "dev", "--push")
    whole = team.copy(tmp_path / "whole")
    (tmp_path / "runs").mkdir()
    with Killer(tmp_path / "runs") as killer:
        finished = killer.run(whole.ours.path, *promote)
        assert finished.code == 0, finished.err
        at = finished.steps.index("git push") + 1 + steps_after_push
        return killer.run(team.ours.path, *promote, at=at, send=signal.SIGKILL)


def test_killed_once_the_remote_has_it_this_clone_catches_up(
    team: Team, tmp_path: Path
) -> None:
    assert _killed(team, tmp_path, steps_after_push=1).state == "killed"
    bench, tip = team.ours, team.tip()
    assert tip == bench.git("rev-parse", "refs/remotes/origin/main")
    assert bench.git("rev-parse", "HEAD") == bench.git("rev-parse", f"{tip}^")
    # The next command, even one that does not push, stands on what was pushed.
    assert bench.live("fraud", "dev") == "1.1.0"
    assert bench.git("rev-parse", "HEAD") == tip
    assert bench.git("status", "--porcelain", "-uall") == ""
    bench.promote("fraud@1.2.0", "dev")
    assert bench.git("rev-parse", "HEAD~1") == tip
    assert bench.verify() == (0, [])


def test_killed_before_the_remote_has_it_nothing_has_happened(
    team: Team, tmp_path: Path
) -> None:
    bench, tip = team.ours, team.tip()
    before = bench.snapshot()
    assert _killed(team, tmp_path, steps_after_push=0).state == "killed"
    assert team.tip() == tip
    assert bench.live("fraud", "dev") == "1.0.0"
    assert bench.snapshot() == before
    assert not (bench.path / ".git/gitmodel/journal.json").exists()
    bench.do("promote", "fraud@1.1.0", "dev", "--push")
    assert team.tip() == bench.git("rev-parse", "HEAD")


# --- many at once ---------------------------------------------------------------------

_PROMOTIONS = """
import sys
import gitmodel
path, model, count = sys.argv[1:]
with gitmodel.open_registry(path) as registry:
    for number in range(int(count)):
        registry.promote(f"{model}@1.{number % 2}.0", "dev", push=True)
"""


def test_four_clones_promote_at_once_and_every_promotion_lands(
    bench: Workbench, hub: Path, tmp_path: Path
) -> None:
    models, count = ("a", "b", "c", "d"), 6
    for model in models:
        for version in ("1.0.0", "1.1.0"):
            bench.register(model, version)
    bench.git("remote", "add", "origin", hub)
    bench.git("lfs", "push", "--all", "origin")
    bench.git("push", "-q", "origin", "main")
    clones = [clone(hub, tmp_path / model, bench.outside) for model in models]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _PROMOTIONS, each.path, model, str(count)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for each, model in zip(clones, models, strict=True)
    ]
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, said
    anyone = clone(hub, tmp_path / "anyone", bench.outside, smudge=True)
    for model in models:
        events = anyone.do("log", model, "--stage", "dev")["events"]
        promoted = [event for event in events if event["action"] == "promote"]
        assert len(promoted) == count
        assert anyone.live(model, "dev") == "1.1.0"
    assert anyone.verify() == (0, [])
    for each in clones:
        assert each.git("status", "--porcelain", "-uall") == ""
