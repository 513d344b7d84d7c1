"""Who may do what: attacks by people who have some rights, and want others'."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.lock import exclusive
from gitmodel.adapters.signing import keys
from gitmodel.registry import layout
from tests.support.cli import gitmodel
from tests.support.forgery import (
    Forged,
    commit_files,
    digest_at,
    document_at,
    forge_version,
    signature,
    signed,
)
from tests.support.refusals import refused

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.served import Served
    from tests.support.workbench import Workbench

REQUEST = "request/production/fraud/1"
OTHER = f"sha256:{'1' * 64}"


@pytest.fixture
def peopled(stocked: Workbench) -> Workbench:
    """Return a registry with carol and bob, who are roots and approvers beside ada.

    Carol has two keys. One approval lets a version into production.
    """
    for name in ("carol", "laptop", "bob"):
        gitmodel("key", "new", "--out", stocked.outside / name)
    key = ("--key", stocked.outside / "carol.pub", "--key")
    roles = ("--role", "approver", "--role", "root")
    stocked.do("policy", "add-principal", "carol", *key,
               stocked.outside / "laptop.pub", *roles)  # fmt: skip
    stocked.do("policy", "add-principal", "bob", "--key",
               stocked.outside / "bob.pub", *roles)  # fmt: skip
    stocked.do("policy", "require", "production", "--approvals", "1")
    return stocked


def _key(bench: Workbench, name: str) -> tuple[str, Path]:
    return "--key", bench.outside / name


def _roll_back_to_nothing(bench: Workbench, stage: str) -> None:
    """Empty a stage by a rollback, which its responder may sign alone."""
    directory = layout.log_dir(stage, "fraud")
    names = bench.git("ls-tree", "--name-only", f"HEAD:{directory}").splitlines()
    newest = sum(name.endswith(".yaml") for name in names)
    last = layout.transition_path(stage, "fraud", newest)
    document = document_at(bench, last)
    document |= {
        "action": "rollback",
        "seq": newest + 1,
        "prior": str(digest_at(bench, last)),
        "from": document["to"],
        "to": None,
        "pin": None,
    }
    path = layout.transition_path(stage, "fraud", newest + 1)
    files = signed(bench, path, document, Forged(role="responder"))
    commit_files(bench, {**files, layout.pin_path(stage, "fraud"): None})


@pytest.mark.parametrize("how", [(), ("--history",), ("--history", "--full")])
def test_a_rollback_to_nothing(stocked: Workbench, how: tuple[str, ...]) -> None:
    _roll_back_to_nothing(stocked, "staging")
    found = stocked.verify("--no-bytes", *how)
    assert found == (4, ["E_ROLLBACK_TO_NEVER_PROMOTED"])


def test_a_rollback_to_nothing_that_is_pushed(served: Served) -> None:
    _roll_back_to_nothing(served.ours, "dev")
    served.refuses("main", codes={"E_ROLLBACK_TO_NEVER_PROMOTED"})


def test_nobody_acts_by_a_policy_that_a_root_rejected(peopled: Workbench) -> None:
    """Two of three have signed it, the third said no, and it was merged by hand."""
    bob, carol = _key(peopled, "bob"), _key(peopled, "carol")
    peopled.do("policy", "threshold", "root", "2")
    peopled.do(*bob, "policy", "sign")
    peopled.do("policy", "require", "production", "--approvals", "0")
    branch = peopled.do("requests")["requests"][0]["branch"]
    peopled.do(*carol, "reject", branch, "-m", "keep it")
    assert peopled.run(*bob, "policy", "sign").code == 3
    peopled.git("merge", "-q", branch)
    for how in ((), ("--history",)):
        code, problems = peopled.verify("--no-bytes", *how)
        assert (code, problems[0]) == (4, "E_REJECTED")
    before = peopled.snapshot()
    for command in (
        ("promote", "fraud@1.1.0", "production"),
        ("rollback", "fraud", "staging", "-m", "x"),
        ("policy", "show"),
        ("check", "fraud@1.1.0", "--stage", "production"),
    ):
        assert refused(peopled, *command, code=4)["code"] == "E_REJECTED"
    assert peopled.snapshot() == before


def test_who_said_no_with_one_key_takes_it_back_with_that(peopled: Workbench) -> None:
    carol, laptop = _key(peopled, "carol"), _key(peopled, "laptop")
    peopled.do("promote", "fraud@1.1.0", "production")
    peopled.do(*carol, "approve", "fraud#production")
    peopled.do(*laptop, "reject", "fraud#production", "-m", "no")
    before = peopled.snapshot()
    error = refused(peopled, *carol, "approve", "fraud#production", code=1)
    assert error["code"] == "E_REJECTED"
    assert peopled.snapshot() == before
    said = peopled.do(*laptop, "approve", "fraud#production")
    assert (said["status"], said["rejections"]) == ("approved", [])
    assert said["approvals"] == ["carol"]
    peopled.do("promote", "--finalize", "fraud#production")
    assert peopled.verify("--history") == (0, [])


def test_a_branch_of_another_name_hides_no_request(peopled: Workbench) -> None:
    """No server guards ``tmp/…``; whoever can push can make it."""
    peopled.git("remote", "add", "origin", str(peopled.path))
    tree = peopled.git("rev-parse", "HEAD^{tree}")
    junk = peopled.git("commit-tree", tree, "-p", "HEAD", "-m", "junk")
    for place in ("heads/tmp", "remotes/origin/tmp"):
        peopled.git("update-ref", f"refs/{place}/{REQUEST}", junk)
    peopled.do("promote", "fraud@1.1.0", "production")
    peopled.do(*_key(peopled, "carol"), "approve", "fraud#production")
    [row] = peopled.do("requests")["requests"]
    assert (row["branch"], row["approvals"]) == (REQUEST, ["carol"])
    peopled.do("promote", "--finalize", "fraud#production")
    assert peopled.live("fraud", "production") == "1.1.0"


def test_a_number_that_is_too_long_for_the_name_of_a_file(stocked: Workbench) -> None:
    stocked.do("attest", "fraud@2.0.0", "test", f"accuracy=0.{'5' * 400}")
    shown = stocked.do("show", "fraud@2.0.0")["attestations"]
    assert [each["type"] for each in shown] == ["test"]


def test_who_has_no_say_rejects_nothing(peopled: Workbench) -> None:
    """A robot that publishes signs a no, with its own key and in its own role."""
    robot = peopled.outside / "robot"
    gitmodel("key", "new", "--out", robot)
    peopled.do("policy", "add-principal", "robot", "--key", f"{robot}.pub",
               "--role", "publisher")  # fmt: skip
    peopled.do("promote", "fraud@1.1.0", "production")
    peopled.git("switch", "-q", REQUEST)
    path = layout.transition_path("production", "fraud", 1)
    policy = digest_at(peopled, f".gitmodel/policy/{_number(peopled)}.yaml")
    said = Forged(role="publisher", decision="reject", policy=policy)
    signer = keys.load(robot, lambda: None)
    bundle = signature(peopled, signer, path, (peopled.path / path).read_bytes(), said)
    where = layout.signature_path(path, signer.keyid)
    commit_files(peopled, {where: bundle.to_bytes()})
    peopled.git("switch", "-q", "main")
    said = peopled.do(*_key(peopled, "carol"), "approve", "fraud#production")
    assert (said["status"], said["rejections"]) == ("approved", [])
    peopled.do("promote", "--finalize", "fraud#production")
    assert peopled.verify("--history") == (0, [])


def _number(bench: Workbench) -> int:
    return int(bench.do("policy", "show")["version"])


def test_a_root_takes_a_no_back_with_the_key_that_said_it(peopled: Workbench) -> None:
    carol, laptop = _key(peopled, "carol"), _key(peopled, "laptop")
    peopled.do("policy", "threshold", "root", "3")
    peopled.do(*carol, "policy", "sign")
    [row] = peopled.do("requests")["requests"]
    peopled.do(*laptop, "reject", row["branch"], "-m", "no")
    error = refused(peopled, *carol, "policy", "sign", code=1)
    assert error["code"] == "E_REJECTED"
    peopled.do(*laptop, "policy", "sign")
    assert peopled.do(*_key(peopled, "bob"), "policy", "sign")["status"] == "changed"
    assert peopled.verify("--history") == (0, [])


def test_a_dry_run_knows_of_the_request_that_is_open(peopled: Workbench) -> None:
    peopled.do("policy", "require", "staging", "--rollback-approvals", "1")
    peopled.do("policy", "threshold", "root", "2")
    peopled.do(*_key(peopled, "bob"), "policy", "sign")
    back = ("rollback", "fraud", "staging", "-m", "x")
    for command in (
        ("promote", "fraud@1.1.0", "production"),
        back,
        ("policy", "grant", "bob", "auditor"),
    ):
        assert peopled.do(*command, "--dry-run")["commit"] is None
        peopled.do(*command)
        before = peopled.snapshot()
        for more in ((), ("--dry-run",)):
            error = refused(peopled, *command, *more, code=1)
            assert error["code"] == "E_REQUEST_OPEN"
        assert peopled.snapshot() == before


@pytest.mark.parametrize("name", ["request", "request/production", f"{REQUEST}/x"])
def test_a_branch_beside_which_git_can_have_no_request(
    peopled: Workbench, name: str
) -> None:
    peopled.git("branch", name)
    before = peopled.snapshot()
    for more in ((), ("--dry-run",)):
        command = ("promote", "fraud@1.1.0", "production", *more)
        error = refused(peopled, *command, code=1)
        assert error["code"] == "E_REF_NAME"
        assert f"git branch -m {name}" in error["hints"][0]
    assert peopled.snapshot() == before


def test_a_branch_that_leaves_no_room_for_requests(served: Served) -> None:
    served.refuses("HEAD:refs/heads/request", codes={"E_REF_NAME"})


def test_a_model_whose_name_is_written_in_two_cases(stocked: Workbench) -> None:
    """What it asks of restricted models is asked of fraud, however it is written."""
    stocked.do("policy", "require", "dev", "--sensitivity", "restricted",
               "--label", "reviewed=yes")  # fmt: skip
    stocked.do("policy", "sensitivity", "FRAUD", "public")
    stocked.do("policy", "sensitivity", "fraud", "restricted")
    assert stocked.run("promote", "fraud@2.0.0", "dev").code == 3
    stocked.do("policy", "sensitivity", "Fraud", "public")
    stocked.do("promote", "fraud@2.0.0", "dev")


def _editor(bench: Workbench, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = bench.file("editor", f"#!/bin/sh\n{script}\n".encode())
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(program))


def test_a_policy_that_was_edited_meanwhile_undoes_nothing(
    peopled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the editor is open, somebody takes a right away, in another terminal."""
    text = peopled.outside / "text"
    _editor(peopled, monkeypatch, f"cp $1 {text}")
    peopled.do("policy", "edit")
    peopled.do("policy", "revoke", "bob", "root")
    _editor(peopled, monkeypatch, f"sed 's/from: dev/from: null/' {text} > $1")
    before = peopled.snapshot()
    error = refused(peopled, "policy", "edit", code=1)
    assert error["code"] == "E_POLICY_ROLLBACK"
    kept = peopled.path / ".git/gitmodel/policy.edited.yaml"
    error = refused(peopled, "policy", "edit", kept, code=1)
    assert error["code"] == "E_POLICY_ROLLBACK"
    assert peopled.snapshot() == before


