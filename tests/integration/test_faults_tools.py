"""Without git-lfs everything local works; without git, commands say so (R009)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import gitmodel
from tests.support.workbench import Workbench, git

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_lfs(
    bench: Workbench, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave nothing on PATH but git, and nothing of git-lfs in the configuration."""
    del bench  # which brings a configuration
    (home / "gitconfig").write_text("[init]\n\tdefaultBranch = main\n")
    found = shutil.which("git")
    assert found is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert shutil.which("git-lfs") is None


@pytest.mark.usefixtures("no_lfs")
def test_without_git_lfs_everything_local_works(
    bench: Workbench, tmp_path: Path
) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["to"] == "1.0.0"
    assert bench.verify() == (0, [])
    assert bench.do("pull", "fraud#dev", "-o", tmp_path / "out")["verified"]
    assert (tmp_path / "out/artifacts/model.bin").read_bytes() == b"fraud 1.0.0"
    [found] = [c for c in bench.do("doctor")["checks"] if c["name"] == "git-lfs"]
    assert not found["ok"]
    assert "git-lfs" in found["hint"]


@pytest.fixture
def remote(bench: Workbench, tmp_path: Path) -> Workbench:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    bench.git("remote", "add", "origin", tmp_path / "remote.git")
    bench.git("push", "-q", "origin", "main")
    return Workbench(tmp_path / "remote.git", bench.outside)


@pytest.mark.usefixtures("no_lfs")
def test_pushing_new_artifacts_without_git_lfs_changes_nothing_anywhere(
    bench: Workbench, remote: Workbench
) -> None:
    before, there = bench.snapshot(), remote.git("for-each-ref")
    file = bench.file("m.bin")
    answer = bench.run("--json", "register", "fraud", file, "--push", "--no-capture")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_NO_GIT_LFS")
    assert "apt-get install git-lfs" in answer.err
    assert bench.snapshot() == before
    assert remote.git("for-each-ref") == there


@pytest.mark.usefixtures("no_lfs")
def test_pushing_a_promotion_names_git_lfs_only_if_artifacts_have_to_go_along(
    bench: Workbench, remote: Workbench
) -> None:
    bench.register()
    before, there = bench.snapshot(), remote.git("for-each-ref")
    answer = bench.run("--json", "promote", "fraud@1.0.0", "dev", "--push")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_NO_GIT_LFS")
    assert bench.snapshot().status == before.status
    assert bench.snapshot().files == before.files
    assert bench.live("fraud", "dev") is None
    assert remote.git("for-each-ref") == there
    bench.git("push", "-q", "origin", "main")
    bench.do("promote", "fraud@1.0.0", "dev", "--push")
    assert remote.git("rev-parse", "main") == bench.git("rev-parse", "main")


@pytest.mark.usefixtures("no_lfs")
def test_a_pull_of_bytes_that_are_elsewhere_names_git_lfs(
    bench: Workbench, remote: Workbench, tmp_path: Path
) -> None:
    bench.register()
    bench.git("push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", remote.path, "clone")
    clone = Workbench(tmp_path / "clone", bench.outside)
    answer = clone.run("--json", "pull", "fraud@1.0.0", "-o", tmp_path / "out")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_NO_GIT_LFS")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("init",),
        ("list",),
        ("verify",),
        ("register", "fraud", "m.bin"),
        ("promote", "fraud@1.0.0", "dev"),
        ("rollback", "fraud", "dev", "-m", "x"),
    ],
    ids=lambda command: command[0],
)
def test_without_git_every_command_says_what_is_missing(
    command: tuple[str, ...], bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    answer = gitmodel("--json", *command, cwd=bench.path)
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_GIT")
    assert "git is not installed" in answer.err


@pytest.mark.parametrize("command", ["init", "list"])
def test_a_fresh_process_without_git_says_so_as_well(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GitPython looks for git when it is imported, once in a process.
    monkeypatch.setenv("PATH", "/nonexistent")
    done = subprocess.run(
        [sys.executable, "-m", "gitmodel", "-C", tmp_path, command],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "git is not installed" in done.stderr


def test_what_a_hook_left_in_the_environment_stops_no_fresh_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INTERNAL_SUPER_PREFIX", "strange/")
    monkeypatch.setenv("GIT_PYTHON_GIT_EXECUTABLE", "/bin/false")
    done = subprocess.run(
        [sys.executable, "-m", "gitmodel", "init", tmp_path / "r"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
