"""A scratch directory belongs to a living process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs import scratch
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path


def _abandoned(parent: Path, name: str = "gitmodel-dead") -> Path:
    path = parent / name
    path.mkdir(parents=True)
    (path / "lock").touch()
    (path / "0").write_bytes(b"half")
    return path


def test_it_is_gone_at_the_end_even_if_that_is_bad(tmp_path: Path) -> None:
    def work() -> None:
        with scratch.claim(tmp_path / "tmp") as room:
            (room.path / "0").write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_processes_have_two(tmp_path: Path) -> None:
    with scratch.claim(tmp_path) as one, scratch.claim(tmp_path) as other:
        assert one.path != other.path


def test_the_dead_are_swept_away_and_the_living_are_not(tmp_path: Path) -> None:
    parent = tmp_path / "tmp"
    _abandoned(parent)
    with scratch.claim(parent) as room:
        (room.path / "0").write_bytes(b"half")
        assert scratch.sweep(parent) == 1
        assert list(parent.iterdir()) == [room.path]
        assert (room.path / "0").read_bytes() == b"half"


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "0123-git-lfs").write_bytes(b"x")
    (tmp_path / "other").mkdir()
    before = sorted(tmp_path.iterdir())
    assert scratch.sweep(tmp_path) == 0
    assert sorted(tmp_path.iterdir()) == before
    assert scratch.sweep(tmp_path / "absent") == 0


def test_one_without_a_lock_is_removed_if_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "gitmodel-new").mkdir()
    assert scratch.sweep(tmp_path) == 1
    odd = tmp_path / "gitmodel-odd"
    odd.mkdir()
    (odd / "file").touch()
    assert scratch.sweep(tmp_path) == 0
    assert odd.is_dir()


def test_one_that_is_locked_is_left_alone(tmp_path: Path) -> None:
    path = _abandoned(tmp_path)
    holder = os.open(path / "lock", os.O_RDWR)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert scratch.sweep(tmp_path) == 0
    finally:
        os.close(holder)
    assert scratch.sweep(tmp_path) == 1


def test_git_lfs_is_shown_that_somebody_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scratch.claim(tmp_path) as room:
        os.utime(room.path, (0, 0))
        room.touch()
        assert room.path.stat().st_mtime == 0  # not at every call
        monkeypatch.setattr(scratch, "_FRESH", 0.0)
        room.touch()
        assert room.path.stat().st_mtime > 0


def test_a_place_that_cannot_be_written_is_an_outside_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutsideError),
        scratch.claim(tmp_path / "file"),
    ):
        pytest.fail("there is no such place")