@pytest.mark.parametrize(
    "script", ["rm $1", "rm $1; mkdir $1", "printf 'a: \\351' > $1", ": > $1"]
)
def test_an_editor_that_leaves_no_policy(
    stocked: Workbench, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    _editor(stocked, monkeypatch, script)
    before = stocked.snapshot()
    refused(stocked, "policy", "edit")
    assert stocked.snapshot() == before
    kept = stocked.path / ".git/gitmodel/policy.edited.yaml"
    assert not kept.exists() or kept.read_bytes() in {b"", b"a: \xe9"}


@pytest.mark.parametrize("editor", ["'vi", "/no/such/editor"])
def test_an_editor_that_there_is_not(
    stocked: Workbench, monkeypatch: pytest.MonkeyPatch, editor: str
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    answer = stocked.run("policy", "edit")
    assert answer.code in {1, 2}
    assert "Traceback" not in answer.err


def test_two_who_approve_at_once_are_both_heard(
    peopled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob signs in another terminal after carol's command has read the request."""
    peopled.do("policy", "require", "production", "--approvals", "2")
    peopled.do("promote", "fraud@1.1.0", "production")
    place = "gitmodel.registry.request_branches.exclusive"

    def later(file: Path) -> AbstractContextManager[None]:
        monkeypatch.setattr(place, exclusive)
        peopled.do(*_key(peopled, "bob"), "approve", "fraud#production")
        return exclusive(file)

    monkeypatch.setattr(place, later)
    said = peopled.do(*_key(peopled, "carol"), "approve", "fraud#production")
    assert said["approvals"] == ["bob", "carol"]
    peopled.do("promote", "--finalize", "fraud#production")
    assert peopled.verify("--history") == (0, [])


def test_a_key_that_is_named_by_nothing_is_not_replaced_by_another(
    peopled: Workbench,
) -> None:
    """``--key "$KEY"``, where KEY is not set."""
    before = peopled.snapshot()
    refused(peopled, "--key", "", "promote", "fraud@2.0.0", "dev")
    refused(peopled, "policy", "remove-principal", "carol", "--key", "")
    assert peopled.snapshot() == before


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"createdBy": "mallory"}, "E_UNSIGNED"),
        ({"previous": {"version": "1.1.0", "manifest": OTHER}}, "E_MANIFEST_DIGEST"),
        ({"previous": {"version": "9.9.9", "manifest": OTHER}}, "E_MANIFEST_DIGEST"),
    ],
)
@pytest.mark.parametrize("how", [(), ("--history", "--full")])
def test_a_version_that_lies_about_where_it_comes_from(
    stocked: Workbench, fields: dict[str, Any], code: str, how: tuple[str, ...]
) -> None:
    """A publisher names another as its creator, or what it never was made after."""
    forge_version(stocked, "1.2.0", **fields)
    assert stocked.verify("--no-bytes", *how) == (4, [code])


