"""What a refused command looks like, whatever it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Answer
    from tests.support.workbench import Workbench


def refused(bench: Workbench, *args: str | Path, code: int = 2) -> Any:
    """Run what must be refused with ``code``; return the error object."""
    answer = bench.run("--json", *args)
    case = f"{args!r:.300}: {answer.code}\n{answer.err:.2000}"
    assert answer.code == code, case
    assert "Traceback" not in answer.err, case
    error = answer.json["error"]
    assert set(error) == {"code", "message", "hints", "problems"}, case
    assert error["code"].startswith("E_"), case
    first, *listed = error["message"].split("\n")
    assert 10 < len(first) < 400, case
    # One sentence; only a document with many problems lists them below it.
    assert not listed or error["problems"], case
    said = [line for line in answer.err.split("\n") if line.startswith("Error: ")]
    assert said == [f"Error: {first}"], case
    return error


def refusal(answer: Answer, exit_code: int, code: str) -> str:
    """Assert how a command that was run with ``--json`` failed; return its message."""
    assert (answer.code, answer.json["error"]["code"]) == (exit_code, code), answer.err
    assert "Hint: " in answer.err
    return str(answer.json["error"]["message"])


def found_by_verify(bench: Workbench, *args: str) -> set[str]:
    """Return the codes of what verify finds wrong; it must end with exit code 4."""
    answer = bench.run("--json", "verify", *args)
    assert answer.code == 4, (args, answer)
    said = answer.json
    return (
        {said["error"]["code"]}
        if "error" in said
        else {problem["code"] for problem in said["problems"]}
    )


def nothing_acts_on(bench: Workbench, *commands: tuple[str, ...]) -> None:
    """Run commands that must refuse a tampered registry, and leave it as it is."""
    before = bench.snapshot()
    for command in commands:
        error = refused(bench, *command, code=4)
        assert error["code"] != "E_INTEGRITY", (command, error)
    assert bench.snapshot() == before
    assert not (bench.outside / "pulled").exists()
