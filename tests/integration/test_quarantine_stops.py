"""Every place where something could still be used that is in quarantine."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from gitmodel.api import open_registry
from gitmodel.errors import RefusedError
from tests.support.quarantined import as_, enrol, lift, quarantine
from tests.support.refusals import found_by_verify, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.served import Served
    from tests.support.workbench import Workbench


@pytest.fixture
def sick(stocked: Workbench) -> Workbench:
    """Return a registry in which fraud@1.1.0, live in dev and staging, is in it."""
    quarantine(stocked, "fraud@1.1.0")
    return stocked


@pytest.mark.parametrize(
    "words",
    [
        ("promote", "fraud@1.1.0", "production"),
        ("promote", "fraud@1.1.0", "production", "--dry-run"),
        ("promote", "fraud#staging", "production"),
        ("rollback", "fraud", "staging", "--to", "1.1.0", "-m", "x"),
        ("pull", "fraud@1.1.0"),
        ("pull", "fraud#staging"),
    ],
)
def test_it_is_refused_with_who_when_and_why(
    sick: Workbench, words: tuple[str, ...]
) -> None:
    before = sick.snapshot()
    error = refused(sick, *words, code=3)
    assert error["code"] == "E_QUARANTINED"
    for said in ("put there by ada at 20", "INC-1", "backdoor"):
        assert said in error["message"]
    assert sick.snapshot() == before


def test_one_of_several_promotions_stops_all(sick: Workbench) -> None:
    words = ("promote", "churn@1.0.0", "fraud@1.1.0", "production")
    sick.promote("churn@1.0.0", "staging")
    before = sick.snapshot()
    assert "quarantine" in refused(sick, *words, code=3)["message"]
    assert sick.snapshot() == before


def test_check_says_so_of_a_stage_and_of_none(sick: Workbench) -> None:
    for more in (("--stage", "production"), ()):
        answer = sick.run("--json", "check", "fraud@1.1.0", *more)
        gates = [each["gate"] for each in answer.json["refusals"]]
        assert (answer.code, gates) == (3, ["quarantine"])


def test_the_last_known_good_is_another(stocked: Workbench) -> None:
    """A rollback passes over what is in quarantine, and so does everything else."""
    stocked.promote("fraud@2.0.0", "dev", "staging")
    assert stocked.do("show", "fraud@lkg#staging")["version"] == "1.1.0"
    quarantine(stocked, "fraud@1.1.0")
    assert stocked.do("show", "fraud@lkg#staging")["version"] == "1.0.0"
    rows = {r["version"]: r["status"] for r in stocked.do("list", "fraud")["versions"]}
    assert rows == {"1.0.0": "previous", "1.1.0": "quarantined", "2.0.0": "live"}
    assert stocked.do("show", "fraud@1.0.0")["status"] == "previous"
    done = stocked.do("rollback", "fraud", "staging", "-m", "x")
    assert done["to"] == "1.0.0"
    [over] = done["versionsPassedOver"]
    assert over["version"] == "1.1.0"
    assert "quarantine" in over["reason"]


def test_with_nothing_else_to_go_back_to_it_says_why(stocked: Workbench) -> None:
    quarantine(stocked, "fraud@1.0.0")
    error = refused(stocked, "rollback", "fraud", "staging", "-m", "x", code=3)
    assert error["code"] == "E_QUARANTINED"
    assert "1.0.0" in error["message"]
    refused(stocked, "show", "fraud@lkg#staging", code=1)


def test_a_request_is_neither_approved_nor_landed(stocked: Workbench) -> None:
    """Nor merged: whoever does it by hand is found."""
    bob = enrol(stocked, "bob", "approver")
    stocked.do("policy", "require", "production", "--approvals", "1")
    asked = stocked.do("promote", "fraud@1.1.0", "production")
    quarantine(stocked, "fraud@1.1.0")
    answer = as_(stocked, bob, "approve", "fraud#production")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_QUARANTINED")
    number = lift(stocked, "fraud@1.1.0")["number"]
    assert as_(stocked, bob, "approve", "fraud#production").code == 0
    assert quarantine(stocked, "fraud@1.1.0")["number"] == number + 1
    error = refused(stocked, "promote", "--finalize", "fraud#production", code=3)
    assert error["code"] == "E_QUARANTINED"
    report = stocked.run("report", "change", f"main..{asked['branch']}")
    assert (report.code, "quarantine" in report.out) == (3, True)
    stocked.git("merge", "-q", "--no-ff", "--no-edit", asked["branch"])
    assert found_by_verify(stocked, "--history") == {"E_QUARANTINED"}


def test_a_rollback_that_waits_does_not_land(stocked: Workbench) -> None:
    bob = enrol(stocked, "bob", "approver")
    stocked.do("policy", "require", "staging", "--rollback-approvals", "1")
    stocked.do("rollback", "fraud", "staging", "-m", "x")
    assert as_(stocked, bob, "approve", "fraud#staging").code == 0
    quarantine(stocked, "fraud@1.0.0")
    error = refused(stocked, "promote", "--finalize", "fraud#staging", code=3)
    assert error["code"] == "E_QUARANTINED"


@pytest.mark.parametrize("what", ["parent", "data", "artifact"])
def test_nothing_is_registered_that_comes_of_it(stocked: Workbench, what: str) -> None:
    """A stolen publisher's key cannot bring the same bytes in by another name."""
    data = stocked.file("tx.csv", b"1,2")
    file = stocked.file("new.bin", b"new")
    words: tuple[str | Path, ...] = (file, "--parent", "churn@1.0.0")
    named = "churn@1.0.0"
    if what == "data":
        words = (file, "--data", f"tx@3={data}")
        named = "--data=tx@3"
    if what == "artifact":
        words = (stocked.file("x/model.bin", b"fraud 1.1.0"), "--allow-same-bytes")
        sha256 = stocked.do("show", "fraud@1.1.0")["artifacts"][0]["sha256"]
        named = f"--digest=sha256:{sha256}"
    quarantine(stocked, *named.split("="))
    before = stocked.snapshot()
    for more in ((), ("--dry-run",)):
        words = (*words, *more)
        error = refused(stocked, "register", "card", *words, "--no-capture", code=3)
        assert error["code"] == "E_QUARANTINED"
    after = stocked.snapshot()
    assert (after.refs, after.files) == (before.refs, before.files)


