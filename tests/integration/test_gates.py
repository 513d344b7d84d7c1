"""Gates: what a version must have shown, judged now and again in history (issue 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import gitmodel
from tests.support.forgery import document_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench


@pytest.fixture
def bench2(bench: Workbench) -> Workbench:
    """Return a registry with two versions, one better than the other."""
    for version, accuracy in (("1.0.0", 0.90), ("1.1.0", 0.80)):
        file = bench.file(f"{version}/model.txt", version.encode())
        bench.do(
            "register", "fraud", file, "--version", version, "--no-capture",
            "--metric", f"accuracy={accuracy}", "--metric", "test.loss=0.2",
            "--label", "team=risk",
        )  # fmt: skip
    return bench


def _require(bench: Workbench, stage: str, *options: str) -> Any:
    return bench.do("policy", "require", stage, *options)


def _refused(bench: Workbench, selector: str, stage: str) -> list[str]:
    """Return the gates that refuse; check, dry run and promote must agree."""
    check = bench.run("--json", "check", selector, "--stage", stage)
    gates = [refusal["gate"] for refusal in check.json["refusals"]]
    before = bench.snapshot()
    for extra in ((), ("--dry-run",)):
        answer = bench.run("--json", "promote", selector, stage, *extra)
        if gates:
            assert (check.code, answer.code) == (3, 3)
            problems = answer.json["error"]["problems"]
            assert [problem["gate"] for problem in problems] == gates
            assert bench.snapshot() == before
        else:
            assert (check.code, answer.code) == (0, 0)
    return gates


def test_all_refusals_are_listed_at_once(bench2: Workbench) -> None:
    _require(
        bench2, "dev", "--attestation", "scan", "--metric", "validation.accuracy>=0.95",
        "--complete", "card", "--complete", "data", "--label", "tier=1",
        "--forbid-label", "team=risk",
    )  # fmt: skip
    assert _refused(bench2, "fraud@1.0.0", "dev") == [
        "attestation", "metric", "complete", "complete", "label", "label",
    ]  # fmt: skip


def test_an_attestation_opens_the_gate_and_a_newer_failed_one_closes_it(
    bench2: Workbench,
) -> None:
    _require(bench2, "dev", "--attestation", "scan")
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["attestation"]
    bench2.do("attest", "fraud@1.0.0", "scan")
    assert _refused(bench2, "fraud@1.1.0", "dev") == ["attestation"]
    report = bench2.file("r.yaml", b"findings:\n  - message: backdoor\n")
    bench2.do("attest", "fraud@1.0.0", "scan", report)
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["attestation"]
    bench2.do("attest", "fraud@1.0.0", "scan")
    assert _refused(bench2, "fraud@1.0.0", "dev") == []
    assert bench2.verify("--history", "--full") == (0, [])


def test_history_goes_on_from_attestations_that_were_proved(bench2: Workbench) -> None:
    _require(bench2, "dev", "--attestation", "review", "--no-regression", "accuracy:1")
    for version in ("1.0.0", "1.1.0"):
        bench2.do("attest", f"fraud@{version}", "review", "-m", "good")
    bench2.promote("fraud@1.0.0", "dev")
    assert bench2.verify("--history") == (0, [])
    bench2.promote("fraud@1.1.0", "dev")
    bench2.do("attest", "fraud@1.0.0", "review", "-m", "again")
    assert bench2.do("verify", "--history", "--no-bytes")["steps"] == 2


def test_a_gate_can_ask_for_the_role(bench2: Workbench) -> None:
    _require(bench2, "dev", "--attestation", "review:auditor")
    args = ("attest", "fraud@1.0.0", "review", "-m", "read")
    bench2.do(*args, "--role", "publisher")
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["attestation"]
    bench2.do(*args, "--role", "auditor")
    assert _refused(bench2, "fraud@1.0.0", "dev") == []


def test_a_metric_is_what_was_attested_last(bench2: Workbench) -> None:
    _require(
        bench2, "dev", "--metric", "test.accuracy>=0.9", "--metric", "test.loss<=1"
    )
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["metric"]
    bench2.do("attest", "fraud@1.0.0", "test", "accuracy=0.7")
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["metric"]
    # Another type cannot hide it; a newer test can.
    bench2.do("attest", "fraud@1.0.0", "validation", "test.accuracy=0.99")
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["metric"]
    bench2.do("attest", "fraud@1.0.0", "test", "accuracy=0.9")
    assert _refused(bench2, "fraud@1.0.0", "dev") == []


def test_nothing_gets_worse_than_what_the_stage_holds(bench2: Workbench) -> None:
    _require(bench2, "dev", "--no-regression", "accuracy:0.05")
    assert _refused(bench2, "fraud@1.0.0", "dev") == []
    assert _refused(bench2, "fraud@1.1.0", "dev") == ["noRegression"]
    _require(bench2, "dev", "--no-regression", "accuracy:0.2")
    assert _refused(bench2, "fraud@1.1.0", "dev") == []
    assert bench2.verify("--history", "--full") == (0, [])


def test_what_cannot_be_compared_is_refused(bench2: Workbench) -> None:
    bench2.promote("fraud@1.0.0", "dev")
    _require(bench2, "dev", "--no-regression", "test.recall")
    assert _refused(bench2, "fraud@1.1.0", "dev") == ["noRegression"] * 2


def test_a_lower_loss_is_no_regression(bench2: Workbench) -> None:
    bench2.promote("fraud@1.0.0", "dev")
    _require(bench2, "dev", "--no-regression", "test.loss")
    bench2.do("attest", "fraud@1.1.0", "test", "loss=0.3")
    assert _refused(bench2, "fraud@1.1.0", "dev") == ["noRegression"]
    bench2.do("attest", "fraud@1.1.0", "test", "loss=0.1")
    assert _refused(bench2, "fraud@1.1.0", "dev") == []


def test_soak_time_counts_in_the_earlier_stage(bench2: Workbench) -> None:
    _require(bench2, "staging", "--soak", "dev:1h")
    assert _refused(bench2, "fraud@1.0.0", "staging") == ["from", "soak"]
    bench2.promote("fraud@1.0.0", "dev")
    assert _refused(bench2, "fraud@1.0.0", "staging") == ["soak"]


def test_what_was_rolled_back_has_not_soaked(bench2: Workbench) -> None:
    bench2.promote("fraud@1.0.0", "dev")
    bench2.promote("fraud@1.1.0", "dev")
    bench2.do("rollback", "fraud", "dev", "-m", "bad")
    _require(bench2, "staging", "--soak", "dev:1s")
    assert _refused(bench2, "fraud@1.1.0", "staging") == ["soak"]


def test_gates_do_not_stand_in_the_way_of_a_rollback(bench2: Workbench) -> None:
    bench2.promote("fraud@1.0.0", "dev")
    bench2.promote("fraud@1.1.0", "dev")
    _require(bench2, "dev", "--attestation", "scan")
    assert bench2.do("rollback", "fraud", "dev", "-m", "bad")["to"] == "1.0.0"
    assert bench2.verify("--history", "--full") == (0, [])


def test_demands_add_up_move_and_clear(bench2: Workbench) -> None:
    first = _require(
        bench2, "dev", "--metric", "accuracy>=0.5", "--attestation", "scan"
    )
    again = _require(
        bench2, "dev", "--attestation", "scan", "--metric", "accuracy>=0.5"
    )
    assert (again["version"], again["commit"]) == (first["version"], None)
    moved = _require(bench2, "dev", "--metric", "accuracy>=0.8", "--approvals", "0")
    gates = moved["policy"]["stages"]["dev"]["gates"]
    assert {"metric": {"name": "validation.accuracy", "min": 0.8}} in gates
    assert len(gates) == 2
    shown = bench2.run("policy", "show").out
    assert "scan, validation.accuracy>=0.8" in shown
    cleared = _require(bench2, "dev", "--clear-gates")
    assert "gates" not in cleared["policy"]["stages"]["dev"]
    assert bench2.verify("--history", "--full") == (0, [])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 2),
        (("--metric", "accuracy"), 2),
        (("--metric", "accuracy>=high"), 2),
        (("--attestation", "vibes"), 2),
        (("--attestation", "scan:promoter"), 3),
        (("--attestation", "scan:nobody"), 3),
        (("--metric", "accuracy>=0.9", "--metric", "accuracy<=0.8"), 3),
        (("--label", "a=1", "--forbid-label", "a=1"), 3),
        (("--soak", "production:1h"), 3),
        (("--soak", "dev:1h"), 3),
        (("--soak", "nowhere:1h"), 3),
        (("--soak", "staging:forever"), 2),
        (("--no-regression", "accuracy:-1"), 2),
        (("--approvals", "9"), 3),
    ],
)
def test_what_is_malformed_or_could_never_be_met_is_refused(
    bench: Workbench, options: tuple[str, ...], code: int
) -> None:
    before = bench.snapshot()
    assert bench.run("policy", "require", "dev", *options).code == code
    assert bench.snapshot() == before


def test_a_gate_that_no_attestor_could_open_keeps_its_last_one(
    bench: Workbench,
) -> None:
    _require(bench, "dev", "--attestation", "review:auditor")
    before = bench.snapshot()
    assert bench.run("policy", "revoke", "ada", "auditor").code == 3
    assert bench.snapshot() == before


def test_finalizing_asks_the_gates_again(bench2: Workbench, tmp_path: Path) -> None:
    key = tmp_path / "carol"
    assert gitmodel("key", "new", "--out", key).code == 0
    bench2.do(
        "policy", "add-principal", "carol", "--key", f"{key}.pub", "--role", "approver"
    )
    _require(bench2, "dev", "--approvals", "1", "--attestation", "review")
    bench2.do("attest", "fraud@1.0.0", "review", "-m", "good")
    assert bench2.do("promote", "fraud@1.0.0", "dev")["status"] == "pending"
    approved = gitmodel("--json", "--key", key, "approve", "fraud#dev", cwd=bench2.path)
    assert approved.code == 0, approved.err
    bench2.do("attest", "fraud@1.0.0", "review", "-m", "bad", "--result", "failed")
    before = bench2.snapshot()
    answer = bench2.run("--json", "promote", "--finalize", "fraud#dev")
    assert answer.code == 3
    assert [p["gate"] for p in answer.json["error"]["problems"]] == ["attestation"]
    assert bench2.snapshot() == before
    # Merging it by hand instead is found.
    bench2.git("merge", "-q", "--no-ff", "--no-edit", "request/dev/fraud/1")
    assert "E_GATE" in bench2.verify("--history", "--full")[1]


# ---- attacks


def _sneak(bench: Workbench, version: str) -> None:
    """Promote with a gitmodel that asks no gates: the transition is signed well."""
    from gitmodel.operations import promotion  # noqa: PLC0415
    from gitmodel.operations.gates import Decision  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promotion, "decide_promotion", lambda *_, **__: Decision(()))
        bench.promote(f"fraud@{version}", "dev")


@pytest.mark.parametrize(
    ("options", "gate"),
    [
        (("--attestation", "scan"), "attestation"),
        (("--metric", "accuracy>=0.99"), "metric"),
        (("--label", "tier=1"), "label"),
        (("--complete", "card"), "complete"),
        (("--no-regression", "accuracy"), "noRegression"),
    ],
)
def test_history_shows_a_promotion_that_met_no_gate(
    bench2: Workbench, options: tuple[str, ...], gate: str
) -> None:
    """Attack: a promoter with a changed gitmodel."""
    bench2.promote("fraud@1.0.0", "dev")
    assert bench2.verify("--history") == (0, [])
    _require(bench2, "dev", *options)
    _sneak(bench2, "1.1.0")
    for args in (("--history",), ("--full",)):
        answer = bench2.run("--json", "verify", *args)
        assert answer.code == 4
        [problem] = answer.json["problems"]
        assert problem["code"] == "E_GATE"
        assert problem["message"].startswith(f"{gate}: ")


def test_a_scan_that_comes_after_the_promotion_comes_too_late(
    bench2: Workbench,
) -> None:
    """Attack: promote first, attest afterwards."""
    _require(bench2, "dev", "--attestation", "scan")
    _sneak(bench2, "1.0.0")
    bench2.do("attest", "fraud@1.0.0", "scan")
    assert bench2.verify("--history", "--full") == (4, ["E_GATE"])


def test_a_tampered_attestation_closes_every_gate(bench2: Workbench) -> None:
    """Attack: spoil the signature of the one that says no."""
    _require(bench2, "dev", "--attestation", "review")
    bench2.do("attest", "fraud@1.0.0", "review", "-m", "good")
    bench2.do("attest", "fraud@1.0.0", "review", "-m", "bad", "--result", "failed")
    directory = "models/fraud/versions/1.0.0/attestations"
    [signature] = (bench2.path / directory).glob("review-2.yaml.*")
    bench2.commit_file(f"{directory}/{signature.name}", b"{}")
    assert _refused(bench2, "fraud@1.0.0", "dev") == ["attestation"]
    bench2.git("rm", "-q", "--", f"{directory}/review-2.yaml*")
    bench2.git("commit", "-qm", "hand")
    assert "E_APPEND_ONLY" in bench2.verify("--history", "--full")[1]


def test_the_policy_document_keeps_gates_when_people_change(bench: Workbench) -> None:
    _require(bench, "dev", "--attestation", "scan")
    key = bench.outside / "bob"
    assert gitmodel("key", "new", "--out", key).code == 0
    bench.do("policy", "add-principal", "bob", "--key", f"{key}.pub")
    document = document_at(bench, ".gitmodel/policy/3.yaml")
    wanted = [{"attestation": {"type": "scan", "result": "passed"}}]
    assert document["stages"]["dev"]["gates"] == wanted
