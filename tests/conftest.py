"""Hermetic tests: nobody's home, configuration or keys; real git all the same."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GIT_CONFIG = """\
[user]
	name = Ada Byron
	email = ada@example.com
[init]
	defaultBranch = main
[commit]
	gpgSign = false
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
"""


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITMODEL_", "XDG_", "VIRTUAL_ENV")):
            patch.delenv(name)
    home.mkdir(parents=True, exist_ok=True)
    (home / "gitconfig").write_text(_GIT_CONFIG)
    patch.setenv("HOME", str(home))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.setenv("GIT_TERMINAL_PROMPT", "0")
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    patch.setenv("NO_COLOR", "1")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one home and one fresh registry; tests work on copies."""
    root = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, root / "home")
        answer = gitmodel("init", "--name", "bench", "--principal", "ada", root / "r")
        assert answer.code == 0, answer.err
    return root


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a home of its own, without keys."""
    _isolate(monkeypatch, tmp_path / "home")
    yield tmp_path / "home"


@pytest.fixture
def bench(template: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return a registry of principal ada, whose default key is in the home."""
    shutil.copytree(template / "home", home, dirs_exist_ok=True)
    shutil.copytree(template / "r", tmp_path / "r", symlinks=True)
    config = tmp_path / "r/.git/config"
    config.write_text(config.read_text().replace(str(template), str(tmp_path)))
    (tmp_path / "outside").mkdir()
    return Workbench(tmp_path / "r", tmp_path / "outside")