def test_a_copy_of_a_version_is_that_version(sick: Workbench) -> None:
    """It has the same files, if another name, and the quarantine names no digest."""
    copy = sick.file("copy/model.bin", b"fraud 1.1.0")
    error = refused(sick, "register", "other", copy, "--no-capture", code=3)
    assert error["code"] == "E_QUARANTINED"
    assert "for fraud@1.1.0, put there" in error["message"]


def test_those_who_look_into_it_pull_it(sick: Workbench, tmp_path: Path) -> None:
    there = tmp_path / "evidence"
    done = sick.do("pull", "fraud@1.1.0", "--forensic", "-o", there)
    assert (done["status"], done["verified"]) == ("pulled", True)
    files = {path.name: path for path in there.rglob("*") if path.is_file()}
    assert files.keys() == {
        "manifest.yaml",
        "model.sig",
        "model.bin",
        "QUARANTINED.txt",
    }
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files.values()}
    assert modes == {0o400}
    assert "backdoor" in files["QUARANTINED.txt"].read_text()
    again = sick.do("pull", "fraud@1.1.0", "--forensic", "-o", there)
    assert again["status"] == "unchanged"
    lift(sick, "fraud@1.1.0")
    refused(sick, "pull", "fraud@1.1.0", "-o", there, code=1)
    sick.do("pull", "fraud@1.1.0", "-o", there, "--replace")
    assert not (there / "QUARANTINED.txt").exists()


@pytest.mark.parametrize(
    ("role", "code"),
    [("responder", 0), ("auditor", 0), ("approver", 3), ("publisher", 3)],
)
def test_only_responders_and_auditors_look_into_it(
    sick: Workbench, tmp_path: Path, role: str, code: int
) -> None:
    key = enrol(sick, role, role)
    words = ("pull", "fraud@1.1.0", "--forensic", "-o", tmp_path / "x")
    assert as_(sick, key, *words).code == code
    assert (tmp_path / "x").exists() == (code == 0)


def test_a_server_takes_in_no_promotion_of_it(served: Served) -> None:
    """Not even one that was made by a clone that had not heard of it."""
    ours = served.ours
    base = ours.git("rev-parse", "HEAD")
    ours.promote("fraud@1.1.0", "dev")
    promoted = ours.git("rev-parse", "HEAD")
    ours.git("reset", "-q", "--hard", base)
    quarantine(ours, "fraud@1.1.0")
    served.lands("main")
    ours.git("merge", "-q", "--no-edit", promoted)
    served.refuses("main", codes={"E_QUARANTINED"})


def test_python_hears_the_same(sick: Workbench) -> None:
    with open_registry(sick.path) as registry:
        with pytest.raises(RefusedError) as caught:
            registry.promote("fraud@1.1.0", "production")
        assert caught.value.code == "E_QUARANTINED"
        [held] = registry.list_quarantine()
        assert str(held.subject) == "fraud@1.1.0"
        done = registry.quarantine("fraud@1.1.0", reason="no", lift=True)
        assert done.status == "lifted"
        assert registry.list_quarantine() == ()
