from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters import picklescan
from tests.support.malware import samples

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_opinion_names_what_is_dangerous(tmp_path: Path) -> None:
    pytest.importorskip("picklescan")
    marker = tmp_path / "marker"
    data = samples(marker)
    found = picklescan.problems(io.BytesIO(data["model.pt"]), "model.pt")
    assert found == ("picklescan: it imports 'posix system'",)
    assert picklescan.problems(io.BytesIO(b"just text\n"), "vocab.txt") == ()
    assert picklescan.problems(io.BytesIO(data["broken.pt"]), "broken.pt") == ()
    assert not marker.exists()


def test_whether_it_is_there_is_known_without_it() -> None:
    there = importlib.util.find_spec("picklescan") is not None
    assert (picklescan.version() is not None) == there
