from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Protocol

import pytest

from gitmodel.adapters.capture.worktree import is_dirty

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    class Git(Protocol):
        def __call__(self, directory: Path, *arguments: str) -> str: ...


def touch(file: Path) -> None:
    """Make git compare the file's content with what it knows."""
    os.utime(file, (1, 1))


def test_a_fresh_commit_is_clean(repo: Path) -> None:
    assert not is_dirty(repo)


def test_a_touched_file_is_clean_and_the_index_is_not_written(repo: Path) -> None:
    touch(repo / "src" / "train.py")
    before = (repo / ".git" / "index").read_bytes()
    assert not is_dirty(repo)
    assert (repo / ".git" / "index").read_bytes() == before


def edit(repo: Path, git: Git) -> None:
    del git
    (repo / "src" / "train.py").write_text("fit(harder)\n")


def delete(repo: Path, git: Git) -> None:
    del git
    (repo / "src" / "train.py").unlink()


def stage(repo: Path, git: Git) -> None:
    (repo / "new.py").write_text("")
    git(repo, "add", "new.py")


def stage_and_undo(repo: Path, git: Git) -> None:
    original = (repo / "src" / "train.py").read_text()
    edit(repo, git)
    git(repo, "add", ".")
    (repo / "src" / "train.py").write_text(original)


def leave_untracked(repo: Path, git: Git) -> None:
    del git
    (repo / "src" / "deep").mkdir()
    (repo / "src" / "deep" / "new.py").write_text("")


def hide_untracked(repo: Path, git: Git) -> None:
    git(repo, "config", "status.showUntrackedFiles", "no")
    (repo / "new.py").write_text("")


def make_executable(repo: Path, git: Git) -> None:
    git(repo, "config", "core.fileMode", "true")
    (repo / "src" / "train.py").chmod(0o755)


def make_link(repo: Path, git: Git) -> None:
    delete(repo, git)
    (repo / "src" / "train.py").symlink_to("../.gitignore")


@pytest.mark.parametrize(
    "change",
    [
        edit,
        delete,
        stage,
        stage_and_undo,
        leave_untracked,
        hide_untracked,
        make_executable,
        make_link,
    ],
)
def test_changes_are_seen(
    repo: Path, git: Git, change: Callable[[Path, Git], None]
) -> None:
    change(repo, git)
    assert is_dirty(repo)


def test_ignored_files_do_not_count(repo: Path) -> None:
    (repo / "scratch.tmp").write_text("")
    assert not is_dirty(repo)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a mark when something runs it."""
    program = tmp_path / "trap"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def arm(repo: Path, trap: Path, git: Git) -> None:
    """Have the repository's own configuration name the trap wherever it can."""
    hooks = trap.parent / "armed"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman"):
        (hooks / name).symlink_to(trap)
    git(repo, "config", "core.hooksPath", str(hooks))
    git(repo, "config", "core.fsmonitor", str(trap))
    git(repo, "config", "core.sshCommand", str(trap))
    for name in ("plain", "a=b.c"):
        git(repo, "config", f"filter.{name}.clean", str(trap))
        git(repo, "config", f"filter.{name}.required", "true")
    git(repo, "config", "filter.long.process", str(trap))
    attributes = repo / git(repo, "rev-parse", "--git-path", "info/attributes")
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("train.py filter=plain\n*.b filter=a=b.c\n*.c filter=long\n")


@pytest.mark.parametrize("harmless", ["core.fsmonitor", "filter.plain.clean"])
def test_the_trap_works(
    repo: Path, trap: Path, git: Git, tmp_path: Path, harmless: str
) -> None:
    arm(repo, trap, git)
    git(repo, "config", "--unset", harmless)  # so the other one must spring it
    git(repo, "config", "filter.plain.required", "false")
    touch(repo / "src" / "train.py")
    git(repo, "-c", "core.hooksPath=/dev/null", "status")
    assert (tmp_path / "sprung").exists()


