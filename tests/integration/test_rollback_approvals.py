"""Rollbacks that others must approve first (R145)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

BRANCH = "request/staging/fraud/3"


@pytest.fixture
def guarded(stocked: Workbench) -> Workbench:
    """Return a registry in which bob must approve a rollback of staging."""
    key = stocked.outside / "bob"
    gitmodel("key", "new", "--out", key)
    add = ("policy", "add-principal", "bob", "--key", f"{key}.pub")
    stocked.do(*add, "--role", "approver")
    stocked.do("policy", "require", "staging", "--rollback-approvals", "1")
    return stocked


def _bob(bench: Workbench, *args: str) -> Answer:
    return gitmodel("--json", "--key", bench.outside / "bob", *args, cwd=bench.path)


def _ask(bench: Workbench) -> Any:
    reason = ("-m", "recall fell", "--incident", "INC-1")
    return bench.do("rollback", "fraud", "staging", *reason)


def test_a_rollback_waits_for_its_approvals_and_lands(guarded: Workbench) -> None:
    asked = _ask(guarded)
    assert (asked["status"], asked["branch"]) == ("pending", BRANCH)
    assert asked["needed"] == ["staging asks for 1 approval in the role approver"]
    assert guarded.live("fraud", "staging") == "1.1.0"
    [row] = guarded.do("requests")["requests"]
    assert (row["kind"], row["from"], row["version"]) == ("rollback", "1.1.0", "1.0.0")
    early = guarded.run("--json", "promote", "--finalize", "fraud#staging")
    assert (early.code, early.json["error"]["code"]) == (3, "E_THRESHOLD")
    assert _bob(guarded, "approve", "fraud#staging").json["status"] == "approved"
    landed = guarded.do("promote", "--finalize", "fraud#staging")
    assert (landed["status"], landed["approvals"]) == ("rolled_back", ["bob"])
    assert guarded.live("fraud", "staging") == "1.0.0"
    said = guarded.git("log", "-1", "--format=%B")
    assert "This reverts commit" in said
    assert "Gitmodel-Incident: INC-1" in said
    assert guarded.git("diff", "HEAD~3:stages", "HEAD:stages", "--stat") != ""
    assert guarded.verify("--history", "--full") == (0, [])
    [event, *_] = guarded.do("log", "fraud", "--stage", "staging")["events"]
    assert (event["action"], event["approvers"]) == ("rollback", ["bob"])


@pytest.mark.parametrize("how", ["--ff-only", "--squash"])
def test_a_plain_merge_of_an_approved_rollback_is_legal(
    guarded: Workbench, how: str
) -> None:
    _ask(guarded)
    _bob(guarded, "approve", BRANCH)
    guarded.git("merge", "-q", how, BRANCH)
    if how == "--squash":
        guarded.git("commit", "-qm", "roll back")
    assert guarded.live("fraud", "staging") == "1.0.0"
    assert guarded.verify("--history", "--full") == (0, [])


def test_a_rollback_without_its_approvals_is_found(guarded: Workbench) -> None:
    _ask(guarded)
    guarded.git("merge", "-q", BRANCH)
    assert guarded.verify("--history", "--no-bytes") == (4, ["E_THRESHOLD"])
    assert "E_THRESHOLD" in guarded.verify("--no-bytes")[1]


def test_who_asks_for_a_rollback_cannot_approve_it(guarded: Workbench) -> None:
    _ask(guarded)
    before = guarded.snapshot()
    answer = guarded.run("--json", "approve", BRANCH)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_SELF_APPROVAL")
    assert guarded.snapshot() == before


def test_a_rejected_rollback_does_not_land(guarded: Workbench) -> None:
    _ask(guarded)
    assert _bob(guarded, "reject", BRANCH, "-m", "no").code == 0
    before = guarded.snapshot()
    answer = guarded.run("--json", "promote", "--finalize", "fraud#staging")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_REJECTED")
    assert guarded.snapshot() == before


def test_bytes_that_went_bad_meanwhile_are_not_rolled_back_to(
    guarded: Workbench,
) -> None:
    _ask(guarded)
    _bob(guarded, "approve", BRANCH)
    guarded.tamper("fraud@1.0.0")
    before = guarded.snapshot()
    answer = guarded.run("--json", "promote", "--finalize", "fraud#staging")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_ARTIFACT_DIGEST")
    assert guarded.snapshot() == before


def test_a_plan_says_what_would_be_needed(guarded: Workbench) -> None:
    before = guarded.snapshot()
    plan = guarded.do("rollback", "fraud", "staging", "--plan")
    assert (plan["status"], plan["branch"], len(plan["needed"])) == (
        "planned",
        BRANCH,
        1,
    )
    assert guarded.snapshot() == before


def test_another_role_can_be_made_to_roll_back(guarded: Workbench) -> None:
    guarded.do("policy", "require", "dev", "--rollback-role", "auditor")
    before = guarded.snapshot()
    answer = _bob(guarded, "rollback", "fraud", "dev", "-m", "x")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert guarded.snapshot() == before
    guarded.do("policy", "grant", "bob", "auditor")
    assert _bob(guarded, "rollback", "fraud", "dev", "-m", "x").code == 0
    assert guarded.verify("--history", "--full") == (0, [])