LATE = (
    layout.transition_path("dev", "fraud", 1),
    layout.manifest_path("fraud", "1.0.0"),
)


@pytest.mark.parametrize("path", LATE)
def test_a_late_signature_that_lies_of_what_it_signs(served: Served, path: str) -> None:
    """It would stay for ever, and block the stage or the version that it is about."""
    ours, robot = served.ours, served.ours.outside / "robot"
    gitmodel("key", "new", "--out", robot)
    ours.do("policy", "add-principal", "robot", "--key", f"{robot}.pub",
            "--role", "publisher", "--push")  # fmt: skip
    signer = keys.load(robot, lambda: None)
    policy = digest_at(ours, f".gitmodel/policy/{_number(ours)}.yaml")
    kind = "transition" if path.startswith("log/") else "version"
    said = Forged(kind=kind, role="publisher", policy=policy)
    data = (ours.path / path).read_bytes()
    where = layout.signature_path(path, signer.keyid)
    lie = replace(said, document=document_at(ours, path) | {"createdAt": "never"})
    commit_files(ours, {where: signature(ours, signer, path, data, lie).to_bytes()})
    assert ours.verify("--no-bytes")[1] == ["E_DOCUMENT_MISMATCH"]
    served.refuses("main", codes={"E_DOCUMENT_MISMATCH"})
    ours.git("reset", "-q", "--hard", "HEAD~1")
    commit_files(ours, {where: signature(ours, signer, path, data, said).to_bytes()})
    served.lands("main")
    assert ours.verify("--history") == (0, [])
