"""One file at a time: what is opened, copied, cloned and hashed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs import streams
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from io import FileIO


def _copied(source: Path, target: Path, size: int) -> list[int]:
    steps: list[int] = []
    with streams.open_regular(source) as one, streams.create(target) as other:
        streams.copy(one, other, size, steps.append)
    return steps


def _ignore(_: int) -> None:
    pass


def _open(path: Path) -> FileIO:
    return streams.open_regular(path)


@pytest.mark.parametrize("size", [0, 1, streams.STEP, 2 * streams.STEP + 3])
def test_a_copy_grows_in_steps(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    steps = _copied(tmp_path / "a", tmp_path / "b", size)
    assert (tmp_path / "b").read_bytes() == data
    assert steps == sorted(steps)
    assert len(steps) >= size / streams.STEP
    assert not size or steps[-1] == size


def test_more_bytes_than_wanted_are_not_copied(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    _copied(tmp_path / "a", tmp_path / "b", 4)
    assert (tmp_path / "b").read_bytes() == b"0123"


@pytest.mark.parametrize("content", [b"", b"012"])
def test_fewer_bytes_than_wanted_are_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(EOFError):
        _copied(tmp_path / "a", tmp_path / "b", 4)
    with _open(tmp_path / "a") as file, pytest.raises(EOFError):
        streams.hash_file(file, 4, _ignore)


def test_a_copy_never_writes_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        _copied(tmp_path / "a", tmp_path / "b", 3)
    assert (tmp_path / "b").read_bytes() == b"old"


def test_hashing_waits_for_bytes_that_are_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"")
    asked: list[int] = []

    def ready(offset: int) -> int:
        asked.append(offset)
        with path.open("ab") as file:
            file.write(b"xy")
        return offset + 2

    with _open(path) as file:
        digest = streams.hash_file(file, 6, _ignore, ready)
    assert digest == Digest.of(b"xyxyxy")
    assert asked == [0, 2, 4]


def test_a_clone_is_asked_for_and_may_be_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"bytes")
    with _open(tmp_path / "a") as one, streams.create(tmp_path / "b") as other:
        cloned = streams.clone(one, other)
        assert (tmp_path / "b").read_bytes() == (b"bytes" if cloned else b"")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(InputError):
            _open(path)
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(OSError, match="symbolic"):
        _open(tmp_path / "link")
