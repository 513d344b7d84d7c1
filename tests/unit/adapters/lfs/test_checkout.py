"""No bad byte leaves the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs.checkout import copy_out, copy_out_all
from gitmodel.adapters.lfs.ingest import ingest
from gitmodel.adapters.lfs.store import Store
from gitmodel.domain.digest import Digest
from gitmodel.errors import IntegrityError, NotFoundError, OutsideError
from gitmodel.formats.lfs_pointer import EMPTY, Pointer
from tests.support.progress import Recorder, once

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (20 << 20, 0, 5, 1 << 20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "lfs")


@pytest.fixture
def pointers(store: Store, tmp_path: Path) -> list[Pointer]:
    """Store a few objects."""
    sources = []
    for index, size in enumerate(SIZES):
        sources.append(tmp_path / f"source{index}")
        sources[-1].write_bytes(os.urandom(size))
    return [item.pointer for item in ingest(sources, store)]


def test_objects_come_out_as_they_went_in(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    heard = Recorder()
    wanted = [(pointer, out / "deep" / str(n)) for n, pointer in enumerate(pointers)]
    copy_out_all(store, wanted, heard)
    for index, (_, path) in enumerate(wanted):
        assert path.read_bytes() == (tmp_path / f"source{index}").read_bytes()
        assert path.stat().st_nlink == 1
    assert len(list((out / "deep").iterdir())) == len(wanted)
    assert heard.done == heard.total == sum(SIZES)
    assert heard.finished == 1


def test_a_file_that_is_there_is_replaced_and_a_link_is_not_followed(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    (tmp_path / "out").symlink_to(precious)
    copy_out(store, pointers[2], tmp_path / "out")
    assert precious.read_bytes() == b"mine"
    assert not (tmp_path / "out").is_symlink()
    assert (tmp_path / "out").stat().st_size == 5


def test_altered_bytes_do_not_come_out(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    path = store.path_of(pointers[3].digest)
    path.write_bytes(bytes(pointers[3].size))
    out = tmp_path / "out"
    with pytest.raises(IntegrityError) as error:
        copy_out_all(store, [(p, out / str(n)) for n, p in enumerate(pointers)])
    assert error.value.code == "E_ARTIFACT_DIGEST"
    assert str(path) in error.value.hints[0]
    assert list(out.iterdir()) == []


def test_a_bad_file_does_not_replace_a_good_one(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    store.path_of(pointers[2].digest).write_bytes(b"WRONG")
    (tmp_path / "out").write_bytes(b"good")
    with pytest.raises(IntegrityError):
        copy_out(store, pointers[2], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"good"


def test_missing_bytes_are_told_and_never_replaced_by_the_pointer(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    store.path_of(pointers[2].digest).unlink()
    with pytest.raises(NotFoundError) as error:
        copy_out(store, pointers[2], tmp_path / "out")
    assert error.value.code == "E_ARTIFACT_MISSING"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"shor", b"longer"])
def test_a_wrong_size_is_seen_before_anything_is_copied(
    store: Store, pointers: list[Pointer], tmp_path: Path, content: bytes
) -> None:
    store.path_of(pointers[2].digest).write_bytes(content)
    with pytest.raises(IntegrityError):
        copy_out(store, pointers[2], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_false_claim_of_emptiness_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        copy_out(store, Pointer(Digest("0" * 64), 0), tmp_path / "out")
    copy_out(store, Pointer(EMPTY, 0), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("alter", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_an_object_altered_meanwhile_is_refused(
    store: Store, tmp_path: Path, alter: Callable[[Path], object]
) -> None:
    # The biggest are copied first, a few ahead of the hashing: when the first is
    # being hashed, the last of twenty has not been opened.
    sources = [tmp_path / f"s{index}" for index in range(20)]
    for index, source in enumerate(sources):
        source.write_bytes(bytes(1000 - index))
    pointers = [item.pointer for item in ingest(sources, store)]
    victim = store.path_of(pointers[-1].digest)
    heard = Recorder(once(lambda: alter(victim)))
    out = tmp_path / "out"
    wanted = [(pointer, out / str(n)) for n, pointer in enumerate(pointers)]
    with pytest.raises((IntegrityError, NotFoundError)):
        copy_out_all(store, wanted, heard, workers=1)
    assert list(out.iterdir()) == []


def test_an_interruption_leaves_nothing(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_out(store, pointers[0], tmp_path / "o" / "a", Recorder(interrupt))
    assert list((tmp_path / "o").iterdir()) == []


def test_a_destination_that_cannot_be_written_is_an_outside_failure(
    store: Store, pointers: list[Pointer], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutsideError):
        copy_out(store, pointers[2], tmp_path / "file" / "x")
    (tmp_path / "dir").mkdir()
    with pytest.raises(OutsideError):
        copy_out(store, pointers[2], tmp_path / "dir")
    assert sorted(path.name for path in tmp_path.glob(".gitmodel*")) == []
