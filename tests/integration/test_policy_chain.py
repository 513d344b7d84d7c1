"""The policy chain: people come and go, and history stays proved (``design`` §4.5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench


@pytest.fixture
def bob(bench: Workbench) -> Path:
    """Bob's key; he is not in the policy yet."""
    return _new_key(bench, "bob")


def _new_key(bench: Workbench, name: str) -> Path:
    path = bench.outside / name
    assert gitmodel("key", "new", "--out", path).code == 0
    return path


def _as(bench: Workbench, key: Path, *args: str | Path) -> Answer:
    return gitmodel("--json", "--key", key, *args, cwd=bench.path)


def _add(bench: Workbench, name: str, key: Path, *roles: str) -> Any:
    options = [option for role in roles for option in ("--role", role)]
    return bench.do("policy", "add-principal", name, "--key", f"{key}.pub", *options)


def test_a_new_principal_may_do_what_the_role_says_and_no_more(
    bench: Workbench, bob: Path
) -> None:
    bench.register()
    assert _as(bench, bob, "promote", "fraud@1.0.0", "dev").code == 3
    result = _add(bench, "bob", bob, "promoter")
    assert (result["version"], result["signers"]) == (2, ["ada"])
    assert _as(bench, bob, "promote", "fraud@1.0.0", "dev").code == 0
    file = bench.file("x.bin", b"x")
    refused = _as(bench, bob, "register", "fraud", file)
    assert refused.code == 3
    assert refused.json["error"]["code"] == "E_ROLE"
    assert bench.verify("--history", "--full") == (0, [])
    [event, *_] = bench.do("log")["events"]
    assert (event["action"], event["actor"]) == ("promote", "bob")


def test_who_leaves_can_sign_no_more_and_what_they_signed_stays_good(
    bench: Workbench, bob: Path
) -> None:
    _add(bench, "bob", bob, "publisher", "promoter")
    file = bench.file("x.bin", b"x")
    assert _as(bench, bob, "register", "fraud", file, "--version", "1.0.0").code == 0
    assert _as(bench, bob, "promote", "fraud@1.0.0", "dev").code == 0
    bench.do("policy", "remove-principal", "bob")
    assert _as(bench, bob, "promote", "fraud@1.0.0", "staging").code == 3
    bench.do("promote", "fraud@1.0.0", "staging")
    bench.register(version="1.1.0")
    bench.promote("fraud@1.1.0", "dev")
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["to"] == "1.0.0"
    assert bench.verify("--history", "--full") == (0, [])


def test_a_key_is_rotated_by_adding_the_new_one_first(bench: Workbench) -> None:
    bench.register()
    new = _new_key(bench, "ada-new")
    old = bench.do("key", "show")["keyid"]
    _add(bench, "ada", new)
    # The old key cannot sign itself out alone: afterwards it would be no root key.
    own = bench.do("policy", "remove-principal", "ada", "--key", old[:8], "--dry-run")
    assert own["status"] == "pending"
    assert own["needed"] == ["1 more of the roots of policy 3: ada"]
    done = _as(bench, new, "policy", "remove-principal", "ada", "--key", old[:8])
    assert (done.code, done.json["status"]) == (0, "changed")
    assert bench.run("promote", "fraud@1.0.0", "dev").code == 3
    assert _as(bench, new, "promote", "fraud@1.0.0", "dev").code == 0
    assert bench.verify("--history", "--full") == (0, [])


def test_a_stolen_key_that_was_rotated_out_is_refused_by_position_not_date(
    bench: Workbench, bob: Path
) -> None:
    """Attack 38: back-dated commits under the policy of yesterday."""
    _add(bench, "bob", bob, "promoter")
    bench.register()
    thief = bench.copy(bench.outside / "thief")
    bench.do("policy", "remove-principal", "bob")
    assert bench.verify("--history") == (0, [])
    # The thief promotes in a clone of before, and replays the files on top of now.
    assert _as(thief, bob, "promote", "fraud@1.0.0", "dev").code == 0
    for path in thief.git("show", "--name-only", "--format=", "HEAD").splitlines():
        bench.commit_file(path, (thief.path / path).read_bytes())
    code, problems = bench.verify("--history")
    assert code == 4
    assert "E_UNTRUSTED_KEY" in problems


def test_one_key_has_one_owner(bench: Workbench, bob: Path) -> None:
    _add(bench, "bob", bob)
    before = bench.snapshot()
    answer = bench.run(
        "--json", "policy", "add-principal", "eve", "--key", f"{bob}.pub"
    )
    assert answer.code == 1
    assert answer.json["error"]["code"] == "E_KEY_SHARED_BY_PRINCIPALS"
    assert bench.snapshot() == before


def test_nobody_can_leave_the_registry_without_a_root(bench: Workbench) -> None:
    before = bench.snapshot()
    assert bench.run("policy", "revoke", "ada", "root").code == 3
    assert bench.run("policy", "remove-principal", "ada").code == 3
    assert bench.snapshot() == before


def test_only_a_root_changes_the_policy(bench: Workbench, bob: Path) -> None:
    _add(bench, "bob", bob, "promoter", "publisher")
    before = bench.snapshot()
    assert _as(bench, bob, "policy", "grant", "bob", "root").code == 3
    assert bench.snapshot() == before