def test_nothing_that_the_repository_configures_is_run(
    repo: Path, trap: Path, git: Git, tmp_path: Path
) -> None:
    for name in ("x.b", "y.c"):
        (repo / "src" / name).write_text("same\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "More")
    arm(repo, trap, git)
    for name in ("train.py", "x.b", "y.c"):
        touch(repo / "src" / name)

    assert not is_dirty(repo)
    assert not (tmp_path / "sprung").exists()


def test_nothing_that_a_submodule_configures_is_run(
    repo: Path, make_repo: Callable[[str], Path], trap: Path, git: Git, tmp_path: Path
) -> None:
    module = add_submodule(repo, make_repo("library"), git)
    arm(module, trap, git)
    touch(module / "src" / "train.py")

    assert not is_dirty(repo)
    assert not (tmp_path / "sprung").exists()


def add_submodule(repo: Path, library: Path, git: Git) -> Path:
    allow = ("-c", "protocol.file.allow=always")
    git(repo, *allow, "submodule", "--quiet", "add", str(library), "library")
    git(repo, "commit", "-q", "-m", "Library")
    return repo / "library"


def test_changes_inside_a_submodule_count(
    repo: Path, make_repo: Callable[[str], Path], git: Git
) -> None:
    module = add_submodule(repo, make_repo("library"), git)
    git(repo, "config", "submodule.library.ignore", "all")
    assert not is_dirty(repo)
    (module / "new.py").write_text("")
    assert is_dirty(repo)
    git(module, "add", ".")
    git(module, "commit", "-q", "-m", "More")
    assert not is_dirty(module)
    assert is_dirty(repo)
    git(repo, "add", "library")
    git(repo, "commit", "-q", "-m", "Newer library")
    assert not is_dirty(repo)


def test_a_submodule_that_is_not_checked_out_is_clean(
    repo: Path, make_repo: Callable[[str], Path], git: Git
) -> None:
    add_submodule(repo, make_repo("library"), git)
    git(repo, "submodule", "--quiet", "deinit", "-f", "library")
    assert not is_dirty(repo)


WEIGHTS = b"\x00weights" * 1000


@pytest.fixture
def lfs_repo(repo: Path, git: Git) -> Path:
    """A repository with two LFS files in it, as a checkout leaves them."""
    git(repo, "lfs", "install", "--local", "--skip-repo")
    (repo / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (repo / "a.bin").write_bytes(WEIGHTS)
    (repo / "b.bin").write_bytes(WEIGHTS + b"!")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "Weights")
    return repo


def test_lfs_files_are_compared_with_their_pointers(lfs_repo: Path) -> None:
    for name in ("a.bin", "b.bin"):
        touch(lfs_repo / name)
    assert not is_dirty(lfs_repo)
    (lfs_repo / "a.bin").write_bytes(WEIGHTS[:-1] + b"?")
    assert is_dirty(lfs_repo)
    (lfs_repo / "a.bin").write_bytes(WEIGHTS + b"longer")
    assert is_dirty(lfs_repo)
    (lfs_repo / "a.bin").write_bytes(WEIGHTS)
    assert not is_dirty(lfs_repo)
    (lfs_repo / "new.py").write_text("")
    assert is_dirty(lfs_repo)


def test_content_in_place_of_a_pointer_counts_without_lfs(repo: Path, git: Git) -> None:
    pointer = (
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{hashlib.sha256(WEIGHTS).hexdigest()}\nsize {len(WEIGHTS)}\n"
    )
    (repo / "a.bin").write_text(pointer)
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "A pointer as text")
    (repo / "a.bin").write_bytes(WEIGHTS)
    assert is_dirty(repo)


def test_an_lfs_file_that_was_committed_whole(lfs_repo: Path, git: Git) -> None:
    off = ("clean=", "process=", "required=false")
    no_filter = [word for value in off for word in ("-c", f"filter.lfs.{value}")]
    (lfs_repo / "c.bin").write_bytes(WEIGHTS)
    git(lfs_repo, *no_filter, "add", "c.bin")
    git(lfs_repo, *no_filter, "commit", "-q", "-m", "No pointer")
    assert not is_dirty(lfs_repo)
    (lfs_repo / "c.bin").write_bytes(WEIGHTS + b"!")
    assert is_dirty(lfs_repo)


def test_nothing_is_fetched_for_a_partial_clone(
    lfs_repo: Path, git: Git, tmp_path: Path
) -> None:
    git(lfs_repo, "config", "uploadpack.allowFilter", "true")
    source, clone = f"file://{lfs_repo}", tmp_path / "partial"
    quiet = ("-q", "--filter=blob:none", "--no-checkout")
    git(tmp_path, "clone", *quiet, source, str(clone))
    git(clone, "read-tree", "HEAD")
    for name in (".gitattributes", "a.bin", "b.bin", ".gitignore"):
        (clone / name).write_bytes((lfs_repo / name).read_bytes())
    (clone / "src").mkdir()
    (clone / "src" / "train.py").write_text("fit()\n")
    packs = sorted((clone / ".git" / "objects").rglob("*"))

    assert is_dirty(clone)  # without their pointers the LFS files cannot be told
    assert sorted((clone / ".git" / "objects").rglob("*")) == packs
