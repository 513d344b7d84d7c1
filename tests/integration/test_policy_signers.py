"""Policies that several roots must sign (``design`` §4.5): keys, clones, attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel
from tests.support.isolation import isolate
from tests.support.workbench import Workbench, git, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.robot import Robot

BRANCH = "request/policy/4"


def _key(bench: Workbench, name: str) -> Path:
    return bench.outside / name


def _as(bench: Workbench, name: str, *args: str | Path) -> Answer:
    key = () if name == "ada" else ("--key", _key(bench, name))
    return gitmodel("--json", *key, *args, cwd=bench.path)


def _do(bench: Workbench, name: str, *args: str | Path) -> Any:
    answer = _as(bench, name, *args)
    assert answer.code == 0, f"{args}: {answer.err}"
    return answer.json


def _refusal(answer: Answer) -> tuple[int, str]:
    return answer.code, answer.json["error"]["code"]


@pytest.fixture(scope="session")
def two_roots_made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry whose policy 3 asks for two roots, ada and bob; carol is new."""
    root = tmp_path_factory.mktemp("roots")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(template, root / "home", root)
        for name in ("bob", "carol", "eve"):
            gitmodel("key", "new", "--out", _key(bench, name))
        add = ("policy", "add-principal", "bob", "--key", f"{_key(bench, 'bob')}.pub")
        bench.do(*add, "--role", "root", "--role", "promoter")
        bench.do("policy", "threshold", "root", "2")
        _do(bench, "bob", "policy", "sign")
    return root