def test_a_policy_that_no_root_signed_is_refused(bench: Workbench, bob: Path) -> None:
    """Attack 3: add your own key to the policy, and use it."""
    _add(bench, "bob", bob, "promoter")
    policy = (bench.path / ".gitmodel/policy/2.yaml").read_text()
    forged = policy.replace("version: 2", "version: 3").replace("- ada", "- bob")
    bench.commit_file(".gitmodel/policy/3.yaml", forged.encode())
    code, problems = bench.verify("--history")
    assert code == 4
    assert {"E_POLICY_ROLLBACK", "E_UNSIGNED", "E_THRESHOLD"} & set(problems)


def test_an_old_policy_cannot_come_back(bench: Workbench, bob: Path) -> None:
    """Attack 21: re-add a policy that a root once signed."""
    _add(bench, "bob", bob, "promoter")
    bench.do("policy", "remove-principal", "bob")
    directory = bench.path / ".gitmodel/policy"
    [signature] = directory.glob("2.yaml.*")
    bench.commit_file(".gitmodel/policy/4.yaml", (directory / "2.yaml").read_bytes())
    name = signature.name.replace("2.yaml", "4.yaml")
    bench.commit_file(f".gitmodel/policy/{name}", signature.read_bytes())
    code, problems = bench.verify("--history")
    assert code == 4
    assert "E_POLICY_ROLLBACK" in problems


def test_a_rewritten_history_is_noticed_by_whoever_verified_before(
    bench: Workbench,
) -> None:
    """Attack 18: force the branch back below what was verified."""
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    assert bench.verify("--history") == (0, [])
    bench.git("reset", "-q", "--hard", "HEAD~1")
    code, problems = bench.verify("--history")
    assert (code, problems) == (4, ["E_HISTORY_REWRITTEN"])


def test_verification_goes_on_where_it_ended(bench: Workbench) -> None:
    bench.register()
    first = bench.do("verify", "--history")
    assert first["steps"] == 2
    bench.promote("fraud@1.0.0", "dev")
    assert bench.do("verify", "--history")["steps"] == 1
    assert bench.do("verify", "--full")["steps"] == 3


def test_a_state_that_others_could_write_is_not_believed(bench: Workbench) -> None:
    bench.do("verify", "--history")
    state = bench.path / ".git/gitmodel/state.json"
    assert json.loads(state.read_text())["commit"] == bench.git("rev-parse", "HEAD")
    state.chmod(0o666)
    answer = bench.run("--json", "verify", "--history")
    assert answer.code == 4
    assert answer.json["error"]["code"] == "E_STATE_PERMS"


def test_an_evil_merge_is_judged_by_what_it_brought(bench: Workbench) -> None:
    """Attack 9: a change that hides in a merge commit."""
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    bench.git("switch", "-qc", "side")
    bench.commit_file("notes.txt", b"x")
    bench.git("switch", "-q", "main")
    bench.git("merge", "-q", "--no-ff", "--no-commit", "side")
    pin = bench.path / "stages/dev/fraud.yaml"
    pin.write_text(pin.read_text().replace("1.0.0", "6.6.6"))
    bench.git("add", "stages")
    bench.git("commit", "-qm", "merge")
    code, problems = bench.verify("--history")
    assert code == 4
    assert "E_TRANSITION_UNRECORDED" in problems


def test_merges_and_squashes_of_honest_branches_pass(bench: Workbench) -> None:
    bench.register(version="1.0.0")
    bench.git("switch", "-qc", "side")
    bench.promote("fraud@1.0.0", "dev")
    bench.git("switch", "-q", "main")
    bench.commit_file("notes.txt", b"meanwhile")
    bench.git("merge", "-q", "--no-ff", "--no-edit", "side")
    assert bench.verify("--history", "--full") == (0, [])
    bench.git("switch", "-qc", "other")
    bench.promote("fraud@1.0.0", "staging")
    bench.git("switch", "-q", "main")
    bench.git("merge", "-q", "--squash", "other")
    bench.git("commit", "-qm", "squashed")
    assert bench.verify("--history", "--full") == (0, [])


def test_who_was_removed_cannot_sign_on_by_the_policy_of_yesterday(
    bench: Workbench, bob: Path
) -> None:
    """What commands rely on says no as well, not only ``verify --history``."""
    _add(bench, "bob", bob, "promoter", "responder", "publisher")
    bench.register(version="1.0.0")
    bench.register(version="1.1.0")
    bench.promote("fraud@1.0.0", "dev")
    thief = bench.copy(bench.outside / "thief")
    bench.do("policy", "remove-principal", "bob")
    assert _as(thief, bob, "promote", "fraud@1.1.0", "dev").code == 0
    theirs = thief.git("show", "--name-only", "--format=", "HEAD").splitlines()
    for path in theirs:
        (bench.path / path).write_bytes((thief.path / path).read_bytes())
    bench.git("add", "stages", "log")
    bench.git("commit", "-qm", "replayed at once")
    for command in (
        ("verify", "--no-bytes"),
        ("promote", "fraud@1.0.0", "dev"),
        ("rollback", "fraud", "dev", "-m", "x"),
    ):
        answer = bench.run("--json", *command)
        assert answer.code == 4, command
        assert "E_OTHER_POLICY" in answer.out
