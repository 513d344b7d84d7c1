"""What scripts rely on: JSON keys, exit codes, what goes to which stream (design 5)."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.cli.main import COMMANDS
from tests.support.cli import Answer, gitmodel
from tests.support.contract import ANSWERS, ERROR, EXIT_CODES, deviations
from tests.support.killer import Killer
from tests.support.terminal import in_pipes
from tests.support.workbench import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

#: What reads: contract name → arguments.
READS: dict[str, tuple[str, ...]] = {
    "list": ("list",),
    "list MODEL": ("list", "fraud"),
    "show": ("show", "fraud#dev"),
    "log": ("log",),
    "diff": ("diff", "fraud@1.0.0", "fraud@1.1.0"),
    "check": ("check", "fraud"),
    "verify": ("verify",),
    "doctor": ("doctor",),
    "policy show": ("policy", "show"),
    "key show": ("key", "show"),
    "key show --allowed-signers": ("key", "show", "--allowed-signers"),
    "key list": ("key", "list"),
    "completion": ("completion", "bash"),
}
WRITES = {"init", "register", "promote", "rollback", "pull", "key new", "demo"}
POLICY = {
    f"policy {verb}"
    for verb in ("add-principal", "remove-principal", "grant", "revoke")
}


@pytest.fixture
def story(bench: Workbench) -> Workbench:
    """Return a registry in which every kind of thing has happened."""
    for version, accuracy in (("1.0.0", 0.90), ("1.1.0", 0.95)):
        file = bench.file(f"{version}/model.bin", version.encode() * 1000)
        bench.do(
            "register", "fraud", file, "--version", version,
            "--metric", f"accuracy={accuracy}", "--param", "depth=3",
            "--label", "team=risk", "--description", "a model",
        )  # fmt: skip
        bench.promote(f"fraud@{version}", "dev", "staging")
    bench.do("rollback", "fraud", "staging", "-m", "recall fell", "--incident", "I-1")
    return bench


def _conforms(name: str, answer: Any) -> None:
    assert deviations(answer, ANSWERS[name]) == [], name


def _tampered(bench: Workbench) -> None:
    """Change a byte of what is live in dev, keeping its size."""
    [artifact] = bench.do("show", "fraud#dev")["artifacts"]
    path = bench.object_path(artifact["sha256"])
    path.chmod(0o644)
    path.write_bytes(b"X" * artifact["size"])


def test_every_command_has_a_contract() -> None:
    assert READS.keys() | WRITES | POLICY == ANSWERS.keys()
    assert {name.split()[0] for name in ANSWERS} == COMMANDS.keys()


def test_reading_commands_answer_with_the_documented_keys(story: Workbench) -> None:
    for name, args in READS.items():
        answer = story.run("--json", *args)
        assert (answer.code, answer.err) == (0, ""), name
        _conforms(name, answer.json)


def test_reading_an_empty_registry_answers_with_the_documented_keys(
    bench: Workbench,
) -> None:
    for name in ("list", "log", "check", "verify", "doctor"):
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


def test_policy_commands_answer_alike_done_dry_and_unchanged(bench: Workbench) -> None:
    bob = bench.outside / "bob"
    bench.do("key", "new", "--out", bob)
    for verb, args in (
        ("add-principal", ("bob", "--key", f"{bob}.pub", "--role", "promoter")),
        ("grant", ("bob", "responder")),
        ("revoke", ("bob", "responder")),
        ("remove-principal", ("bob",)),
    ):
        before = bench.snapshot()
        dry = bench.do("policy", verb, *args, "--dry-run")
        assert bench.snapshot() == before, verb
        done = bench.do("policy", verb, *args)
        for answer in (dry, done):
            _conforms(f"policy {verb}", answer)
        assert [dry["commit"], done["commit"]] == [None, bench.git("rev-parse", "HEAD")]
    unchanged = bench.do("policy", "grant", "ada", "root")
    _conforms("policy grant", unchanged)
    assert (unchanged["commit"], unchanged["dryRun"]) == (None, False)


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
    _tampered(story)
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


FAILURES = (
    (1, "E_NOT_FOUND", ("show", "nobody")),
    (1, "E_NOT_FOUND", ("promote", "fraud@1.0.0", "nowhere")),
    (1, "E_VERSION_EXISTS", ("register", "fraud", "FILE", "--version", "1.0.0")),
    (1, "E_NO_KNOWN_GOOD", ("rollback", "fraud", "staging", "-m", "x")),
    (1, "E_NOT_FOUND", ("--key", "/nowhere/key", "promote", "fraud@1.0.0", "dev")),
    (2, "E_USAGE", ("lst",)),
    (2, "E_USAGE", ("promote",)),
    (2, "E_USAGE", ("list", "--limit", "none")),
    (2, "E_USAGE", ("rollback", "fraud", "dev")),
    (2, "E_NAME", ("register", "fr/aud", "FILE")),
    (2, "E_INPUT", ("log", "--since", "yesterday")),
    (2, "E_INPUT", ("show", "fraud@")),
    (3, "E_REFUSED", ("promote", "fraud@1.2.0", "production")),
    (4, "E_ARTIFACT_DIGEST", ("pull", "fraud#dev", "-o", "OUT")),
    (
        4,
        "E_ARTIFACT_DIGEST",
        ("rollback", "fraud", "staging", "--to", "1.1.0", "-m", "x"),
    ),
    (5, "E_REMOTE", ("promote", "fraud@1.0.0", "dev", "--push")),
)


@pytest.fixture
def broken(story: Workbench) -> Workbench:
    """Return a registry where things can go wrong in every way."""
    story.register("fraud", "1.2.0")
    _tampered(story)
    story.git("remote", "add", "origin", str(story.outside / "no-such-remote"))
    return story


def test_every_failure_has_its_exit_code_error_object_and_hints(
    broken: Workbench,
) -> None:
    broken.file("model.bin")
    places = {"FILE": broken.outside / "model.bin", "OUT": broken.outside / "out"}
    before = broken.snapshot()
    for exit_code, code, args in FAILURES:
        words = [str(places.get(arg, arg)) for arg in args]
        answer = broken.run("--json", *words)
        assert (answer.code, deviations(answer.json, ERROR)) == (exit_code, []), args
        error = answer.json["error"]
        assert error["code"] == code, args
        lines = answer.err.splitlines()
        assert lines[0] == f"Error: {error['message']}"
        assert [f"Hint: {hint}" for hint in error["hints"]] == [
            line for line in lines if line.startswith("Hint: ")
        ], args
        assert "Traceback" not in answer.err
        plain = broken.run(*words)
        assert (plain.code, plain.out, plain.err) == (exit_code, "", answer.err), args
    assert not (broken.outside / "out").exists()
    assert broken.snapshot() == before
    assert {case[0] for case in FAILURES} | {0, 70, 130} == EXIT_CODES.keys()


def test_a_refusal_names_every_gate(story: Workbench) -> None:
    story.register("churn")
    answer = story.run("--json", "promote", "churn@1.0.0", "production")
    assert answer.code == 3
    error = answer.json["error"]
    [problem] = error["problems"]
    assert (problem["code"], problem["gate"]) == ("E_GATE", "from")
    assert problem["message"] in error["message"]
    assert error["hints"] == ["gitmodel promote churn@1.0.0 staging"]


def test_a_bug_is_exit_code_70_with_a_file_to_report(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("gitmodel.operations.list.list_models", fail)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    answer = bench.run("--json", "list")
    assert answer.code == 70
    assert deviations(answer.json, ERROR) == []
    assert answer.json["error"]["code"] == "E_BUG"
    [log] = tmp_path.glob("gitmodel-bug-*.log")
    assert str(log) in answer.err
    assert "Traceback" in log.read_text()
    assert "Traceback" not in answer.err


def test_an_interrupt_is_exit_code_130_and_changes_nothing(
    story: Workbench, tmp_path: Path
) -> None:
    before = story.snapshot()
    with Killer(tmp_path) as killer:
        done = killer.run(
            story.path, "--json", "promote", "fraud@1.1.0", "staging",
            at=1, send=signal.SIGINT,
        )  # fmt: skip
    assert (done.state, done.code) == ("exited", 130)
    answer = Answer(done.code, done.out, done.err)
    assert deviations(answer.json, ERROR) == []
    assert answer.json["error"]["code"] == "E_INTERRUPTED"
    assert "Error: Interrupted" in done.err
    assert story.snapshot() == before


def test_json_works_before_and_after_the_command(story: Workbench) -> None:
    for args in READS.values():
        assert story.run("--json", *args) == story.run(*args, "--json"), args
    before = story.run("--json", "promote", "nobody", "production")
    after = story.run("promote", "nobody", "production", "--json")
    assert before == after


def test_stdout_is_the_answer_and_stderr_the_conversation(story: Workbench) -> None:
    for name, args in READS.items():
        answer = story.run(*args)
        assert answer.out.endswith("\n"), name
        assert answer.err == "", name
    answer = story.run("promote", "fraud@1.1.0", "staging")
    head = story.git("rev-parse", "--short=12", "HEAD")
    assert answer.out == (
        f"Promoted fraud in staging: 1.0.0 -> 1.1.0\n  commit  {head}\n"
    )
    assert answer.err == "Next: gitmodel show fraud#staging\n"
    assert story.run("list", "fraud", "--label", "team=none").out == ""


def test_json_leaves_no_hints_on_stderr(bench: Workbench) -> None:
    file = bench.file("model.bin")
    for args in (
        ("list",),
        ("register", "fraud", file, "--no-capture"),
        ("promote", "fraud@1.0.0", "dev"),
        ("check",),
    ):
        answer = bench.run("--json", *args)
        assert (answer.code, answer.err) == (0, ""), args


def test_quiet_leaves_nothing_but_errors_on_stderr(bench: Workbench) -> None:
    file = bench.file("model.bin")
    pin = bench.path / "stages/dev/fraud.yaml"
    for args in (
        ("list",),
        ("register", "fraud", file),
        ("promote", "fraud@1.0.0", "dev"),
        ("log", "--since", "2999-01-01"),
    ):
        answer = bench.run("-q", *args)
        assert (answer.code, answer.err) == (0, ""), args
    bench.register(version="2.0.0")
    pin.write_bytes(pin.read_bytes() + b"# mine\n")
    heard = bench.copy(bench.outside / "copy").run("promote", "fraud@2.0.0", "dev")
    assert "Warning: stages/dev/fraud.yaml has changes" in heard.err
    quiet = bench.run("-q", "promote", "fraud@2.0.0", "dev")
    assert (quiet.code, quiet.err) == (0, "")
    refused = bench.run("-q", "promote", "fraud@2.0.0", "production")
    assert refused.err.startswith("Error: ")


def test_warnings_do_not_disturb_the_json(bench: Workbench) -> None:
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    bench.register(version="2.0.0")
    pin = bench.path / "stages/dev/fraud.yaml"
    pin.write_bytes(pin.read_bytes() + b"# mine\n")
    answer = bench.run("--json", "promote", "fraud@2.0.0", "dev")
    assert answer.err.startswith("Warning: ")
    assert answer.json["status"] == "promoted"


def test_dash_c_names_the_registry_and_leaves_other_paths_alone(
    bench: Workbench,
) -> None:
    bench.file("weights/model.bin")
    for args in (
        ("register", "fraud", "weights/model.bin", "--no-capture"),
        ("pull", "fraud@1.0.0", "-o", "here"),
    ):
        answer = in_pipes("-C", bench.path, *args, cwd=bench.outside)
        assert answer.code == 0, answer.err
    assert (bench.outside / "here/artifacts/model.bin").read_bytes() == b"weights"
    below = bench.path / "models/fraud"
    assert in_pipes("list", cwd=below).out == bench.run("list").out


def test_outside_a_registry_every_command_says_what_to_do(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    needing = [args for name, args in READS.items() if name in ("list", "show", "log")]
    for args in (*needing, ("promote", "fraud@1.0.0", "dev"), ("pull", "fraud")):
        answer = gitmodel("--json", *args, cwd=empty)
        assert answer.code == 1
        assert answer.json["error"]["code"] == "E_NO_REPOSITORY"
        assert f"Error: {empty} is not in a git repository." in answer.err
        assert "gitmodel init" in answer.err
    git(empty, "init", "-q")
    assert gitmodel("--json", "list", cwd=empty).json["error"]["code"] == (
        "E_NO_REGISTRY"
    )


def test_a_fresh_clone_without_a_key_reads_and_is_told_how_to_write(
    story: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    git(tmp_path, "clone", "-q", story.path, "clone")
    monkeypatch.setenv("HOME", str(tmp_path / "bob"))
    clone = tmp_path / "clone"
    assert gitmodel("list", cwd=clone).out == story.run("list").out
    doctor = gitmodel("doctor", "--json", cwd=clone)
    assert doctor.code == 0, "what is missing is advice: reading works"
    advised = {check["name"] for check in doctor.json["checks"] if not check["ok"]}
    assert {"key", "commit signatures"} <= advised
    refused = gitmodel("--json", "promote", "fraud@1.1.0", "staging", cwd=clone)
    assert (refused.code, refused.json["error"]["code"]) == (1, "E_NO_KEY")
    assert gitmodel("key", "new").code == 0
    refused = gitmodel("--json", "promote", "fraud@1.1.0", "staging", cwd=clone)
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_UNTRUSTED_KEY")
    assert "ada" in refused.err


def test_the_demo_answers_with_the_documented_keys(tmp_path: Path) -> None:
    assert os.environ.get("NO_COLOR") == "1"
    answer = gitmodel("--json", "demo", tmp_path / "demo")
    assert answer.code == 0, answer.err
    _conforms("demo", answer.json)
    found = answer.json
    assert found["measured"] < found["restored"] - 0.05
    assert found["measured"] < found["claimed"] - 0.05
    assert "=== Roll back" in answer.err
    assert gitmodel("verify", cwd=tmp_path / "demo/registry").code == 0
