"""Where there is no fit place to work, commands say so; odd places work (design 5)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path

WRITES = (
    ("register", "fraud", "FILE", "--version", "9.0.0", "--no-capture"),
    ("promote", "fraud@1.1.0", "dev"),
    ("rollback", "fraud", "dev", "-m", "x"),
)
READS = (
    ("list",),
    ("list", "fraud"),
    ("show", "fraud#dev"),
    ("log", "fraud"),
    ("diff", "fraud@1.0.0", "fraud@1.1.0"),
    ("verify", "--no-bytes"),
)


def _two_in_dev(bench: Workbench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")


def _refused(bench: Workbench, exit_code: int, code: str) -> None:
    """Assert that every write is refused for one reason, and changes nothing."""
    before = bench.snapshot()
    file = str(bench.file("refused.bin"))
    for command in WRITES:
        args = [file if arg == "FILE" else arg for arg in command]
        answer = bench.run("--json", *args)
        assert (answer.code, answer.json["error"]["code"]) == (exit_code, code), command
        assert "Hint:" in answer.err
    assert bench.snapshot() == before


def _whole_flow(bench: Workbench, pulled: Path) -> None:
    """Assert that everything works here, from registering to rolling back."""
    _two_in_dev(bench)
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["to"] == "1.0.0"
    assert bench.do("pull", "fraud#dev", "-o", pulled)["verified"]
    assert (pulled / "artifacts/model.bin").read_bytes() == b"fraud 1.0.0"
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert bench.git("fsck", "--strict", "--no-dangling") == ""
    assert bench.verify() == (0, [])


@pytest.mark.parametrize("command", [*READS, *WRITES], ids=" ".join)
def test_outside_of_any_repository_every_command_says_where_to_go(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    answer = gitmodel("--json", *command, cwd=tmp_path / "empty")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_NO_REPOSITORY")
    assert "gitmodel init" in answer.err
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    answer = gitmodel("list", cwd=tmp_path / "nowhere")
    assert answer.code == 1
    assert str(tmp_path / "nowhere") in answer.err


def test_a_repository_that_is_no_registry_leads_to_init(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "plain")
    git(tmp_path / "plain", "commit", "-q", "--allow-empty", "-m", "x")
    for command in (*READS, *WRITES):
        answer = gitmodel("--json", *command, cwd=tmp_path / "plain")
        assert (answer.code, answer.json["error"]["code"]) == (1, "E_NO_REGISTRY")


def test_inside_the_git_directory_nothing_is_done(bench: Workbench) -> None:
    bench.register()
    before = bench.snapshot()
    answer = gitmodel("promote", "fraud@1.0.0", "dev", cwd=bench.path / ".git/objects")
    assert answer.code == 1
    assert "inside a .git directory" in answer.err
    assert bench.snapshot() == before


def test_a_bare_repository_is_read_and_never_written(
    bench: Workbench, tmp_path: Path
) -> None:
    _two_in_dev(bench)
    git(tmp_path, "clone", "-q", "--bare", bench.path, "bare.git")
    bare = Workbench(tmp_path / "bare.git", bench.outside)
    for command in READS:
        assert bare.run(*command).code == 0, command
    refs = bare.git("for-each-ref")
    for write in (*WRITES, ("init",)):
        answer = bare.run("--json", *write)
        assert (answer.code, answer.json["error"]["code"]) == (1, "E_BARE"), write
        assert "git clone" in answer.err
    assert bare.git("for-each-ref") == refs
    assert not (bare.path / "lfs").exists()
    assert not (bare.path / "gitmodel").exists()


def test_an_unborn_branch_leads_to_init_and_init_gives_it_a_first_commit(
    bench: Workbench, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk", "young")
    young = Workbench(tmp_path / "young", bench.outside)
    for command in (*READS, *WRITES):
        answer = young.run("--json", *command)
        assert (answer.code, answer.json["error"]["code"]) == (1, "E_NO_REGISTRY")
        assert "gitmodel init" in answer.err
    assert young.git("for-each-ref") == ""
    young.do("init", "--principal", "ada")
    assert young.git("symbolic-ref", "--short", "HEAD") == "trunk"
    _whole_flow(young, tmp_path / "out")


def test_a_detached_head_is_read_and_never_moved(bench: Workbench) -> None:
    _two_in_dev(bench)
    bench.git("checkout", "-q", "--detach")
    for command in READS:
        assert bench.run(*command).code == 0, command
    _refused(bench, 1, "E_DETACHED")


def test_in_the_middle_of_a_rebase_nothing_is_written(bench: Workbench) -> None:
    _two_in_dev(bench)
    bench.git("rebase", "-q", "--exec", "false", "HEAD~1", ok=False)
    _refused(bench, 1, "E_DETACHED")
    bench.git("rebase", "--abort")
    assert bench.verify() == (0, [])


def test_another_branch_gets_the_change_and_main_stays(bench: Workbench) -> None:
    bench.register()
    main = bench.git("rev-parse", "main")
    bench.git("switch", "-qc", "trial/one")
    bench.promote("fraud@1.0.0", "dev")
    assert bench.git("rev-parse", "main") == main
    assert bench.live("fraud", "dev") == "1.0.0"


def test_without_an_identity_commits_name_the_principal(
    bench: Workbench, home: Path, tmp_path: Path
) -> None:
    (home / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    _whole_flow(bench, tmp_path / "out")
    assert bench.git("log", "-1", "--format=%an <%ae> %cn <%ce>") == (
        "ada <ada@gitmodel.invalid> ada <ada@gitmodel.invalid>"
    )


def test_a_registry_can_be_made_without_an_identity(home: Path, tmp_path: Path) -> None:
    (home / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    assert gitmodel("init", tmp_path / "fresh").code == 0
    fresh = Workbench(tmp_path / "fresh", tmp_path)
    assert fresh.git("log", "-1", "--format=%an") == "owner"
    assert fresh.verify() == (0, [])


def test_a_linked_worktree_is_as_good_as_the_first(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.git("worktree", "add", "-q", "-b", "side", tmp_path / "linked")
    linked = Workbench(tmp_path / "linked", bench.outside)
    main = bench.git("rev-parse", "main")
    _whole_flow(linked, tmp_path / "out")
    assert bench.git("rev-parse", "main") == main
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert not (tmp_path / "linked/.git").is_dir()
    bench.git("merge", "-q", "--ff-only", "side")
    assert bench.verify() == (0, [])


def test_a_submodule_is_a_registry_like_any_other(
    bench: Workbench, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "super")
    allow = ("-c", "protocol.file.allow=always")
    git(tmp_path / "super", *allow, "submodule", "--quiet", "add", bench.path, "models")
    inner = Workbench(tmp_path / "super/models", bench.outside)
    assert (inner.path / ".git").is_file()
    _whole_flow(inner, tmp_path / "out")
    assert git(tmp_path / "super", "diff", "--name-only") == "models"


def test_a_directory_of_a_bigger_repository_becomes_a_registry_of_its_own(
    bench: Workbench, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "outer")
    assert gitmodel("init", tmp_path / "outer/inner", "--principal", "ada").code == 0
    inner = Workbench(tmp_path / "outer/inner", bench.outside)
    _whole_flow(inner, tmp_path / "out")
    assert (
        git(tmp_path / "outer", "rev-parse", "-q", "--verify", "HEAD", ok=False) == ""
    )


def test_a_sha256_repository_carries_the_whole_flow(
    bench: Workbench, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "long")
    long = Workbench(tmp_path / "long", bench.outside)
    long.do("init", "--principal", "ada")
    _whole_flow(long, tmp_path / "out")
    assert len(long.git("rev-parse", "HEAD")) == 64
    for commit in long.git("rev-list", "HEAD").split():
        long.git("verify-commit", commit)


def test_from_a_subdirectory_of_the_work_tree_the_registry_is_found(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.register()
    below = Workbench(bench.path / "models/fraud", bench.outside)
    below.promote("fraud@1.0.0", "dev")
    assert bench.live("fraud", "dev") == "1.0.0"
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert below.do("pull", "fraud#dev", "-o", tmp_path / "out")["verified"]


def test_a_work_tree_elsewhere_is_kept_in_step(
    bench: Workbench, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path in bench.path.iterdir():
        if path.name != ".git":
            path.rename(elsewhere / path.name)
    bench.git("config", "core.worktree", elsewhere)
    _whole_flow(bench, tmp_path / "out")
    assert (elsewhere / "stages/dev/fraud.yaml").is_file()
    assert [path.name for path in bench.path.iterdir()] == [".git"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else_is_used_only_when_git_trusts_it(
    bench: Workbench,
) -> None:
    _two_in_dev(bench)
    for path in (bench.path, *bench.path.rglob("*")):
        os.lchown(path, 4242, 4242)
    for command in (*READS, *WRITES):
        answer = bench.run("--json", *command)
        assert (answer.code, answer.json["error"]["code"]) == (1, "E_OWNERSHIP"), (
            command
        )
        assert f"safe.directory {bench.path}" in answer.err
    git(bench.outside, "config", "--global", "--add", "safe.directory", bench.path)
    assert bench.live("fraud", "dev") == "1.1.0"
    bench.do("rollback", "fraud", "dev", "-m", "x")
    assert bench.verify() == (0, [])
