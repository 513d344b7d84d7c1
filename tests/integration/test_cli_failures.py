"""Every way to fail: exit code, error object, hints, and nothing changed (design 5)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Answer
from tests.support.contract import ERROR, EXIT_CODES
from tests.support.json_keys import deviations
from tests.support.killer import Killer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

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
    story.tamper("fraud#dev")
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
