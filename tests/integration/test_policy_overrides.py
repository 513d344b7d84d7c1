"""What a stage asks for: of all models, of one, and from a sensitivity on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel
from tests.support.isolation import isolate
from tests.support.workbench import Workbench, unpack

if TYPE_CHECKING:
    from pathlib import Path

BRANCH = "request/dev/fraud/1"
PEOPLE = {"bob": ("approver",), "carol": ("approver",), "dave": ("auditor",)}


@pytest.fixture(scope="session")
def staffed_made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the registry that ``staffed`` copies."""
    root = tmp_path_factory.mktemp("staffed")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(template, root / "home", root)
        for name, roles in PEOPLE.items():
            key = bench.outside / name
            gitmodel("key", "new", "--out", key)
            options = [word for role in roles for word in ("--role", role)]
            add = ("policy", "add-principal", name, "--key", f"{key}.pub")
            bench.do(*add, *options)
        for model in ("fraud", "churn"):
            bench.register(model)
    return root


@pytest.fixture
def staffed(staffed_made: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return a registry with approvers bob and carol, auditor dave, and two models."""
    bench = unpack(staffed_made, home, tmp_path)
    for name in PEOPLE:
        key = bench.outside / name
        key.write_bytes((staffed_made / "outside" / name).read_bytes())
        key.chmod(0o600)
    return bench


def _require(bench: Workbench, *options: str) -> Any:
    return bench.do("policy", "require", "dev", *options)


def _as(bench: Workbench, name: str, *args: str) -> Answer:
    return gitmodel("--json", "--key", bench.outside / name, *args, cwd=bench.path)


def _asked(bench: Workbench, model: str) -> list[str]:
    """Return what a promotion to dev waits for; check and the dry run must agree."""
    check = bench.run("--json", "check", model, "--stage", "dev").json
    said = [each["message"] for each in check["refusals"]]
    needed: list[str] = bench.do("promote", f"{model}@1.0.0", "dev", "--dry-run")[
        "needed"
    ]
    assert said == needed
    return needed


def test_a_model_can_be_asked_for_more_than_others(staffed: Workbench) -> None:
    _require(staffed, "--approvals", "1")
    _require(staffed, "--model", "fraud", "--approvals", "2")
    assert _asked(staffed, "churn") == ["dev asks for 1 approval in the role approver"]
    assert _asked(staffed, "fraud") == ["dev asks for 2 approvals in the role approver"]
    staffed.do("promote", "fraud@1.0.0", "dev")
    assert _as(staffed, "bob", "approve", "fraud#dev").json["status"] == "open"
    before = staffed.snapshot()
    early = staffed.run("--json", "promote", "--finalize", "fraud#dev")
    assert (early.code, early.json["error"]["code"]) == (3, "E_THRESHOLD")
    assert staffed.snapshot() == before
    assert _as(staffed, "carol", "approve", "fraud#dev").json["status"] == "approved"
    staffed.do("promote", "--finalize", "fraud#dev")
    assert staffed.verify("--history", "--full") == (0, [])


def test_attack_a_merge_with_what_the_stage_asks_and_not_the_model(
    staffed: Workbench,
) -> None:
    """One approval is enough for the stage, and not for fraud."""
    _require(staffed, "--approvals", "1")
    _require(staffed, "--model", "fraud", "--approvals", "2")
    staffed.do("promote", "fraud@1.0.0", "dev")
    _as(staffed, "bob", "approve", "fraud#dev")
    staffed.git("merge", "-q", BRANCH)
    assert staffed.verify("--history", "--no-bytes") == (4, ["E_THRESHOLD"])
    assert "E_THRESHOLD" in staffed.verify("--no-bytes")[1]


def test_another_role_comes_on_top(staffed: Workbench) -> None:
    """Approvers of the stage and an auditor for what is restricted: both must say so.

    Each approves as what lacks; what fraud is asked for, churn is not.
    """
    _require(staffed, "--approvals", "1")
    audit = ("--sensitivity", "restricted", "--approvals", "1", "--role", "auditor")
    _require(staffed, *audit)
    staffed.do("policy", "sensitivity", "--default", "internal")
    staffed.do("policy", "sensitivity", "fraud", "restricted")
    assert len(_asked(staffed, "churn")) == 1
    assert _asked(staffed, "fraud") == [
        "dev asks for 1 approval in the role approver",
        "dev asks for 1 approval in the role auditor",
    ]
    staffed.do("promote", "fraud@1.0.0", "dev")
    for name in ("bob", "carol"):
        row = _as(staffed, name, "approve", "fraud#dev").json
        assert row["status"] == "open"
        assert row["needed"] == ["1 more of 1 approval in the role auditor"]
    assert _as(staffed, "dave", "approve", "fraud#dev").json["status"] == "approved"
    staffed.do("promote", "--finalize", "fraud#dev")
    assert staffed.verify("--history", "--full") == (0, [])


def test_who_has_two_roles_is_heard_in_the_one_that_lacks(staffed: Workbench) -> None:
    staffed.do("policy", "grant", "bob", "auditor")
    _require(staffed, "--approvals", "1")
    _require(staffed, "--model", "fraud", "--approvals", "1", "--role", "auditor")
    staffed.do("promote", "fraud@1.0.0", "dev")
    _as(staffed, "carol", "approve", "fraud#dev")
    assert _as(staffed, "bob", "approve", "fraud#dev").json["status"] == "approved"


def test_what_nobody_declared_is_restricted(staffed: Workbench) -> None:
    _require(staffed, "--sensitivity", "internal", "--approvals", "2")
    assert len(_asked(staffed, "churn")) == 1
    staffed.do("policy", "sensitivity", "churn", "public")
    assert _asked(staffed, "churn") == []
    staffed.do("policy", "sensitivity", "churn", "internal")
    assert len(_asked(staffed, "churn")) == 1
    assert len(_asked(staffed, "fraud")) == 1


def test_gates_soaks_and_freezes_of_a_model_come_on_top(staffed: Workbench) -> None:
    window = "2020-01-01..2999-01-01=migration"
    _require(staffed, "--metric", "test.recall>=0.5")
    _require(staffed, "--model", "fraud", "--metric", "test.recall>=0.9",
             "--attestation", "scan", "--freeze", window)  # fmt: skip
    staffed.do("policy", "require", "staging", "--model", "fraud", "--soak", "24h")
    for model, gates in (
        ("churn", ["metric"]),
        ("fraud", ["freeze", "metric", "attestation", "metric"]),
    ):
        answer = staffed.run("--json", "promote", f"{model}@1.0.0", "dev")
        found = [each["gate"] for each in answer.json["error"]["problems"]]
        assert (answer.code, found) == (3, gates)
    answer = staffed.run("--json", "check", "fraud", "--stage", "staging")
    assert [r["gate"] for r in answer.json["refusals"]] == ["from", "soak"]


def test_what_the_history_says_is_judged_by_the_rules_of_the_model(
    staffed: Workbench,
) -> None:
    """A promotion of before stays legal; the next one is asked for more."""
    staffed.promote("fraud@1.0.0", "dev")
    _require(staffed, "--model", "FRAUD", "--approvals", "1")
    assert staffed.verify("--history", "--full") == (0, [])
    staffed.register(version="1.1.0")
    asked = staffed.do("promote", "fraud@1.1.0", "dev")
    assert asked["status"] == "pending"


def test_direct_approvals_are_asked_for_and_shown(staffed: Workbench) -> None:
    done = _require(staffed, "--approvals", "2", "--direct", "1")
    own = done["policy"]["stages"]["dev"]["approvals"]
    assert own == {"threshold": 2, "role": "approver", "direct": 1}
    assert "2 by approver, 1 direct" in staffed.run("policy", "show").out
    assert "1 of them direct" in _asked(staffed, "fraud")[0]
    none = _require(staffed, "--direct", "0")["policy"]["stages"]["dev"]["approvals"]
    assert "direct" not in none


def test_a_freeze_comes_and_goes(staffed: Workbench) -> None:
    _require(staffed, "--freeze", "2020-01-01..2020-02-01", "--freeze",
             "2020-03-01T10:00:00Z..2999-01-01T00:00:00Z=audit")  # fmt: skip
    answer = staffed.run("promote", "fraud@1.0.0", "dev")
    assert (answer.code, "audit" in answer.err) == (3, True)
    assert "freeze 2020-01-01T00:00:00Z" in staffed.run("policy", "show").out
    _require(staffed, "--unfreeze")
    assert staffed.do("promote", "fraud@1.0.0", "dev")["status"] == "promoted"


def test_the_role_that_approves_and_the_soak_can_be_changed(
    staffed: Workbench,
) -> None:
    _require(staffed, "--approvals", "1", "--role", "auditor")
    staffed.do("policy", "require", "staging", "--soak", "36h")
    stages = staffed.do("policy", "show")["policy"]["stages"]
    assert stages["dev"]["approvals"] == {"threshold": 1, "role": "auditor"}
    assert stages["staging"]["soak"] == "36h"
    staffed.do("promote", "fraud@1.0.0", "dev")
    assert _as(staffed, "bob", "approve", "fraud#dev").code == 3
    assert _as(staffed, "dave", "approve", "fraud#dev").json["status"] == "approved"


def test_what_is_asked_of_a_model_is_shown_and_can_be_cleared(
    staffed: Workbench,
) -> None:
    _require(staffed, "--model", "fraud", "--approvals", "2", "--metric", "recall>=0.9")
    shown = staffed.run("policy", "show").out
    assert "dev    fraud  2 by approver       validation.recall>=0.9" in shown
    same = _require(staffed, "--model", "fraud", "--approvals", "2")
    assert same["status"] == "in_force"
    cleared = _require(staffed, "--model", "fraud", "--clear-gates")
    assert "models" not in cleared["policy"]["stages"]["dev"]
    assert _asked(staffed, "fraud") == []


def test_a_model_that_is_not_here_is_said(staffed: Workbench) -> None:
    answer = staffed.run("policy", "require", "dev", "--model", "frod", "--soak",
                         "dev:1h", "--dry-run")  # fmt: skip
    assert answer.code == 3
    answer = staffed.run("policy", "require", "dev", "--model", "frod", "--approvals",
                         "1")  # fmt: skip
    assert (answer.code, "There is no model frod here yet" in answer.err) == (0, True)


@pytest.mark.parametrize(
    ("before", "options", "code", "error"),
    [
        ("2", ("--model", "fraud", "--approvals", "1"), 3, "E_POLICY_WEAKER"),
        ("2", ("--sensitivity", "public", "--approvals", "1"), 3, "E_POLICY_WEAKER"),
        ("1", ("--model", "fraud", "--approvals", "9"), 3, "E_POLICY"),
        ("1", ("--approvals", "3"), 3, "E_POLICY"),
        ("1", ("--direct", "2"), 3, "E_POLICY"),
        ("1", ("--role", "collector", "--approvals", "2"), 3, "E_POLICY"),
        ("1", ("--rollback-approvals", "9"), 3, "E_POLICY"),
        ("1", ("--model", "fraud", "--rollback-approvals", "1"), 2, "E_INPUT"),
        ("1", ("--model", "fraud", "--sensitivity", "public", "--soak", "1h"), 2,
         "E_INPUT"),
        ("1", ("--model", "fraud"), 2, "E_INPUT"),
        ("1", ("--model", "../x", "--approvals", "1"), 2, "E_NAME"),
        ("1", ("--soak", "24h"), 3, "E_POLICY"),
        ("1", ("--model", "fraud", "--soak", "24h"), 3, "E_POLICY"),
        ("1", ("--freeze", "2026-01-02"), 2, "E_INPUT"),
        ("1", ("--freeze", "2026-01-02..2026-01-01"), 2, "E_POLICY"),
        ("1", ("--freeze", "tomorrow..2026-01-01"), 2, "E_POLICY"),
        ("1", ("--soak", "1h", "--soak", "2h"), 2, "E_INPUT"),
    ],
)  # fmt: skip
def test_what_weakens_or_could_never_be_met_is_refused(
    staffed: Workbench, before: str, options: tuple[str, ...], code: int, error: str
) -> None:
    _require(staffed, "--approvals", before)
    snapshot = staffed.snapshot()
    answer = staffed.run("--json", "policy", "require", "dev", *options)
    assert (answer.code, answer.json["error"]["code"]) == (code, error), answer.err
    assert staffed.snapshot() == snapshot


def test_a_stage_cannot_be_raised_above_what_a_model_is_asked_for(
    staffed: Workbench,
) -> None:
    """The model's own word would then be less than the stage's: raise it first."""
    _require(staffed, "--model", "fraud", "--approvals", "1")
    before = staffed.snapshot()
    assert staffed.run("policy", "require", "dev", "--approvals", "2").code == 3
    assert staffed.snapshot() == before
    _require(staffed, "--model", "fraud", "--approvals", "2")
    _require(staffed, "--approvals", "2")


def test_somebody_is_removed_even_if_approvals_can_then_not_be_met(
    staffed: Workbench,
) -> None:
    """A stolen key must go at once; what it leaves is said."""
    _require(staffed, "--approvals", "2")
    answer = staffed.run("policy", "remove-principal", "carol")
    assert answer.code == 0
    assert "nobody can meet this: a promotion to dev asks for 2" in answer.err
