"""How many it takes to lift a quarantine is for the policy to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.workbench import Workbench


def test_more_can_be_asked_for_and_the_same_again_changes_nothing(
    bench: Workbench,
) -> None:
    bob = bench.outside / "bob"
    bench.do("key", "new", "--out", bob)
    who = ("bob", "--key", f"{bob}.pub", "--role", "approver")
    bench.do("policy", "add-principal", *who)

    done = bench.do("policy", "lift", "--threshold", "2")

    assert done["policy"]["quarantine"] == {
        "lift": {"threshold": 2, "role": "approver"}
    }
    assert "2 in the role approver lift a quarantine" in bench.run("policy", "show").out
    again = bench.do("policy", "lift", "--threshold", "2")
    assert (again["status"], again["version"]) == ("in_force", done["version"])


def test_what_is_usual_is_no_change(bench: Workbench) -> None:
    before = bench.snapshot()
    done = bench.do("policy", "lift", "--threshold", "1", "--role", "approver")
    assert done["status"] == "in_force"
    assert bench.snapshot() == before


def test_what_nobody_could_meet_is_refused(bench: Workbench) -> None:
    before = bench.snapshot()
    answer = bench.run("--json", "policy", "lift", "--threshold", "2")
    assert answer.code in {2, 3}
    assert "nobody could" in answer.json["error"]["message"]
    assert bench.snapshot() == before
