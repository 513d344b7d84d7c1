"""Stock git and git-lfs find nothing unusual in a registry, whatever was done to it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.remotes import clone, make_hub
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workbench import Workbench

ARTIFACTS = "models/fraud/versions/{}/artifacts/model.bin"
BYTES = {"1.0.0": b"first\r\nsecond\n\x00", "1.1.0": b"\x89better\n"}


def _register(bench: Workbench, version: str) -> None:
    bench.register(version=version, data=BYTES.get(version))


def _signatures(bench: Workbench) -> set[str]:
    """Return git's verdicts on all commits: G is good, and then who."""
    return set(bench.git("log", "--format=%G? %GS").splitlines())


def _all_is_well(bench: Workbench, artifacts: int) -> None:
    """Ask git and git-lfs everything they can find fault with."""
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert bench.git("fsck", "--strict", "--no-dangling") == ""
    assert bench.git("lfs", "fsck") == "Git LFS fsck OK"
    assert len(bench.git("lfs", "ls-files").splitlines()) == artifacts
    status = bench.git("lfs", "status", "--porcelain")
    assert status == ""
    assert bench.git("status", "--porcelain", "-uall") == ""


# --- signatures -----------------------------------------------------------------------


def test_git_believes_every_commit_of_every_command(bench: Workbench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    bench.do("rollback", "fraud", "dev", "-m", "x")
    assert _signatures(bench) == {"G ada"}
    subjects = bench.git("log", "--format=%s").splitlines()
    assert [subject.partition("(")[0].partition(":")[0] for subject in subjects] == [
        "rollback",
        *("promote", "register") * 2,
        "init",
    ]
    for commit in bench.git("rev-list", "HEAD").split():
        bench.git("verify-commit", commit)
    shown = bench.git("log", "--show-signature")
    assert shown.count('Good "git" signature for ada') == len(subjects)
    assert "principal" not in shown.casefold().replace("gitmodel-principal", "")


def test_git_says_so_when_a_commit_was_altered(bench: Workbench) -> None:
    bench.register()
    raw = bench.git("cat-file", "commit", "HEAD")
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=bench.path,
        input=f"{raw.replace('register(fraud)', 'register(fraut)')}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    bench.git("update-ref", "HEAD", done.stdout.strip())
    assert bench.git("log", "-1", "--format=%G?") == "B"


def test_a_fresh_clone_believes_them_after_init_or_with_the_exported_file(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.register()
    anyone = clone(bench.path, tmp_path / "anyone", bench.outside)
    assert _signatures(anyone) == {"N "}
    signers = tmp_path / "signers"
    signers.write_text(anyone.run("key", "show", "--allowed-signers").out)
    setting = ("-c", f"gpg.ssh.allowedSignersFile={signers}")
    assert set(anyone.git(*setting, "log", "--format=%G?").split()) == {"G"}
    assert anyone.do("init")["commit"] == bench.git("rev-parse", "HEAD~1")
    assert _signatures(anyone) == {"G ada"}
    assert anyone.git("status", "--porcelain", "-uall") == ""


def test_the_users_own_commits_can_be_signed_with_the_same_key(
    bench: Workbench,
) -> None:
    bench.register()
    (bench.path / "README.md").write_text("hello\n")
    bench.git("add", "README.md")
    bench.git("commit", "-q", "-S", "-m", "Say hello")
    bench.git("config", "commit.gpgSign", "true")
    bench.git("commit", "-q", "--allow-empty", "-m", "Say it again")
    bench.git("tag", "-s", "fraud/v1.0.0", "-m", "fraud 1.0.0")
    bench.git("verify-tag", "fraud/v1.0.0")
    bench.promote("fraud@1.0.0", "dev")
    assert _signatures(bench) == {"G ada"}
    assert bench.verify() == (0, [])


def test_a_key_of_the_users_choice_stays_the_one_that_git_uses(
    home: Path, tmp_path: Path, bench: Workbench
) -> None:
    key = home / "mine"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True
    )
    for name, value in (("user.signingkey", str(key)), ("gpg.format", "ssh")):
        git(tmp_path, "config", "--global", name, value)
    bench.do("init", tmp_path / "other")
    assert git(tmp_path / "other", "config", "user.signingkey") == str(key)


# --- after each command ---------------------------------------------------------------


def test_after_each_command_everything_is_clean(
    bench: Workbench, tmp_path: Path
) -> None:
    steps: list[tuple[Callable[[], object], int]] = [
        (lambda: _register(bench, "1.0.0"), 1),
        (lambda: bench.promote("fraud@1.0.0", "dev"), 1),
        (lambda: _register(bench, "1.1.0"), 2),
        (lambda: bench.promote("fraud@1.1.0", "dev"), 2),
        (lambda: bench.do("rollback", "fraud", "dev", "-m", "x"), 2),
        (lambda: bench.do("pull", "fraud@1.1.0", "-o", tmp_path / "out"), 2),
        (lambda: bench.do("init"), 2),
        (bench.verify, 2),
    ]
    for command, artifacts in steps:
        command()
        _all_is_well(bench, artifacts)


@pytest.fixture
def hub(bench: Workbench, tmp_path: Path) -> Path:
    """Return a remote that has a registry with one version in dev."""
    made = make_hub(tmp_path / "hub.git")
    bench.git("remote", "add", "origin", made)
    _register(bench, "1.0.0")
    bench.do("promote", "fraud@1.0.0", "dev", "--push")
    return made


def test_a_plain_clone_and_git_lfs_pull_give_the_bytes(
    bench: Workbench, hub: Path, tmp_path: Path
) -> None:
    anyone = clone(hub, tmp_path / "anyone", bench.outside)
    model = anyone.path / ARTIFACTS.format("1.0.0")
    assert model.read_bytes().startswith(b"version https://git-lfs")
    anyone.git("lfs", "pull")
    assert model.read_bytes() == BYTES["1.0.0"]
    _all_is_well(anyone, 1)


@pytest.mark.parametrize("autocrlf", ["false", "true"])
def test_a_clone_with_real_bytes_in_its_files_is_worked_in_like_any_other(
    autocrlf: str, bench: Workbench, hub: Path, tmp_path: Path
) -> None:
    (bench.path / "README.md").write_bytes(b"one\n")
    bench.git("add", "README.md")
    bench.git("commit", "-qm", "text")
    bench.git("push", "-q", "origin", "main")
    options = ("-c", f"core.autocrlf={autocrlf}")
    theirs = clone(hub, tmp_path / "theirs", bench.outside, *options, smudge=True)
    old = theirs.path / ARTIFACTS.format("1.0.0")
    assert old.read_bytes() == BYTES["1.0.0"]
    _register(theirs, "1.1.0")
    theirs.promote("fraud@1.1.0", "dev")
    theirs.do("rollback", "fraud", "dev", "-m", "x")
    theirs.do("hold", "release", "fraud@1.1.0", "dev", "-m", "x")
    theirs.do("init")
    _all_is_well(theirs, 2)
    assert _signatures(theirs) == {"G ada", "N "}  # N: the README, by plain git
    assert old.read_bytes() == BYTES["1.0.0"]
    theirs.git("lfs", "checkout")
    assert (theirs.path / ARTIFACTS.format("1.1.0")).read_bytes() == BYTES["1.1.0"]
    _all_is_well(theirs, 2)
    # Documents have the bytes that were signed; other text is as the user wants it.
    signed = git(bench.path, "hash-object", "--no-filters", "stages/dev/fraud.yaml")
    for path in ("stages/dev/fraud.yaml", "gitmodel.yaml"):
        found = theirs.git("hash-object", "--no-filters", path)
        assert found == theirs.git("rev-parse", f"HEAD:{path}")
    assert signed == theirs.git("rev-parse", "HEAD:stages/dev/fraud.yaml")
    ending = b"\r\n" if autocrlf == "true" else b"\n"
    assert (theirs.path / "README.md").read_bytes() == b"one" + ending
    # What others pushed meanwhile is taken in, and so are its bytes when asked for.
    bench.commit_file("README.md", b"one\ntwo\n")
    bench.git("push", "-q", "origin", "main")
    theirs.git("fetch", "-q")
    theirs.git("merge", "-q", "--no-edit", "origin/main")
    theirs.do("promote", "fraud@1.1.0", "dev", "--push")
    bench.git("pull", "-q", "--ff-only", "origin", "main")
    assert bench.verify() == theirs.verify() == (0, [])
    _all_is_well(theirs, 2)


def test_without_git_lfs_in_the_configuration_pointers_stay_pointers(
    bench: Workbench, hub: Path, tmp_path: Path
) -> None:
    configuration = tmp_path / "gitconfig"
    configuration.write_text("[user]\n\tname = Bob\n\temail = bob@example.com\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
        theirs = clone(hub, tmp_path / "theirs", bench.outside, smudge=True)
        _register(theirs, "1.1.0")
        theirs.promote("fraud@1.1.0", "dev")
        assert theirs.git("status", "--porcelain", "-uall") == ""
        model = theirs.path / ARTIFACTS.format("1.1.0")
        assert model.read_bytes().startswith(b"version https://git-lfs")
        theirs.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
        assert (tmp_path / "out/artifacts/model.bin").read_bytes() == BYTES["1.0.0"]
        assert theirs.verify() == (0, [])


# --- by hand --------------------------------------------------------------------------


def test_a_promotion_that_was_reverted_by_hand_is_found_and_named(
    bench: Workbench,
) -> None:
    for version in ("1.0.0", "1.1.0"):
        _register(bench, version)
        bench.promote(f"fraud@{version}", "dev")
    good = bench.git("rev-parse", "HEAD")
    bench.git("revert", "--no-edit", good)
    # git is content, the pin is what it was before, but the log was tampered with.
    assert bench.live("fraud", "dev") == "1.0.0"
    _all_is_well(bench, 2)
    answer = bench.run("--json", "verify")
    assert answer.code == 4
    reverting = bench.git("rev-parse", "HEAD")
    found = {
        (problem["code"], problem["commit"]) for problem in answer.json["problems"]
    }
    assert ("E_APPEND_ONLY", reverting) in found
    # Nobody is fooled by undoing it; as it was never pushed, dropping it is enough.
    bench.git("revert", "--no-edit", "HEAD")
    assert bench.verify()[0] == 4
    bench.git("reset", "-q", "--hard", good)
    assert bench.verify() == (0, [])
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["to"] == "1.0.0"


def test_ordinary_work_with_git_keeps_a_registry_whole(
    bench: Workbench, tmp_path: Path
) -> None:
    _register(bench, "1.0.0")
    bench.git("switch", "-q", "-c", "work")
    (bench.path / "README.md").write_text("hello\n")
    bench.git("add", "README.md")
    bench.git("commit", "-qm", "hello")
    bench.promote("fraud@1.0.0", "dev")
    bench.git("switch", "-q", "main")
    _register(bench, "1.1.0")
    bench.git("merge", "-q", "--no-edit", "work")
    bench.git("stash", "push", "-q", ok=False)
    bench.git("gc", "-q")
    assert bench.live("fraud", "dev") == "1.0.0"
    assert bench.verify() == (0, [])
    bench.git("worktree", "add", "-q", tmp_path / "side", "HEAD~1")
    _all_is_well(bench, 2)
