"""What others push meanwhile: no update is lost, and none is overruled unseen."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.refusals import refusal
from tests.support.remotes import (
    Team,
    fresh,
    overtake,
    pushes,
)

if TYPE_CHECKING:
    from tests.support.workbench import Workbench


def commits_of(bench: Workbench, path: str) -> list[str]:
    return bench.git("log", "--format=%H", "--", path).split()


# --- what others pushed ---------------------------------------------------------------


def _everyday_commits(theirs: Workbench) -> None:
    """Commit what git users commit: programs, links, removals, line endings."""
    (theirs.path / "train.sh").write_text("#!/bin/sh\necho hello\n")
    (theirs.path / "train.sh").chmod(0o755)
    (theirs.path / "latest").symlink_to("models/fraud")
    (theirs.path / "notes.txt").write_text("one\ntwo\n")
    theirs.git("add", ".")
    theirs.git("commit", "-qm", "files")
    (theirs.path / "notes.txt").write_text("one\ntwo\nthree\n")
    (theirs.path / "sub").mkdir()
    theirs.git("mv", "train.sh", "sub/train.sh")
    theirs.git("commit", "-qam", "more")
    theirs.register(version="3.0.0")
    theirs.git("lfs", "push", "origin", "main")
    theirs.git("push", "-q", "origin", "main")


@pytest.mark.parametrize("autocrlf", ["false", "true"])
def test_commits_of_others_are_taken_in_first(team: Team, autocrlf: str) -> None:
    team.ours.git("config", "core.autocrlf", autocrlf)
    (team.theirs.path / "notes.txt").write_text("one\n")
    team.theirs.git("add", ".")
    team.theirs.git("commit", "-qm", "notes")
    team.theirs.git("push", "-q", "origin", "main")
    team.ours.do("promote", "churn@1.0.0", "dev", "--push")
    team.theirs.git("pull", "-q", "--ff-only")
    _everyday_commits(team.theirs)
    result = team.ours.do("promote", "fraud@3.0.0", "dev", "--push")
    assert result["from"] == "1.0.0"
    assert team.ours.git("rev-parse", "HEAD~1") == team.theirs.git("rev-parse", "HEAD")
    assert team.ours.git("status", "--porcelain", "-uall") == ""
    assert not (team.ours.path / "train.sh").exists()
    assert os.access(team.ours.path / "sub/train.sh", os.X_OK)
    assert (team.ours.path / "latest").readlink() == Path("models/fraud")
    assert team.ours.verify("--no-bytes") == (0, [])
    lines = (team.ours.path / "notes.txt").read_bytes()
    assert lines == b"one\ntwo\nthree\n".replace(
        b"\n", b"\r\n" if autocrlf == "true" else b"\n"
    )


def test_work_in_progress_in_the_way_of_what_others_pushed_is_not_lost(
    team: Team,
) -> None:
    team.theirs.commit_file("notes.txt", b"theirs\n")
    team.theirs.git("push", "-q", "origin", "main")
    (team.ours.path / "notes.txt").write_bytes(b"mine\n")
    team.ours.git("fetch", "-q")
    before = team.ours.snapshot()
    answer = team.ours.run("--json", "promote", "fraud@1.1.0", "dev", "--push")
    refusal(answer, 1, "E_DIRTY")
    assert "notes.txt" in answer.err
    assert team.ours.snapshot() == before
    (team.ours.path / "notes.txt").unlink()
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert (team.ours.path / "notes.txt").read_bytes() == b"theirs\n"


def test_diverged_clones_are_joined_by_merges_not_by_force(
    team: Team, tmp_path: Path
) -> None:
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    team.theirs.promote("churn@1.0.0", "dev")
    team.theirs.git("fetch", "-q")
    before, tip = team.theirs.snapshot(), team.tip()
    answer = team.theirs.run("--json", "promote", "churn@1.0.0", "staging", "--push")
    refusal(answer, 1, "E_DIVERGED")
    assert (team.theirs.snapshot(), team.tip()) == (before, tip)
    [command, *_] = answer.json["error"]["hints"]
    assert command.startswith("gitmodel sync ")
    team.theirs.do("sync")
    # What others have seen stays where it is: ours comes after it.
    assert team.theirs.git("rev-parse", "HEAD~1") == tip
    team.theirs.do("promote", "churn@1.0.0", "staging", "--push")
    anyone = fresh(team, tmp_path / "fresh")
    assert anyone.live("fraud", "dev") == "1.1.0"
    assert [anyone.live("churn", stage) for stage in ("dev", "staging")] == [
        "1.0.0"
    ] * 2
    assert anyone.verify() == (0, [])


# --- races ----------------------------------------------------------------------------


def test_promotions_of_different_models_both_land(team: Team, tmp_path: Path) -> None:
    team.theirs.promote("churn@1.0.0", "dev")
    overtake(team.ours, pushes(team.theirs))
    result = team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert result["seq"] == 2
    assert team.ours.git("rev-parse", "HEAD~1") == team.theirs.git("rev-parse", "HEAD")
    anyone = fresh(team, tmp_path / "fresh")
    assert (anyone.live("churn", "dev"), anyone.live("fraud", "dev")) == (
        "1.0.0",
        "1.1.0",
    )
    assert anyone.verify() == (0, [])
    assert team.ours.git("status", "--porcelain") == ""


def test_a_race_lost_inside_the_remote_is_run_again(team: Team, tmp_path: Path) -> None:
    # Both have seen the same tip; the other push ends while ours is being received.
    team.theirs.promote("churn@1.0.0", "dev")
    marker = tmp_path / "once"
    (team.hub / "hooks").mkdir(exist_ok=True)
    hook = team.hub / "hooks/pre-receive"
    hook.write_text(
        f"#!/bin/sh\ncat >/dev/null\n[ -e {shlex.quote(str(marker))} ] && exit 0\n"
        f": > {shlex.quote(str(marker))}\n"
        "unset $(git rev-parse --local-env-vars) GIT_QUARANTINE_PATH\n"
        f"{pushes(team.theirs)}\n"
    )
    hook.chmod(0o755)
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert marker.exists()
    assert team.ours.git("rev-parse", "HEAD~1") == team.theirs.git("rev-parse", "HEAD")
    assert fresh(team, tmp_path / "fresh").verify() == (0, [])


def test_of_two_promotions_to_one_stage_the_later_one_is_told_and_asked_again(
    team: Team, tmp_path: Path
) -> None:
    team.theirs.promote("fraud@1.1.0", "dev")
    overtake(team.ours, pushes(team.theirs))
    answer = team.ours.run("--json", "promote", "fraud@1.2.0", "dev", "--push")
    message = refusal(answer, 1, "E_STAGE_MOVED")
    assert "ada promoted fraud in dev, 1.0.0 -> 1.1.0" in message
    # Theirs has landed, ours has not, and this clone knows what happened.
    assert team.tip() == team.theirs.git("rev-parse", "HEAD")
    assert team.ours.git("rev-parse", "HEAD") == team.tip()
    assert team.ours.live("fraud", "dev") == "1.1.0"
    assert team.ours.git("status", "--porcelain") == ""
    result = team.ours.do("promote", "fraud@1.2.0", "dev", "--push")
    assert (result["from"], result["seq"]) == ("1.1.0", 3)
    assert fresh(team, tmp_path / "fresh").verify() == (0, [])


def test_it_makes_no_difference_how_long_ago_the_other_promotion_was(
    team: Team,
) -> None:
    team.theirs.do("promote", "fraud@1.1.0", "dev", "--push")
    answer = team.ours.run("--json", "promote", "fraud@1.2.0", "dev", "--push")
    refusal(answer, 1, "E_STAGE_MOVED")
    team.ours.do("promote", "fraud@1.2.0", "dev", "--push")


def test_a_promotion_does_not_bring_back_what_others_have_just_rolled_back(
    team: Team,
) -> None:
    # The stage holds what it held, and yet has moved twice.
    team.theirs.do("promote", "fraud@1.1.0", "dev", "--push")
    team.theirs.git("lfs", "pull")
    team.theirs.do("rollback", "fraud", "dev", "-m", "1.1.0 is bad", "--push")
    answer = team.ours.run("--json", "promote", "fraud@1.1.0", "dev", "--push")
    assert "1.1.0 -> 1.0.0" in refusal(answer, 1, "E_STAGE_MOVED")
    assert team.ours.live("fraud", "dev") == "1.0.0"


def test_two_people_who_promote_the_same_version_are_both_content(team: Team) -> None:
    team.theirs.promote("fraud@1.1.0", "dev")
    overtake(team.ours, pushes(team.theirs))
    result = team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert (result["status"], result["commit"]) == ("unchanged", None)
    assert team.tip() == team.theirs.git("rev-parse", "HEAD")
    assert len(commits_of(team.ours, "stages/dev/fraud.yaml")) == 2


def test_two_people_who_roll_back_do_so_once(team: Team) -> None:
    for version in ("1.1.0", "1.2.0"):
        team.ours.do("promote", f"fraud@{version}", "dev", "--push")
    team.theirs.git("pull", "-q", "--ff-only")
    team.theirs.git("lfs", "pull")
    team.theirs.do("rollback", "fraud", "dev", "-m", "bad")
    overtake(team.ours, pushes(team.theirs))
    answer = team.ours.run("--json", "rollback", "fraud", "dev", "-m", "bad", "--push")
    assert "ada rolled back fraud in dev, 1.2.0 -> 1.1.0" in refusal(
        answer, 1, "E_STAGE_MOVED"
    )
    assert team.ours.live("fraud", "dev") == "1.1.0"


@pytest.mark.parametrize("selector", ["fraud@latest", "fraud#dev"])
def test_a_selector_that_names_another_version_by_now_is_asked_again(
    selector: str, team: Team
) -> None:
    team.ours.do("promote", "fraud@1.2.0", "dev", "--push")
    team.theirs.git("pull", "-q", "--ff-only")
    team.theirs.register(version="1.3.0")
    team.theirs.do("promote", "fraud@1.3.0", "dev", "--push")
    answer = team.ours.run("--json", "promote", selector, "staging", "--push")
    assert "fraud@1.3.0" in refusal(answer, 1, "E_SELECTOR_MOVED")
    assert team.ours.live("fraud", "staging") is None
    assert team.ours.do("promote", selector, "staging", "--push")["version"] == "1.3.0"


def test_other_stages_of_the_same_model_do_not_matter(team: Team) -> None:
    team.theirs.promote("fraud@1.0.0", "staging")
    overtake(team.ours, pushes(team.theirs))
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert [team.ours.live("fraud", stage) for stage in ("dev", "staging")] == [
        "1.1.0",
        "1.0.0",
    ]


def test_the_same_version_cannot_be_registered_twice(team: Team) -> None:
    team.theirs.register(version="2.0.0", data=b"theirs")
    team.theirs.git("lfs", "push", "origin", "main")
    overtake(team.ours, pushes(team.theirs))
    file = team.ours.file("mine/model.bin", b"mine")
    register = ("register", "fraud", file, "--no-capture", "--push")
    answer = team.ours.run("--json", *register, "--version", "2.0.0")
    assert answer.code == 1
    assert "2.0.0" in answer.json["error"]["message"]
    assert team.tip() == team.theirs.git("rev-parse", "HEAD")


def test_a_version_number_that_was_not_asked_for_moves_on(
    team: Team, tmp_path: Path
) -> None:
    team.theirs.register(version="1.2.1", data=b"theirs")
    team.theirs.git("lfs", "push", "origin", "main")
    overtake(team.ours, pushes(team.theirs))
    file = team.ours.file("mine/model.bin", b"mine")
    result = team.ours.do("register", "fraud", file, "--no-capture", "--push")
    assert result["version"] == "1.2.2"
    assert fresh(team, tmp_path / "fresh").verify() == (0, [])


def test_a_commit_made_here_while_pushing_is_kept_and_so_is_the_change(
    team: Team,
) -> None:
    before = team.ours.git("rev-parse", "HEAD")
    here = f"git -C {shlex.quote(str(team.ours.path))}"
    overtake(team.ours, f"{here} commit -q --allow-empty -m mine")
    answer = team.ours.run("--json", "promote", "fraud@1.1.0", "dev", "--push")
    assert answer.code == 0
    assert answer.json["commit"] == team.tip()
    assert "gitmodel sync" in answer.err
    assert team.ours.git("rev-parse", "HEAD~1") == before
    assert team.ours.git("status", "--porcelain") == ""
    team.ours.do("sync")
    assert team.tip() == team.ours.git("rev-parse", "HEAD")
    assert team.ours.live("fraud", "dev") == "1.1.0"
    assert team.ours.verify() == (0, [])
