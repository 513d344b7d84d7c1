"""Access review: who can do what, and that somebody looks at it from time to time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.operations.access_review import overdue
from tests.support.cli import gitmodel
from tests.support.clocks import opened_after

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench


@pytest.fixture
def bob(bench: Workbench) -> Path:
    """Bob's key; he is a publisher by policy 2."""
    path = bench.outside / "bob"
    assert gitmodel("key", "new", "--out", path).code == 0
    bench.do("policy", "add-principal", "bob", "--key", f"{path}.pub",
             "--role", "publisher")  # fmt: skip
    return path


def access(bench: Workbench) -> dict[str, Any]:
    return {one["principal"]: one for one in bench.do("policy", "review")["access"]}


def advice(bench: Workbench) -> list[bool]:
    checks = bench.do("doctor")["checks"]
    return [check["ok"] for check in checks if check["name"] == "access review"]


@pytest.mark.usefixtures("bob")
def test_it_says_who_can_do_what_and_since_when(bench: Workbench) -> None:
    bench.do("policy", "grant", "bob", "promoter")
    found = access(bench)["bob"]
    assert found["since"] == 2
    assert {role["role"]: role["since"] for role in found["roles"]} == {
        "publisher": 2,
        "promoter": 3,
    }


def test_what_was_taken_and_given_back_counts_from_then(
    bench: Workbench, bob: Path
) -> None:
    bench.do("policy", "remove-principal", "bob")
    bench.do("policy", "add-principal", "bob", "--key", f"{bob}.pub")
    assert access(bench)["bob"]["since"] == 4


def test_it_names_the_newest_document_that_a_key_signed(
    bench: Workbench, bob: Path
) -> None:
    assert access(bench)["bob"]["lastUse"] is None
    for version in ("1.0.0", "1.1.0"):
        file = bench.file(f"{version}.bin", version.encode())
        done = gitmodel("--key", bob, "register", "fraud", file, "--version", version,
                        "--no-capture", cwd=bench.path)  # fmt: skip
        assert done.code == 0
    bench.promote("fraud@1.0.0", "dev")
    found = access(bench)
    path = "models/fraud/versions/1.1.0/manifest.yaml"
    assert found["bob"]["lastUse"]["path"] == path
    assert found["ada"]["lastUse"]["path"] == "log/dev/fraud/1.yaml"


def test_a_file_named_for_a_key_is_no_use_of_it(bench: Workbench) -> None:
    bench.register()
    keyid = access(bench)["ada"]["keyid"]
    before = access(bench)["ada"]["lastUse"]
    bench.commit_file(f".gitmodel/policy/9.yaml.{keyid[:8]}.sigstore.json", b"{}")
    assert access(bench)["ada"]["lastUse"] == before


def test_one_principal_alone_needs_no_review(bench: Workbench) -> None:
    assert advice(bench) == []
    assert bench.do("check")["notes"] == []


@pytest.mark.usefixtures("bob")
def test_never_reviewed_is_said_by_doctor_and_check_and_refuses_nothing(
    bench: Workbench,
) -> None:
    assert advice(bench) == [False]
    [note] = bench.do("check")["notes"]
    assert "reviewed" in note
    bench.do("policy", "review", "--sign-off", "-m", "all as it should be")
    assert advice(bench) == [True]
    assert bench.do("check")["notes"] == []


@pytest.mark.usefixtures("bob")
def test_a_review_is_signed_and_part_of_the_proved_history(bench: Workbench) -> None:
    first = bench.do("policy", "review", "--sign-off", "-m", "bob is new")
    second = bench.do("policy", "review", "--sign-off", "--due", "2w")
    assert first["commit"] != second["commit"]
    assert (first["review"]["seq"], second["review"]["seq"]) == (1, 2)
    assert second["review"]["prior"] is not None
    assert first["review"]["reviewer"] == "ada"
    assert bench.verify("--history", "--full") == (0, [])


@pytest.mark.usefixtures("bob")
def test_a_review_becomes_overdue(bench: Workbench) -> None:
    bench.do("policy", "review", "--sign-off", "--due", "30d")
    for days, late in ((29, False), (31, True)):
        with opened_after(bench, timedelta(days=days)) as handle:
            said = overdue(handle.view(), handle.context.clock.now())
            assert bool(said) == late


@pytest.mark.usefixtures("bob")
def test_it_says_that_the_policy_has_changed_since(bench: Workbench) -> None:
    bench.do("policy", "review", "--sign-off")
    assert bench.do("policy", "review")["changed"] is False
    bench.do("policy", "grant", "bob", "promoter")
    assert bench.do("policy", "review")["changed"] is True


def test_only_an_auditor_or_a_root_signs_off(bench: Workbench, bob: Path) -> None:
    before = bench.snapshot()
    args = ("policy", "review", "--sign-off")
    refused = gitmodel("--json", "--key", bob, *args, cwd=bench.path)
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_ROLE")
    assert bench.snapshot() == before
    bench.do("policy", "grant", "bob", "auditor")
    assert gitmodel("--key", bob, *args, cwd=bench.path).code == 0
    assert bench.verify("--history", "--full") == (0, [])


def test_a_dry_run_signs_nothing(bench: Workbench) -> None:
    before = bench.snapshot()
    assert bench.do("policy", "review", "--sign-off", "--dry-run")["commit"] is None
    assert bench.snapshot() == before


def test_a_review_cannot_be_edited_or_taken_back(bench: Workbench) -> None:
    bench.do("policy", "review", "--sign-off", "--due", "1d")
    path = ".gitmodel/reviews/1.yaml"
    text = (bench.path / path).read_text()
    bench.commit_file(path, text.replace("dueAt: ", "dueAt:  ").encode())
    code, problems = bench.verify("--history", "--full")
    assert code == 4
    assert "E_APPEND_ONLY" in problems


def test_a_review_that_nobody_signed_does_not_count(
    bench: Workbench, bob: Path
) -> None:
    """Attack: bob, a publisher, writes a review so that nobody looks."""
    del bob
    bench.do("policy", "review", "--sign-off", "--due", "30d")
    path = ".gitmodel/reviews/1.yaml"
    text = (bench.path / path).read_text().replace("seq: 1", "seq: 2")
    bench.commit_file(path.replace("1.", "2."), text.encode())
    code, problems = bench.verify("--history", "--full")
    assert code == 4
    assert {"E_UNSIGNED", "E_REVIEW"} <= set(problems)
    assert advice(bench) == [False]


def test_an_old_review_cannot_come_again_as_a_new_one(bench: Workbench) -> None:
    bench.do("policy", "review", "--sign-off", "--due", "30d")
    for file in (bench.path / ".gitmodel/reviews").iterdir():
        name = f".gitmodel/reviews/2{file.name[1:]}"
        bench.commit_file(name, file.read_bytes())
    code, problems = bench.verify("--history", "--full")
    assert code == 4
    assert {"E_OTHER_PATH", "E_REVIEW"} & set(problems)
