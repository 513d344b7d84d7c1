"""What a rollback took out stays out until somebody releases it (R171)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations

if TYPE_CHECKING:
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench


@pytest.fixture
def held(bench: Workbench) -> Workbench:
    """Return a registry where a rollback holds fraud@1.1.0 from dev."""
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    bench.do("rollback", "fraud", "dev", "-m", "recall fell", "--incident", "INC-1")
    return bench


def test_what_was_rolled_back_is_not_promoted_again(held: Workbench) -> None:
    before = held.snapshot()

    answer = held.run("--json", "promote", "fraud@1.1.0", "dev")

    assert answer.code == 3
    [problem] = answer.json["error"]["problems"]
    assert problem["gate"] == "hold"
    assert "recall fell" in problem["message"]
    hints = answer.json["error"]["hints"]
    assert any("gitmodel hold release fraud@1.1.0 dev" in hint for hint in hints)
    assert held.snapshot() == before
    assert held.run("check", "fraud@1.1.0", "--stage", "dev").code == 3


def test_a_release_lets_it_return_and_the_next_rollback_holds_it_again(
    held: Workbench,
) -> None:
    [hold] = held.do("hold", "list")["holds"]
    assert (hold["version"], hold["stage"], hold["seq"], hold["incident"]) == (
        "1.1.0",
        "dev",
        3,
        "INC-1",
    )

    done = held.do("hold", "release", "fraud@1.1.0", "dev", "-m", "the data was wrong")

    assert deviations(done, ANSWERS["hold release"]) == []
    assert held.do("hold", "list", "fraud")["holds"] == []
    held.promote("fraud@1.1.0", "dev")
    assert held.verify("--history", "--full") == (0, [])
    held.do("rollback", "fraud", "dev", "-m", "it was not")
    assert [hold["seq"] for hold in held.do("hold", "list")["holds"]] == [5]
    assert held.run("promote", "fraud@1.1.0", "dev").code == 3
    assert held.verify("--history", "--full") == (0, [])


def test_other_versions_and_other_stages_are_not_held(held: Workbench) -> None:
    held.register(version="1.2.0")
    held.promote("fraud@1.2.0", "dev", "staging")
    held.promote("fraud@1.1.0", "staging")
    assert held.live("fraud", "staging") == "1.1.0"


def test_what_nothing_holds_is_not_released(held: Workbench) -> None:
    answer = held.run("--json", "hold", "release", "fraud@1.0.0", "dev", "-m", "x")
    assert answer.code == 1
    assert answer.json["error"]["code"] == "E_NOT_HELD"


def test_a_dry_run_releases_nothing(held: Workbench) -> None:
    before = held.snapshot()
    held.do("hold", "release", "fraud@1.1.0", "dev", "-m", "x", "--dry-run")
    assert held.snapshot() == before


def test_only_who_may_roll_back_releases(held: Workbench) -> None:
    held.do("key", "new", "--out", held.outside / "mallory")
    public = held.outside / "mallory.pub"
    held.do("policy", "add-principal", "mallory", "--key", public, "--role", "promoter")
    before = held.snapshot()

    answer = held.run(
        "--key", held.outside / "mallory", "--json",
        "hold", "release", "fraud@1.1.0", "dev", "-m", "let me",
    )  # fmt: skip

    assert answer.code == 3
    assert answer.json["error"]["code"] == "E_ROLE"
    assert held.snapshot() == before


def test_a_forged_release_releases_nothing_and_is_named(held: Workbench) -> None:
    held.do("hold", "release", "fraud@1.1.0", "dev", "-m", "x")
    path = "log/dev/fraud/3.release.yaml"
    text = (held.path / path).read_bytes()
    signature = next((held.path / "log/dev/fraud").glob("3.release.*.sigstore.json"))
    data, name = signature.read_bytes(), signature.relative_to(held.path).as_posix()
    held.git("reset", "-q", "--hard", "HEAD~1")
    held.commit_file(path, text.replace(b"reason: x", b"reason: y"))
    held.commit_file(name, data)

    assert held.run("promote", "fraud@1.1.0", "dev").code in {3, 4}
    assert held.live("fraud", "dev") == "1.0.0"
    assert held.verify("--history", "--full") == (
        4,
        ["E_DOCUMENT_DIGEST", "E_UNSIGNED", "E_EXTRA_FILE"],
    )


def test_a_promotion_past_a_hold_is_found(held: Workbench) -> None:
    """What an older gitmodel, or one that was tampered with, may have done."""
    held.do("hold", "release", "fraud@1.1.0", "dev", "-m", "x")
    held.promote("fraud@1.1.0", "dev")
    release = held.git("rev-parse", "HEAD~1")
    held.git("checkout", "-q", "-b", "past", "HEAD")
    held.git("rebase", "-q", "--onto", f"{release}~1", release, "past")

    assert held.verify()[0] == 4
    assert "E_HELD" in held.verify()[1]
    assert "E_HELD" in held.verify("--history", "--full")[1]


def test_a_release_that_somebody_else_made_counts_after_a_fetch(team: Team) -> None:
    ada, bob = team.ours, team.theirs
    for version in ("2.0.0", "2.1.0"):
        ada.register(version=version)
        ada.promote(f"fraud@{version}", "dev")
    ada.do("rollback", "fraud", "dev", "-m", "bad", "--push")
    bob.git("pull", "-q", "--ff-only")
    ada.do("hold", "release", "fraud@2.1.0", "dev", "-m", "fixed", "--push")

    assert bob.run("promote", "fraud@2.1.0", "dev").code == 3
    assert bob.run("promote", "fraud@2.1.0", "dev", "--push").code == 0
