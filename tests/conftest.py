"""Hermetic tests: nobody's home, configuration or keys; real git all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.isolation import isolate
from tests.support.workbench import unpack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one home and one fresh registry; tests work on copies."""
    root = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        answer = gitmodel("init", "--name", "bench", "--principal", "ada", root / "r")
        assert answer.code == 0, answer.err
    return root


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give each test a home of its own, without keys, outside of its tmp_path."""
    place = tmp_path_factory.mktemp("home")
    isolate(monkeypatch, place)
    return place


@pytest.fixture
def bench(template: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return a registry of principal ada, whose default key is in the home."""
    return unpack(template, home, tmp_path)