@pytest.fixture
def roots(two_roots_made: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return the registry of two roots."""
    bench = unpack(two_roots_made, home, tmp_path)
    for file in (two_roots_made / "outside").iterdir():
        target = bench.outside / file.name
        target.write_bytes(file.read_bytes())
        target.chmod(0o600)
    return bench


def _propose(bench: Workbench, *more: str) -> Any:
    pub = f"{_key(bench, 'carol')}.pub"
    return bench.do("policy", "add-principal", "carol", "--key", pub, *more)


def test_a_change_waits_until_the_second_root_has_signed(roots: Workbench) -> None:
    before = roots.git("rev-parse", "main")
    asked = _propose(roots, "--role", "approver")
    assert (asked["status"], asked["version"], asked["branch"]) == (
        "pending",
        4,
        BRANCH,
    )
    assert asked["needed"] == [
        "1 more of the roots of policy 3: bob",
        "1 more of the roots of policy 4: bob",
    ]
    assert roots.git("rev-parse", "main") == before
    [row] = roots.do("requests")["requests"]
    assert (row["kind"], row["status"], row["approvals"]) == ("policy", "open", ["ada"])
    done = _do(roots, "bob", "policy", "sign")
    assert (done["status"], done["signers"]) == ("changed", ["ada", "bob"])
    assert "+  carol:" in done["changes"]
    assert roots.git("branch", "--list", "request/*") == ""
    assert roots.do("policy", "show")["version"] == 4
    assert roots.verify("--history", "--full") == (0, [])
    [event, *_] = roots.do("log")["events"]
    assert event["action"] == "policy"
    assert {event["actor"], *event["approvers"]} == {"ada", "bob"}


@pytest.mark.parametrize("how", ["--ff-only", "--no-ff", "--squash"])
def test_a_plain_merge_of_a_complete_policy_does_the_same(
    roots: Workbench, how: str
) -> None:
    _propose(roots)
    signed = _do(roots, "bob", "policy", "sign", "--no-land")
    assert (signed["status"], signed["needed"]) == ("pending", [])
    if how != "--ff-only":
        roots.commit_file("notes.txt", b"meanwhile")
    roots.git("merge", "-q", how, *(("--no-edit",) if how == "--no-ff" else ()), BRANCH)
    if how == "--squash":
        roots.git("commit", "-qm", "carol joins")
    assert roots.do("policy", "show")["version"] == 4
    assert roots.verify("--history", "--full") == (0, [])
    assert roots.verify("--no-bytes") == (0, [])


@pytest.mark.parametrize("how", ["--ff-only", "--squash"])
def test_attack_39_a_policy_signed_by_one_root_of_two(
    roots: Workbench, how: str
) -> None:
    _propose(roots)
    roots.git("merge", "-q", how, BRANCH)
    if how == "--squash":
        roots.git("commit", "-qm", "sneak it in")
    assert roots.verify("--history", "--no-bytes") == (4, ["E_THRESHOLD"])
    before = roots.snapshot()
    for command in (("policy", "show"), ("policy", "grant", "bob", "approver")):
        answer = roots.run("--json", *command)
        assert _refusal(answer) == (4, "E_THRESHOLD"), command
    assert roots.snapshot() == before


def test_one_root_cannot_sign_twice(roots: Workbench) -> None:
    _propose(roots)
    before = roots.snapshot()
    again = roots.do("policy", "sign")
    assert (again["status"], again["commit"]) == ("pending", None)
    assert roots.snapshot() == before


def test_a_root_of_neither_policy_cannot_sign(roots: Workbench) -> None:
    _propose(roots)
    before = roots.snapshot()
    for name in ("carol", "eve"):
        assert _refusal(_as(roots, name, "policy", "sign")) == (3, "E_ROLE")
        no = _as(roots, name, "reject", BRANCH, "-m", "no")
        assert _refusal(no) == (3, "E_ROLE")
    assert roots.snapshot() == before


def test_a_root_only_of_the_new_policy_signs_for_that_one(roots: Workbench) -> None:
    """Who joins as root and raises the bar must sign as well."""
    _propose(roots, "--role", "root")
    _do(roots, "bob", "policy", "sign")
    raised = roots.do("policy", "threshold", "root", "3")
    assert len(raised["needed"]) == 2
    _do(roots, "bob", "policy", "sign")
    [row] = roots.do("requests")["requests"]
    assert row["needed"] == ["1 more of the roots of policy 5: carol"]
    assert _do(roots, "carol", "policy", "sign")["status"] == "changed"
    assert roots.do("policy", "show")["policy"]["roles"]["root"]["threshold"] == 3
    assert roots.verify("--history", "--full") == (0, [])


def _hand_over(roots: Workbench) -> Any:
    """Propose that carol be root in bob's place, by ada."""
    text = (roots.path / ".gitmodel/policy/3.yaml").read_text()
    line = (roots.outside / "carol.pub").read_text().strip()
    text = text.replace(
        "\nroles:", f'\n  carol:\n    keys:\n      - public: "{line}"\nroles:', 1
    )
    text = text.replace(
        "      - bob\n    threshold: 2", "      - carol\n    threshold: 2"
    )
    return roots.do("policy", "edit", roots.file("new.yaml", text.encode()))


def test_old_and_new_roots_each_sign_for_their_policy(roots: Workbench) -> None:
    """bob is a root only before, carol only afterwards: both must sign."""
    assert _hand_over(roots)["needed"] == [
        "1 more of the roots of policy 3: bob",
        "1 more of the roots of policy 4: carol",
    ]
    early = _do(roots, "carol", "policy", "sign")
    assert early["needed"] == ["1 more of the roots of policy 3: bob"]
    assert _do(roots, "bob", "policy", "sign")["status"] == "changed"
    assert roots.verify("--history", "--full") == (0, [])
    assert _as(roots, "bob", "policy", "grant", "bob", "approver").code == 3


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_attack_39_the_roots_of_only_one_of_both_are_not_enough(
    roots: Workbench, who: str
) -> None:
    _hand_over(roots)
    assert _do(roots, who, "policy", "sign")["status"] == "pending"
    roots.git("merge", "-q", "--no-edit", BRANCH)
    assert roots.verify("--history", "--no-bytes") == (4, ["E_THRESHOLD"])


def test_a_rejected_policy_waits_until_the_root_signs_it(roots: Workbench) -> None:
    _propose(roots)
    no = _do(roots, "bob", "reject", BRANCH, "-m", "who is carol?")
    assert (no["status"], no["rejections"]) == ("rejected", ["bob"])
    assert roots.do("policy", "sign")["status"] == "pending"
    done = _do(roots, "bob", "policy", "sign")
    assert (done["status"], done["signers"]) == ("changed", ["ada", "bob"])


def test_a_rejected_policy_that_is_merged_is_found(roots: Workbench) -> None:
    """Three roots, two needed, two yes and one no."""
    _propose(roots, "--role", "root")
    _do(roots, "bob", "policy", "sign")
    roots.do("policy", "grant", "bob", "approver")
    branch = "request/policy/5"
    _do(roots, "carol", "reject", branch, "-m", "no")
    blocked = _as(roots, "bob", "policy", "sign")
    assert _refusal(blocked) == (3, "E_REJECTED")
    roots.git("merge", "-q", branch)
    assert roots.verify("--history", "--no-bytes") == (4, ["E_REJECTED"])


def test_what_another_policy_has_overtaken_is_stale(roots: Workbench) -> None:
    _propose(roots)
    other = roots.copy(roots.outside / "other")
    other.git("branch", "-qD", BRANCH)
    other.do("policy", "grant", "bob", "approver")
    _do(other, "bob", "policy", "sign")
    roots.git("fetch", "-q", str(other.path), "main")
    roots.git("merge", "-q", "--ff-only", "FETCH_HEAD")
    before = roots.snapshot()
    late = _as(roots, "bob", "policy", "sign", "4")
    assert _refusal(late) == (1, "E_REQUEST_STALE")
    assert roots.do("requests")["requests"][0]["status"] == "stale"
    assert _refusal(_as(roots, "bob", "policy", "sign")) == (1, "E_NO_REQUEST")
    assert roots.snapshot() == before


def test_one_policy_waits_at_a_time(roots: Workbench) -> None:
    _propose(roots)
    before = roots.snapshot()
    answer = roots.run("--json", "policy", "grant", "bob", "approver")
    assert _refusal(answer) == (1, "E_REQUEST_OPEN")
    assert roots.snapshot() == before


def test_a_dry_run_says_what_is_needed_and_writes_nothing(roots: Workbench) -> None:
    before = roots.snapshot()
    dry = roots.do("policy", "grant", "bob", "approver", "--dry-run")
    assert (dry["status"], dry["commit"], len(dry["needed"])) == ("pending", None, 2)
    assert roots.snapshot() == before


def test_signing_on_clones_of_their_own(roots: Workbench, tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    git(tmp_path, "clone", "-q", "--bare", roots.path, hub)
    roots.git("remote", "add", "origin", str(hub))
    git(tmp_path, "clone", "-q", hub, "bobs")
    bobs = Workbench(tmp_path / "bobs", roots.outside)
    _propose(roots, "--push")
    bobs.git("fetch", "-q")
    shown = _as(bobs, "bob", "policy", "sign", "--dry-run")
    assert "+  carol:" in shown.err or "+  carol:" in shown.json["changes"]
    done = _do(bobs, "bob", "policy", "sign", "--push")
    assert done["status"] == "changed"
    assert git(hub, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    roots.git("fetch", "-q", "--prune")
    roots.git("merge", "-q", "--ff-only", "origin/main")
    assert roots.verify("--history", "--full") == (0, [])
    assert roots.do("policy", "show")["version"] == 4


def test_two_roots_who_sign_at_once_are_both_heard(
    roots: Workbench, tmp_path: Path
) -> None:
    _propose(roots, "--role", "root")
    _do(roots, "bob", "policy", "sign")
    raised = roots.do("policy", "threshold", "root", "3")
    hub = tmp_path / "hub.git"
    git(tmp_path, "clone", "-q", "--bare", roots.path, hub)
    clones = {}
    for name in ("bob", "carol"):
        git(tmp_path, "clone", "-q", hub, name)
        clones[name] = Workbench(tmp_path / name, roots.outside)
        clones[name].git("fetch", "-q")
    assert raised["branch"] == "request/policy/5"
    assert _do(clones["bob"], "bob", "policy", "sign", "--push")["status"] == "pending"
    done = _do(clones["carol"], "carol", "policy", "sign", "--push")
    assert (done["status"], done["signers"]) == ("changed", ["ada", "bob", "carol"])
    assert clones["carol"].verify("--history", "--full") == (0, [])


def test_a_root_alone_replaces_its_key_at_once_with_both(bench: Workbench) -> None:
    """The old key proposes, the new one signs: each for the policy that has it."""
    new = bench.outside / "new"
    gitmodel("key", "new", "--out", new)
    old = bench.do("key", "show")["keyid"]
    bench.do("policy", "add-principal", "ada", "--key", f"{new}.pub")
    asked = bench.do("policy", "remove-principal", "ada", "--key", old[:8])
    assert asked["status"] == "pending"
    done = gitmodel("--json", "--key", new, "policy", "sign", cwd=bench.path)
    assert (done.code, done.json["status"]) == (0, "changed")
    assert bench.run("policy", "grant", "ada", "root").code == 3
    assert bench.verify("--history", "--full") == (0, [])


def test_a_branch_that_anybody_made_hides_nothing(roots: Workbench) -> None:
    """What cannot be read is said, and the others are listed all the same."""
    _propose(roots)
    roots.git("branch", "request/policy/9", "main")
    roots.git("branch", "request/dev/fraud/1", "main")
    answer = roots.run("--json", "requests")
    assert answer.code == 0
    assert [row["branch"] for row in answer.json["requests"]] == [BRANCH]
    text = roots.run("requests").err
    assert "request/policy/9 cannot be read" in text
    assert "request/dev/fraud/1 cannot be read" in text


@pytest.mark.parametrize("name", ["x", "request/policy/x", "request/dev/fraud/1", "0"])
def test_what_names_no_policy_is_malformed(roots: Workbench, name: str) -> None:
    assert _as(roots, "bob", "policy", "sign", name).code == 2


def test_a_policy_is_signed_not_approved(roots: Workbench) -> None:
    _propose(roots)
    for command in (("approve", BRANCH), ("promote", "--finalize", BRANCH)):
        answer = _as(roots, "bob", *command)
        assert answer.code == 2
        assert f"gitmodel policy sign {BRANCH}" in answer.err


def test_what_the_remote_refuses_leaves_nothing_behind(
    roots: Workbench, tmp_path: Path
) -> None:
    hub = tmp_path / "hub.git"
    git(tmp_path, "clone", "-q", "--bare", roots.path, hub)
    roots.git("remote", "add", "origin", str(hub))
    hook = hub / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ncase $1 in refs/heads/request/*) exit 1;; esac\n")
    hook.chmod(0o755)
    before = roots.git("for-each-ref", "refs/heads")
    answer = roots.run("--json", "policy", "grant", "bob", "approver", "--push")
    assert _refusal(answer) == (5, "E_REMOTE_REFUSED")
    assert roots.git("for-each-ref", "refs/heads") == before
    roots.do("policy", "grant", "bob", "approver")
    before = roots.git("for-each-ref", "refs/heads")
    answer = _as(roots, "bob", "policy", "sign", "--no-land", "--push")
    assert _refusal(answer) == (5, "E_REMOTE_REFUSED")
    assert roots.git("for-each-ref", "refs/heads") == before
    hook.unlink()
    _do(roots, "bob", "policy", "sign", "--no-land")
    # Said before without --push, it is pushed when said again with it.
    _do(roots, "bob", "policy", "sign", "--no-land", "--push")
    assert git(hub, "rev-parse", BRANCH) == roots.git("rev-parse", BRANCH)
    assert _do(roots, "bob", "policy", "sign", "--push")["status"] == "changed"
    assert git(hub, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_an_identity_is_a_root_like_any_other(robot: Robot) -> None:
    """One root has a key, the other an identity; each signs what the other asks."""
    bench = robot.bench
    bench.do("policy", "grant", "robot", "root")
    number = bench.do("policy", "threshold", "root", "2")["version"]
    dry = robot.do("policy", "sign", "--dry-run")
    assert (dry["status"], dry["signers"]) == ("changed", ["ada", "robot"])
    assert bench.do("policy", "show")["version"] == number - 1
    done = robot.do("policy", "sign")
    assert (done["status"], done["signers"]) == ("changed", ["ada", "robot"])
    asked = robot.do("policy", "sensitivity", "fraud", "internal")
    assert asked["status"] == "pending"
    assert bench.do("policy", "sign")["status"] == "changed"
    assert bench.verify("--history", "--full") == (0, [])
