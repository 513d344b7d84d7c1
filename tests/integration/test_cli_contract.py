"""What scripts rely on: JSON of every command, done, dry and unchanged (design 5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.main import cli
from tests.support.cli import gitmodel
from tests.support.contract import ANSWERS, READS
from tests.support.json_keys import deviations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sigstore_local import LocalSigstore
    from tests.support.workbench import Workbench

WRITES = {"init", "register", "promote", "rollback", "pull", "key new", "demo"}
VOICES = {"approve", "reject", "promote --finalize"}
WITNESS = {"checkpoint create", "checkpoint verify", "attest"}
HOOKS = {"hooks install", "hooks uninstall"}
POLICY = {
    f"policy {verb}"
    for verb in (
        "add-principal",
        "remove-principal",
        "grant",
        "revoke",
        "require",
        "threshold",
        "lift",
        "sensitivity",
        "edit",
        "sign",
        "trust-root",
    )
}
#: Their own tests run these: they need a Sigstore, or a life that went before.
ELSEWHERE = {
    "incident open",
    "incident note",
    "incident close",
    "incident reopen",
    "incident bundle",
    "incident bundle --verify",
    "quarantine",
    "quarantine --list",
    "validate",
    "drill",
    "runbook",
    "hold release",
    "rollback --also",
    "rollback --emergency",
    "checkpoint fetch",
    "promote --from-file",
    "sync",
    "promote --finalize A B",
    "hook pre-push",
    "hook pre-receive",
    "hook install-server",
    "approvals collect",
    "forge codeowners",
    "forge protect",
    "forge check",
    "forge comment",
    "notify test",
    "watch",
    "triggers explain",
    "triggers test",
}


def _leaves(group: click.Group, prefix: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from _leaves(found, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def _conforms(name: str, answer: Any) -> None:
    assert deviations(answer, ANSWERS[name]) == [], name


def test_every_command_has_a_contract() -> None:
    tried = READS.keys() | WRITES | VOICES | WITNESS | HOOKS | POLICY | ELSEWHERE
    assert tried == ANSWERS.keys()
    documented = {name.partition(" -")[0].removesuffix(" MODEL") for name in ANSWERS}
    assert documented == set(_leaves(cli, ""))


def test_reading_commands_answer_with_the_documented_keys(story: Workbench) -> None:
    for name, args in READS.items():
        answer = story.run("--json", *args)
        assert (answer.code, answer.err) == (0, ""), name
        _conforms(name, answer.json)


def test_reading_an_empty_registry_answers_with_the_documented_keys(
    bench: Workbench,
) -> None:
    for name in ("list", "log", "check", "verify", "doctor", "requests"):
        _conforms(name, bench.do(name))


def test_the_json_says_what_happened(story: Workbench) -> None:
    [row] = story.do("list")["models"]
    assert row["stages"] == {"dev": "1.1.0", "staging": "1.0.0", "production": None}
    shown = story.do("show", "fraud#staging")
    assert (shown["version"], shown["stages"]) == ("1.0.0", ["staging"])
    newest = story.do("log")["events"][0]
    assert (newest["action"], newest["from"], newest["to"], newest["incident"]) == (
        "rollback",
        "1.1.0",
        "1.0.0",
        "I-1",
    )
    assert newest["commit"] == story.git("rev-parse", "HEAD")


def test_registering_answers_alike_done_and_dry(bench: Workbench) -> None:
    file = bench.file("model.bin")
    before = bench.snapshot()
    dry = bench.do("register", "fraud", file, "--no-capture", "--dry-run")
    assert (dry["commit"], dry["dryRun"]) == (None, True)
    assert bench.snapshot() == before
    done = bench.do("register", "fraud", file, "--no-capture")
    assert done["commit"] == bench.git("rev-parse", "HEAD")
    for answer in (dry, done):
        _conforms("register", answer)
        assert answer["artifacts"] == done["artifacts"]


def test_promoting_answers_alike_done_dry_and_unchanged(bench: Workbench) -> None:
    bench.register()
    before = bench.snapshot()
    dry = bench.do("promote", "fraud@1.0.0", "dev", "--dry-run")
    assert bench.snapshot() == before
    done = bench.do("promote", "fraud@1.0.0", "dev", "-m", "first")
    after = bench.snapshot()
    unchanged = bench.do("promote", "fraud@1.0.0", "dev")
    assert bench.snapshot() == after
    for answer in (dry, done, unchanged):
        _conforms("promote", answer)
    found = [(answer["status"], answer["seq"]) for answer in (dry, done, unchanged)]
    assert found == [("promoted", 1), ("promoted", 1), ("unchanged", None)]
    assert [dry["commit"], done["commit"]] == [None, bench.git("rev-parse", "HEAD")]


def test_a_promotion_that_waits_answers_alike_at_every_step(bench: Workbench) -> None:
    bench.do("key", "new", "--out", bench.outside / "bob")
    bob = ("--key", bench.outside / "bob")
    bench.do(
        "policy", "add-principal", "bob", "--key", f"{bob[1]}.pub", "--role", "approver"
    )
    bench.do("policy", "require", "dev", "--approvals", "1")
    bench.register()
    dry = bench.do("promote", "fraud@1.0.0", "dev", "--dry-run")
    asked = bench.do("promote", "fraud@1.0.0", "dev", "-m", "first")
    for answer in (dry, asked):
        _conforms("promote", answer)
        assert answer["status"] == "pending"
    assert [dry["commit"], asked["commit"]] == [
        None,
        bench.git("rev-parse", asked["branch"]),
    ]
    _conforms("requests", bench.do("requests"))
    _conforms("reject", bench.do(*bob, "reject", "fraud#dev", "-m", "not yet"))
    _conforms("approve", bench.do(*bob, "approve", "fraud#dev"))
    landed = bench.do("promote", "--finalize", "fraud#dev")
    _conforms("promote --finalize", landed)
    assert (landed["status"], landed["approvals"]) == ("promoted", ["bob"])


def test_hooks_answer_alike_put_in_and_taken_out(bench: Workbench) -> None:
    for verb in ("install", "install", "uninstall", "uninstall"):
        _conforms(f"hooks {verb}", bench.do("hooks", verb))


def test_rolling_back_answers_alike_done_planned_and_dry(story: Workbench) -> None:
    before = story.snapshot()
    plan = story.do("rollback", "fraud", "dev", "--plan")
    dry = story.do("rollback", "fraud", "dev", "--dry-run")
    assert story.snapshot() == before
    done = story.do("rollback", "fraud", "dev", "-m", "x")
    for answer in (plan, dry, done):
        _conforms("rollback", answer)
    assert [a["status"] for a in (plan, dry, done)] == [
        "planned",
        "planned",
        "rolled_back",
    ]
    assert plan["reverts"] == done["reverts"] != []


def test_pulling_answers_alike_the_second_time(story: Workbench) -> None:
    target = story.outside / "pulled"
    found = [story.do("pull", "fraud#dev", "-o", target) for _ in range(2)]
    for answer in found:
        _conforms("pull", answer)
    assert [answer["status"] for answer in found] == ["pulled", "unchanged"]


def test_checkpoints_answer_with_the_documented_keys(story: Workbench) -> None:
    file = story.outside / "checkpoint.json"
    _conforms("checkpoint create", story.do("checkpoint", "create", "-o", file))
    verified = story.do("checkpoint", "verify", file)
    _conforms("checkpoint verify", verified)
    assert verified["ok"]


def test_attesting_answers_alike_done_and_dry(story: Workbench) -> None:
    args = ("attest", "fraud@1.1.0", "test", "recall=0.9")
    before = story.snapshot()
    dry = story.do(*args, "--dry-run")
    assert story.snapshot() == before
    done = story.do(*args)
    for answer in (dry, done):
        _conforms("attest", answer)
    assert [dry["commit"], done["commit"]] == [None, story.git("rev-parse", "HEAD")]


def test_policy_commands_answer_alike_done_dry_and_unchanged(bench: Workbench) -> None:
    bob = bench.outside / "bob"
    bench.do("key", "new", "--out", bob)
    for verb, args in (
        ("add-principal", ("bob", "--key", f"{bob}.pub", "--role", "promoter")),
        ("grant", ("bob", "responder")),
        ("revoke", ("bob", "responder")),
        ("require", ("production", "--approvals", "1")),
        ("remove-principal", ("bob",)),
    ):
        before = bench.snapshot()
        dry = bench.do("policy", verb, *args, "--dry-run")
        assert bench.snapshot() == before, verb
        done = bench.do("policy", verb, *args)
        for answer in (dry, done):
            _conforms(f"policy {verb}", answer)
        assert [dry["commit"], done["commit"]] == [None, bench.git("rev-parse", "HEAD")]
    edited = _edited(bench, "fraud: restricted", "fraud: internal")
    for verb, *words in (
        ("edit", edited),
        ("sensitivity", "fraud", "restricted"),
    ):
        done = bench.do("policy", str(verb), *words)
        _conforms(f"policy {verb}", done)
        assert (done["status"], bool(done["changes"])) == ("changed", True)
    unchanged = bench.do("policy", "grant", "ada", "root")
    _conforms("policy grant", unchanged)
    assert (unchanged["commit"], unchanged["dryRun"]) == (None, False)


def _edited(bench: Workbench, old: str, new: str) -> Path:
    number = bench.do("policy", "sensitivity", "fraud", "restricted")["version"]
    text = (bench.path / f".gitmodel/policy/{number}.yaml").read_text()
    return bench.file("policy.yaml", text.replace(old, new).encode())


def test_a_policy_that_waits_for_roots_answers_alike_at_every_step(
    bench: Workbench,
) -> None:
    bob = bench.outside / "bob"
    bench.do("key", "new", "--out", bob)
    add = ("add-principal", "bob", "--key", f"{bob}.pub", "--role", "root")
    bench.do("policy", *add)
    asked = bench.do("policy", "threshold", "root", "2")
    _conforms("policy threshold", asked)
    assert (asked["status"], asked["branch"]) == ("pending", "request/policy/3")
    assert asked["commit"] == bench.git("rev-parse", asked["branch"])
    _conforms("requests", bench.do("requests"))
    _conforms("reject", bench.do("reject", asked["branch"], "-m", "no"))
    bench.do("policy", "sign", "--no-land")
    before = bench.snapshot()
    dry = bench.do("--key", bob, "policy", "sign", "--dry-run")
    assert bench.snapshot() == before
    done = bench.do("--key", bob, "policy", "sign")
    for answer in (dry, done):
        _conforms("policy sign", answer)
    assert (done["status"], done["signers"]) == ("changed", ["ada", "bob"])
    assert done["commit"] == bench.git("rev-parse", "HEAD")


def test_pinning_a_trusted_root_answers_alike_done_and_dry(
    bench: Workbench, sigstore: LocalSigstore
) -> None:
    file = bench.file("root.json", json.dumps(sigstore.trusted_root()).encode())
    dry = bench.do("policy", "trust-root", file, "--dry-run")
    done = bench.do("policy", "trust-root", file)
    for answer in (dry, done):
        _conforms("policy trust-root", answer)
    assert [dry["commit"], done["commit"]] == [None, bench.git("rev-parse", "HEAD")]


def test_init_answers_alike_the_second_time(home: Path) -> None:
    found = [gitmodel("--json", "init", home / "r").json for _ in range(2)]
    for answer in found:
        _conforms("init", answer)
    assert [answer.pop("created") for answer in found] == [True, False]
    assert found[0] == found[1]


def test_a_new_key_answers_with_the_documented_keys(home: Path) -> None:
    answer = gitmodel("--json", "key", "new", "--out", home / "robot")
    _conforms("key new", answer.json)
    assert answer.err == ""


def test_a_problem_that_verify_finds_is_an_answer_not_an_error(
    story: Workbench,
) -> None:
    story.tamper("fraud#dev")
    answer = story.run("--json", "verify")
    assert answer.code == 4
    _conforms("verify", answer.json)
    assert [problem["code"] for problem in answer.json["problems"]] == [
        "E_ARTIFACT_DIGEST"
    ]
    assert answer.err == ""


def test_a_refused_check_is_an_answer_with_exit_code_3(story: Workbench) -> None:
    answer = story.run("--json", "check", "fraud@1.0.0", "--stage", "production")
    assert answer.code == 0
    story.register("churn")
    answer = story.run("--json", "check", "churn", "--stage", "production")
    assert answer.code == 3
    _conforms("check", answer.json)
    [refusal] = answer.json["refusals"]
    assert (refusal["gate"], refusal["model"]) == ("from", "churn")
    assert refusal["hint"] == "gitmodel promote churn@1.0.0 staging"


def test_the_demo_answers_with_the_documented_keys(tmp_path: Path) -> None:
    answer = gitmodel("--json", "demo", tmp_path / "demo")
    assert answer.code == 0, answer.err
    _conforms("demo", answer.json)
    found = answer.json
    assert found["measured"] < found["restored"] - 0.05
    assert found["measured"] < found["claimed"] - 0.05
    assert "=== One command goes back" in answer.err
    assert gitmodel("verify", cwd=tmp_path / "demo/registry").code == 0
