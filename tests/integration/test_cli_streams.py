"""What goes to stdout, what to stderr, and where commands look (design 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cli import gitmodel
from tests.support.contract import READS
from tests.support.terminal import in_pipes
from tests.support.workbench import git

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.workbench import Workbench


#: Reads that say something beside their answer: what it rests on, what to do next.
SAYS_MORE = {
    "report change": "Root: sha256:",
    "hooks status": "Next: gitmodel hooks",
    "incident show": "Next: gitmodel rollback fraud dev",
}


def test_json_works_before_and_after_the_command(story: Workbench) -> None:
    for args in READS.values():
        assert story.run("--json", *args) == story.run(*args, "--json"), args
    before = story.run("--json", "promote", "nobody", "production")
    after = story.run("promote", "nobody", "production", "--json")
    assert before == after


def test_stdout_is_the_answer_and_stderr_the_conversation(story: Workbench) -> None:
    for name, args in READS.items():
        answer = story.run(*args)
        if name in {"requests", "incident list"} or name.startswith("hook "):
            assert answer.out == "", "there is nothing to say"
            continue
        assert answer.out.endswith("\n"), name
        assert answer.err.startswith(SAYS_MORE.get(name, "")), name
        assert bool(answer.err) == (name in SAYS_MORE), name
    story.do("hold", "release", "fraud@1.1.0", "staging", "-m", "x")
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
