"""Real git repositories, out of reach of the developer's own configuration."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Git(Protocol):
    def __call__(self, directory: Path, *arguments: str) -> str: ...


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")

    def run(directory: Path, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(directory), *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    return run


@pytest.fixture
def make_repo(tmp_path: Path, git: Git) -> Callable[[str], Path]:
    """Make a repository with one commit of ``src/train.py`` and ``.gitignore``."""

    def make(name: str) -> Path:
        repo = tmp_path / name
        (repo / "src").mkdir(parents=True)
        git(repo, "init", "-q", "-b", "main")
        (repo / "src" / "train.py").write_text("fit()\n")
        (repo / ".gitignore").write_text("*.tmp\n")
        git(repo, "add", ".")
        git(repo, "commit", "-q", "-m", "Start")
        return repo

    return make


@pytest.fixture
def repo(make_repo: Callable[[str], Path]) -> Path:
    return make_repo("code")
