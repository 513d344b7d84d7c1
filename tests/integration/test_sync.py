"""``gitmodel sync``: what was not pushed goes behind what others pushed, or is kept."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations
from tests.support.refusals import refusal, refused
from tests.support.remotes import Team, fresh, overtake, pushes

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.served import Served
    from tests.support.workbench import Workbench


def line(bench: Workbench, tip: str = "HEAD") -> list[str]:
    return bench.git("log", "--first-parent", "--format=%H", tip).split()


def in_step(team: Team) -> bool:
    return team.tip() == team.ours.git("rev-parse", "HEAD")


def redo(bench: Workbench, hints: list[str]) -> None:
    """Run what an error advises, as people would, but for what explains it."""
    for hint in hints:
        words = shlex.split(hint.partition("  ")[0])
        if words[0] == "git":
            bench.git(*words[1:])
        elif words[0] == "gitmodel":
            bench.do(*words[1:])


# --- nothing in the way ---------------------------------------------------------------


def test_when_all_is_so_already_nothing_happens(team: Team) -> None:
    before = team.ours.snapshot()
    answer = team.ours.do("sync")
    assert deviations(answer, ANSWERS["sync"]) == []
    assert (answer["status"], answer["commit"]) == ("unchanged", team.tip())
    assert team.ours.snapshot() == before


def test_it_takes_in_and_it_sends(team: Team, tmp_path: Path) -> None:
    team.theirs.do("promote", "churn@1.0.0", "dev", "--push")
    assert team.ours.do("sync")["received"] == 1
    assert in_step(team)
    team.ours.register(version="2.0.0")
    team.ours.promote("fraud@2.0.0", "dev")
    answer = team.ours.do("sync")
    assert (answer["received"], answer["sent"], answer["behind"]) == (0, 2, 0)
    assert in_step(team)
    anyone = fresh(team, tmp_path / "fresh")  # with the bytes of 2.0.0
    assert anyone.verify("--history", "--full") == (0, [])


def test_commits_of_both_are_joined_one_step_each(team: Team, tmp_path: Path) -> None:
    ours, theirs = team.ours, team.theirs
    ours.promote("fraud@1.1.0", "dev")
    ours.promote("fraud@1.2.0", "dev")  # of one pin: one merge could not bring both
    ours.register(version="2.0.0")
    ours.commit_file("notes.txt", b"mine\n")
    mine = line(ours)[:4]
    theirs.do("promote", "churn@1.0.0", "dev", "--push")
    (theirs.path / "train.sh").write_text("#!/bin/sh\n")
    (theirs.path / "train.sh").chmod(0o755)
    theirs.git("add", ".")
    theirs.git("commit", "-qm", "a program")
    theirs.git("push", "-q", "origin", "main")
    before, tip = ours.snapshot(), team.tip()
    dry = ours.do("sync", "--dry-run")
    assert (dry["received"], dry["sent"], dry["behind"]) == (2, 4, 4)
    after = ours.snapshot()
    assert (after.files, after.status, team.tip()) == (before.files, before.status, tip)
    answer = ours.do("sync")
    for each in (dry, answer):
        assert deviations(each, ANSWERS["sync"]) == []
    assert (answer["received"], answer["sent"], answer["behind"]) == (2, 4, 4)
    assert in_step(team)
    # What others had pushed is where it was, and what was made here is all there.
    assert line(ours)[4] == tip
    seconds = ours.git("log", "--first-parent", "-4", "--format=%P").splitlines()
    assert [each.split()[1] for each in seconds] == mine
    assert ours.git("status", "--porcelain") == ""
    assert (ours.path / "notes.txt").read_bytes() == b"mine\n"
    assert (ours.path / "train.sh").stat().st_mode & 0o111
    anyone = fresh(team, tmp_path / "fresh")
    assert (anyone.live("fraud", "dev"), anyone.live("churn", "dev")) == (
        "1.2.0", "1.0.0",
    )  # fmt: skip
    assert anyone.verify("--history", "--full") == (0, [])


def test_a_race_that_is_lost_is_run_again(team: Team, tmp_path: Path) -> None:
    team.ours.promote("fraud@1.1.0", "dev")
    team.theirs.do("promote", "churn@1.0.0", "dev", "--push")
    team.theirs.promote("churn@1.0.0", "staging")
    overtake(team.ours, pushes(team.theirs))
    answer = team.ours.do("sync")
    assert (answer["received"], answer["sent"]) == (2, 1)
    assert line(team.ours)[1] == team.theirs.git("rev-parse", "HEAD")
    assert fresh(team, tmp_path / "fresh").verify("--history") == (0, [])


def test_what_was_merged_the_wrong_way_round_is_put_right(
    team: Team, tmp_path: Path
) -> None:
    team.ours.promote("fraud@1.1.0", "dev")
    team.theirs.do("promote", "churn@1.0.0", "dev", "--push")
    tip = team.tip()
    team.ours.git("fetch", "-q")
    team.ours.git("merge", "-q", "--no-edit", "origin/main")
    team.ours.do("sync")
    assert tip in line(team.ours)
    assert fresh(team, tmp_path / "fresh").verify("--history") == (0, [])


def test_a_server_takes_what_was_joined(served: Served) -> None:
    ours, place = served.ours, served.ours.path.parent / "theirs"
    skip = ("-c", "filter.lfs.process=git-lfs filter-process --skip")
    ours.git(*skip, "clone", "-q", served.hub, place)
    theirs = type(ours)(place, ours.outside)
    theirs.do("promote", "fraud@1.0.0", "staging", "--push")
    ours.promote("fraud@1.1.0", "dev")
    ours.register("churn")
    answer = ours.do("sync")
    assert (answer["behind"], served.refusals()) == (2, [])
    assert served.tip() == ours.git("rev-parse", "HEAD")


def test_someone_without_a_key_syncs_plain_files(
    team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    team.theirs.do("promote", "churn@1.0.0", "dev", "--push")
    team.ours.commit_file("notes.txt", b"mine\n")
    (tmp_path / "nobody").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    team.ours.git("config", "--unset-all", "user.signingkey", ok=False)
    assert team.ours.do("sync")["behind"] == 1
    assert in_step(team)


# --- what does not hold any more ------------------------------------------------------


def test_a_pin_that_others_moved_is_not_overruled(team: Team, tmp_path: Path) -> None:
    ours = team.ours
    ours.promote("fraud@1.1.0", "dev")
    ours.register(version="2.0.0")
    mine = ours.git("rev-parse", "HEAD")
    team.theirs.do("promote", "fraud@1.2.0", "dev", "--push")
    ours.git("fetch", "-q")
    before, tip = ours.snapshot(), team.tip()
    error = refused(ours, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    assert "ada promoted fraud in dev, 1.0.0 -> 1.2.0" in error["message"]
    assert (ours.snapshot(), team.tip()) == (before, tip)
    refused(ours, "sync", "--dry-run", code=1)
    redo(ours, error["hints"])
    assert in_step(team)
    assert ours.git("branch", "--contains", mine, "--list", "mine-*")  # nothing is lost
    anyone = fresh(team, tmp_path / "fresh")
    assert anyone.live("fraud", "dev") == "1.1.0"
    assert anyone.do("show", "fraud@latest")["version"] == "2.0.0"
    assert anyone.verify("--history", "--full") == (0, [])


def test_what_rests_on_a_policy_that_was_replaced_is_done_again(
    team: Team, tmp_path: Path
) -> None:
    ours, theirs = team.ours, team.theirs
    ours.do("promote", "fraud@1.1.0", "dev", "-m", "it's better")
    theirs.do("policy", "require", "production", "--attestation", "scan", "--push")
    theirs.do("promote", "fraud@1.0.0", "staging", "--push")
    ours.git("fetch", "-q")
    answer = ours.run("--json", "promote", "churn@1.0.0", "dev", "--push")
    refusal(answer, 1, "E_DIVERGED")
    assert answer.json["error"]["hints"][0].startswith("gitmodel sync ")
    before, tip = ours.snapshot(), team.tip()
    error = refused(ours, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    assert {problem["code"] for problem in error["problems"]} >= {"E_OTHER_POLICY"}
    after = ours.snapshot()
    assert (after.refs, after.files, team.tip()) == (before.refs, before.files, tip)
    redo(ours, error["hints"])
    assert in_step(team)
    [newest, *_] = ours.do("log", "--stage", "dev")["events"]
    assert (newest["to"], newest["reason"]) == ("1.1.0", "it's better")
    assert fresh(team, tmp_path / "fresh").verify("--history") == (0, [])


def test_what_was_signed_under_a_policy_that_was_replaced_is_said_again(
    team: Team,
) -> None:
    """Picking the commits up again would bring the signatures that do not count."""
    ours = team.ours
    ours.register("score")
    ours.do("attest", "fraud@1.0.0", "review", "-m", "read")
    team.theirs.do("policy", "require", "production", "--attestation", "scan", "--push")
    error = refused(ours, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    assert error["hints"][-3:] == [
        "gitmodel register score FILE… --version 1.0.0  with all that you said of it",
        "gitmodel attest fraud@1.0.0 review …  as you did",
        "gitmodel sync",
    ]


def test_a_file_that_both_edited_is_left_to_people(team: Team) -> None:
    team.ours.commit_file("notes.txt", b"mine\n")
    team.theirs.commit_file("notes.txt", b"theirs\n")
    team.theirs.git("push", "-q", "origin", "main")
    team.ours.git("fetch", "-q")
    before = team.ours.snapshot()
    error = refused(team.ours, "sync", code=1)
    assert (error["code"], error["problems"][0]["path"]) == ("E_OVERTAKEN", "notes.txt")
    assert team.ours.snapshot() == before


def test_what_only_gitmodel_can_make_again_is_named(team: Team) -> None:
    # Both are the next late fact of one version.
    team.ours.do("attest", "fraud@1.1.0", "test", "recall=0.9")
    team.ours.commit_file("notes.txt", b"mine\n")
    facts, notes = team.ours.git("log", "-2", "--format=%h", "--abbrev=12").split()[
        ::-1
    ]
    team.theirs.do("attest", "fraud@1.1.0", "test", "recall=0.8", "--push")
    error = refused(team.ours, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    assert f"git show {facts}  is to be made again by gitmodel" in error["hints"]
    assert f"git cherry-pick {notes}" in error["hints"]
    again = [each for each in error["hints"] if not each.startswith("git show ")]
    redo(team.ours, again)
    assert in_step(team)


def test_commits_that_are_no_legal_steps_are_not_sent(team: Team) -> None:
    pin = (team.ours.path / "stages/dev/fraud.yaml").read_bytes()
    team.ours.commit_file("stages/dev/fraud.yaml", pin.replace(b"1.0.0", b"1.1.0"))
    before, tip = team.ours.snapshot(), team.tip()
    error = refused(team.ours, "sync", code=4)
    assert error["code"] in {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"}
    assert (team.ours.snapshot(), team.tip()) == (before, tip)


def test_work_in_progress_is_not_lost(team: Team) -> None:
    team.ours.promote("fraud@1.1.0", "dev")
    team.theirs.commit_file("notes.txt", b"theirs\n")
    team.theirs.git("push", "-q", "origin", "main")
    (team.ours.path / "notes.txt").write_bytes(b"mine\n")
    answer = team.ours.run("--json", "sync")
    assert answer.code == 0
    assert "your files could not follow" in answer.err
    assert (team.ours.path / "notes.txt").read_bytes() == b"mine\n"
    (team.ours.path / "notes.txt").unlink()
    team.ours.do("sync")
    assert in_step(team)
    assert team.ours.git("status", "--porcelain") == ""


def test_without_a_remote_it_says_how_to_get_one(bench: Workbench) -> None:
    for extra in ((), ("--dry-run",)):
        assert refused(bench, "sync", *extra, code=1)["code"] == "E_NO_REMOTE"
