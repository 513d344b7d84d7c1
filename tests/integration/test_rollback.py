"""Rollback is a revert that keeps the log (R138, R141 to R144; seeds D1 to D3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench


def _three_versions(bench: Workbench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")


def test_goes_back_to_the_last_known_good_and_gives_back_its_bytes(
    bench: Workbench,
) -> None:
    bench.register(version="1.0.0")
    bench.promote("fraud@1.0.0", "dev")
    pin = (bench.path / "stages/dev/fraud.yaml").read_bytes()
    bench.register(version="1.1.0")
    [promotion] = bench.promote("fraud@1.1.0", "dev")

    result = bench.do(
        "rollback", "fraud", "dev", "-m", "recall fell", "--incident", "I1"
    )

    assert (result["status"], result["from"], result["to"]) == (
        "rolled_back",
        "1.1.0",
        "1.0.0",
    )
    assert result["reverts"] == [promotion["commit"]]
    assert (bench.path / "stages/dev/fraud.yaml").read_bytes() == pin
    message = bench.git("log", "-1", "--format=%B")
    assert f"This reverts commit {promotion['commit']}." in message
    assert "recall fell" in message
    assert bench.git("status", "--porcelain") == ""
    # The log keeps everything: the revert took nothing away.
    assert [event["action"] for event in bench.do("log", "fraud")["events"]] == [
        "rollback",
        "promote",
        "register",
        "promote",
        "register",
    ]
    assert bench.verify() == (0, [])


def test_plain_git_revert_of_the_same_commit_gives_the_same_pin(
    bench: Workbench,
) -> None:
    bench.register(version="1.0.0")
    bench.register(version="1.1.0")
    bench.promote("fraud@1.0.0", "dev")
    [promotion] = bench.promote("fraud@1.1.0", "dev")
    bench.do("rollback", "fraud", "dev", "-m", "x")
    ours = bench.git("rev-parse", "HEAD:stages/dev/fraud.yaml")
    bench.git("reset", "-q", "--hard", promotion["commit"])
    bench.git("revert", "--no-edit", promotion["commit"])
    assert bench.git("rev-parse", "HEAD:stages/dev/fraud.yaml") == ours


def test_several_promotions_back_reverts_each_of_them(bench: Workbench) -> None:
    _three_versions(bench)
    result = bench.do("rollback", "fraud", "dev", "--to", "1.0.0", "-m", "x")
    assert result["to"] == "1.0.0"
    assert len(result["reverts"]) == 2
    assert bench.live("fraud", "dev") == "1.0.0"
    assert bench.verify() == (0, [])


def test_a_rollback_can_be_rolled_back_by_name_and_promoted_again(
    bench: Workbench,
) -> None:
    _three_versions(bench)
    first = bench.do("rollback", "fraud", "dev", "-m", "wrong alarm")
    assert first["to"] == "1.1.0"
    back = bench.do("rollback", "fraud", "dev", "--to", "1.2.0", "-m", "it was fine")
    assert back["reverts"] == [first["commit"]]
    assert bench.live("fraud", "dev") == "1.2.0"
    bench.do("rollback", "fraud", "dev", "--to", "1.0.0", "-m", "x")
    bench.do("hold", "release", "fraud@1.2.0", "dev", "-m", "it was fine")
    bench.do("promote", "fraud@1.2.0", "dev")
    assert bench.live("fraud", "dev") == "1.2.0"
    assert bench.verify() == (0, [])


def test_what_left_by_a_rollback_is_no_known_good(bench: Workbench) -> None:
    _three_versions(bench)
    bench.do("rollback", "fraud", "dev", "-m", "1.2.0 is bad")
    bench.do("rollback", "fraud", "dev", "-m", "1.1.0 is bad too")
    assert bench.live("fraud", "dev") == "1.0.0"
    before = bench.snapshot()
    answer = bench.run("--json", "rollback", "fraud", "dev", "-m", "and now?")
    assert answer.code == 1
    assert answer.json["error"]["code"] == "E_NO_KNOWN_GOOD"
    assert "--to" in answer.err
    assert bench.snapshot() == before


def test_interleaved_models_stages_and_foreign_commits(bench: Workbench) -> None:
    for version in ("1.0.0", "2.0.0"):
        for model in ("fraud", "churn"):
            bench.register(model, version)
            bench.promote(f"{model}@{version}", "dev", "staging")
            bench.commit_file(f"notes-{model}-{version}.txt", b"a colleague's note")
    bench.do("rollback", "churn", "staging", "-m", "x")
    bench.commit_file("README.md", b"hello")
    bench.do("rollback", "fraud", "dev", "-m", "y")
    assert [
        bench.live(m, s) for m in ("fraud", "churn") for s in ("dev", "staging")
    ] == [
        "1.0.0",
        "2.0.0",
        "2.0.0",
        "1.0.0",
    ]
    assert bench.verify() == (0, [])


def test_the_plan_changes_nothing_and_shows_the_cost(bench: Workbench) -> None:
    good, better = bench.file("a.bin", b"a"), bench.file("b.bin", b"b")
    bench.do("register", "fraud", good, "--metric", "accuracy=0.90", "--no-capture")
    bench.do("register", "fraud", better, "--metric", "accuracy=0.95", "--no-capture")
    bench.promote("fraud@1.0.0", "dev")
    bench.promote("fraud@1.0.1", "dev")
    before = bench.snapshot()
    plan = bench.do("rollback", "fraud", "dev", "--plan")
    assert (plan["status"], plan["commit"]) == ("planned", None)
    [delta] = plan["metrics"]
    assert delta["verdict"] == "worse"
    assert bench.snapshot() == before


def test_a_target_with_tampered_bytes_is_refused_and_the_next_one_taken(
    bench: Workbench,
) -> None:
    _three_versions(bench)
    broken = bench.do("show", "fraud@1.1.0")["artifacts"][0]["sha256"]
    target = bench.object_path(broken)
    target.chmod(0o644)
    target.write_bytes(b"X" * target.stat().st_size)
    before = bench.snapshot()
    named = bench.run("rollback", "fraud", "dev", "--to", "1.1.0", "-m", "x")
    assert named.code == 4
    assert bench.snapshot() == before
    result = bench.do("rollback", "fraud", "dev", "-m", "x")
    assert result["to"] == "1.0.0"
    assert [skip["version"] for skip in result["versionsPassedOver"]] == ["1.1.0"]


def test_a_target_without_bytes_here_is_missing_not_corrupt(bench: Workbench) -> None:
    bench.register(version="1.0.0")
    bench.register(version="1.1.0")
    bench.promote("fraud@1.0.0", "dev")
    bench.promote("fraud@1.1.0", "dev")
    gone = bench.do("show", "fraud@1.0.0")["artifacts"][0]["sha256"]
    bench.object_path(gone).unlink()
    before = bench.snapshot()
    answer = bench.run("--json", "rollback", "fraud", "dev", "-m", "x")
    assert answer.code == 1
    assert answer.json["error"]["code"] == "E_ARTIFACT_MISSING"
    assert "gitmodel pull" in answer.err
    assert bench.snapshot() == before


def test_the_best_target_is_fetched_not_passed_over(team: Team) -> None:
    """A clone has the bytes of an older version; that decides nothing."""
    for version in ("1.1.0", "1.2.0"):
        team.ours.promote(f"fraud@{version}", "dev")
    team.ours.git("push", "-q", "origin", "main")
    theirs = team.theirs
    theirs.git("pull", "-q", "--ff-only")
    theirs.do("pull", "fraud@1.0.0", "-o", theirs.outside / "old")
    plan = theirs.do("rollback", "fraud", "dev", "--plan")
    assert (plan["to"], plan["versionsPassedOver"]) == ("1.1.0", [])
    done = theirs.do("rollback", "fraud", "dev", "-m", "worse", "--push")
    assert done["to"] == "1.1.0"
    # Where nobody has them, the next one is taken, and that is said.
    gone = theirs.do("show", "fraud@1.1.0")["artifacts"][0]["sha256"]
    theirs.do("hold", "release", "fraud@1.2.0", "dev", "-m", "wrong alarm")
    theirs.do("promote", "fraud@1.2.0", "dev")
    theirs.object_path(gone).unlink()
    there = team.ours.object_path(gone).relative_to(team.ours.path / ".git")
    (team.hub / there).unlink()
    other = theirs.do("rollback", "fraud", "dev", "-m", "worse again")
    assert other["to"] == "1.0.0"
    assert [skip["version"] for skip in other["versionsPassedOver"]] == ["1.1.0"]


def test_a_version_that_was_never_there_is_a_promotion_not_a_rollback(
    bench: Workbench,
) -> None:
    _three_versions(bench)
    bench.register(version="2.0.0")
    answer = bench.run("--json", "rollback", "fraud", "dev", "--to", "2.0.0", "-m", "x")
    assert answer.code == 1
    assert answer.json["error"]["code"] == "E_ROLLBACK_TO_NEVER_PROMOTED"


def test_a_rollback_needs_a_reason(bench: Workbench) -> None:
    _three_versions(bench)
    assert bench.run("rollback", "fraud", "dev").code == 2
    assert bench.run("rollback", "fraud", "dev", "-m", "  ").code == 2


def test_to_what_the_stage_holds_is_done_already(bench: Workbench) -> None:
    _three_versions(bench)
    before = bench.snapshot()
    result = bench.do("rollback", "fraud", "dev", "--to", "1.2.0", "-m", "x")
    assert (result["status"], result["commit"]) == ("unchanged", None)
    assert bench.snapshot() == before
