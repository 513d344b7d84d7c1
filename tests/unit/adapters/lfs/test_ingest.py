"""Files get into the store whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs.ingest import hash_files, ingest
from gitmodel.adapters.lfs.store import Store
from gitmodel.domain.digest import Digest
from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    InputError,
    NotFoundError,
    OutsideError,
)
from gitmodel.formats.lfs_pointer import EMPTY, Pointer
from tests.support.progress import Recorder, once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGE = 20 << 20  # several steps of copying


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "lfs")


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    """Make a directory on a file system other than that of ``tmp_path``."""
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system in memory here")
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _files_of(store: Store) -> list[Path]:
    return [path for path in store.root.rglob("*") if not path.is_dir()]


def _assert_untouched(store: Store) -> None:
    assert _files_of(store) == []
    assert list(store.scratch.glob("*")) == []


def test_a_file_becomes_an_object(store: Store, tmp_path: Path) -> None:
    data = os.urandom(100_000)
    source = _write(tmp_path / "model.bin", data)
    [stored] = ingest([source], store)
    assert (stored.source, stored.size) == (source, len(data))
    assert stored.digest == Digest.of(data)
    assert stored.pointer == Pointer(Digest.of(data), len(data))
    assert store.path_of(stored.digest).read_bytes() == data
    assert _files_of(store) == [store.path_of(stored.digest)]
    assert list(store.scratch.iterdir()) == []


def test_answers_come_in_the_order_of_the_questions(
    store: Store, tmp_path: Path
) -> None:
    datas = [os.urandom(size) for size in (5, LARGE, 0, 1 << 20, 70_000, 5 << 20)]
    sources = [_write(tmp_path / str(n), data) for n, data in enumerate(datas)]
    stored = ingest(sources, store)
    assert [item.source for item in stored] == sources
    assert [item.digest for item in stored] == [Digest.of(data) for data in datas]
    assert hash_files(sources) == [item.pointer for item in stored]
    for item, data in zip(stored, datas, strict=True):
        assert not data or store.path_of(item.digest).read_bytes() == data


@pytest.mark.parametrize("workers", [1, 3, 100])
def test_any_number_of_workers_gives_the_same(
    store: Store, tmp_path: Path, workers: int
) -> None:
    datas = [bytes([n]) * (n * 10_000) for n in range(1, 30)]
    sources = [_write(tmp_path / str(n), data) for n, data in enumerate(datas)]
    stored = ingest(sources, store, workers=workers)
    assert [item.digest for item in stored] == [Digest.of(data) for data in datas]


def test_no_files_are_no_work(store: Store) -> None:
    assert ingest([], store) == []
    assert hash_files([]) == []


def test_an_empty_file_has_a_digest_and_no_object(store: Store, tmp_path: Path) -> None:
    [stored] = ingest([_write(tmp_path / "empty", b"")], store)
    assert stored.pointer == Pointer(EMPTY, 0)
    _assert_untouched(store)


def test_the_same_bytes_twice_are_one_object(store: Store, tmp_path: Path) -> None:
    sources = [_write(tmp_path / name, b"same") for name in ("a", "b")]
    first, second = ingest([*sources, sources[0]], store)[:2]
    assert first.digest == second.digest
    assert len(_files_of(store)) == 1


def test_storing_again_changes_nothing_but_heals(store: Store, tmp_path: Path) -> None:
    source = _write(tmp_path / "a", b"right")
    [stored] = ingest([source], store)
    path = store.path_of(stored.digest)
    assert ingest([source], store) == [stored]
    path.write_bytes(b"wrong")
    assert ingest([source], store) == [stored]
    assert path.read_bytes() == b"right"
    assert _files_of(store) == [path]


def test_the_object_is_a_file_of_its_own(store: Store, tmp_path: Path) -> None:
    source = _write(tmp_path / "a", b"before")
    [stored] = ingest([source], store)
    with source.open("r+b") as file:
        file.write(b"AFTER!")
    path = store.path_of(stored.digest)
    assert path.read_bytes() == b"before"
    assert path.stat().st_nlink == 1


def test_modes_follow_the_umask_and_not_the_source(
    store: Store, tmp_path: Path
) -> None:
    source = _write(tmp_path / "a", b"x")
    source.chmod(0o400)
    [stored] = ingest([source], store)
    umask = os.umask(0)
    os.umask(umask)
    mode = stat.S_IMODE(store.path_of(stored.digest).stat().st_mode)
    assert mode == 0o666 & ~umask


def test_progress_hears_every_byte_once(store: Store, tmp_path: Path) -> None:
    sources = [_write(tmp_path / str(n), bytes(3 << 20)) for n in range(3)]
    for work in (lambda p: ingest(sources, store, p), lambda p: hash_files(sources, p)):
        heard = Recorder()
        work(heard)
        assert heard.done == heard.total == 9 << 20
        assert heard.finished == 1


def test_holes_stay_holes(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "sparse"
    with source.open("wb") as file:
        file.write(b"head")
        file.seek(30 << 20)
        file.write(b"middle")
        file.truncate(64 << 20)
    [stored] = ingest([source], store)
    copy = store.path_of(stored.digest)
    with source.open("rb") as file:
        assert stored.digest.hex == hashlib.file_digest(file, "sha256").hexdigest()
    assert copy.stat().st_size == 64 << 20
    assert copy.stat().st_blocks <= source.stat().st_blocks + 64
    assert copy.read_bytes() == source.read_bytes()


def test_a_file_of_nothing_but_a_hole(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "hole"
    with source.open("wb") as file:
        file.truncate(10 << 20)
    [stored] = ingest([source], store)
    assert stored.digest == Digest.of(bytes(10 << 20))
    assert store.path_of(stored.digest).stat().st_blocks == 0


def test_another_file_system_is_copied_from_by_hand(
    store: Store, other_file_system: Path
) -> None:
    # copy_file_range does not cross file systems of different kinds: EXDEV.
    source = _write(other_file_system / "model.bin", os.urandom(LARGE + 17))
    [stored] = ingest([source], store)
    assert stored.digest == Digest.of(source.read_bytes())
    assert store.path_of(stored.digest).read_bytes() == source.read_bytes()


# What cannot be stored


def test_a_missing_file_is_named(store: Store, tmp_path: Path) -> None:
    good = _write(tmp_path / "good", b"x")
    with pytest.raises(NotFoundError, match="absent"):
        ingest([good, tmp_path / "absent"], store)
    _assert_untouched(store)


def test_a_link_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(_write(tmp_path / "a", b"x"))
    with pytest.raises(InputError, match="link"):
        ingest([tmp_path / "link"], store)
    _assert_untouched(store)


def test_what_is_no_file_is_refused_without_waiting(
    store: Store, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(tmp_path / "socket"))
        for name in ("pipe", "socket", "."):
            with pytest.raises(InputError):
                ingest([tmp_path / name], store)
    with pytest.raises(InputError):
        hash_files([Path("/dev/zero")])
    _assert_untouched(store)


def test_a_pipe_put_in_place_of_a_file_is_refused(store: Store, tmp_path: Path) -> None:
    # The first file is large, so it is read first; meanwhile the second is replaced.
    large, small = (
        _write(tmp_path / "large", bytes(LARGE)),
        _write(tmp_path / "s", b"x"),
    )

    def replace() -> None:
        small.unlink()
        os.mkfifo(small)

    with pytest.raises(GitmodelError):
        ingest([large, small], store, Recorder(once(replace)), workers=1)
    _assert_untouched(store)


# Files that do not hold still: changed from within, at a known moment


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _shrink(path: Path) -> None:
    os.truncate(path, 5)


def _edit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(LARGE - 1)
        file.write(b"X")


def _replace(path: Path) -> None:
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(bytes(before.st_size))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [_grow, _shrink, _edit, _replace, _remove])
@pytest.mark.parametrize("which", [0, 1])
def test_a_change_meanwhile_is_a_conflict(
    store: Store, tmp_path: Path, change: Callable[[Path], object], which: int
) -> None:
    sources = [_write(tmp_path / str(n), bytes(LARGE)) for n in range(2)]
    for work in (
        lambda p: ingest(sources, store, p, workers=1),
        lambda p: hash_files(sources, p, workers=1),
    ):
        for source in sources:
            source.write_bytes(bytes(LARGE))
        heard = Recorder(once(lambda: change(sources[which])))
        with pytest.raises(ConflictError) as error:
            work(heard)
        assert error.value.code == "E_CHANGED"
        assert str(sources[which]) in error.value.message
        assert heard.finished == 1
    _assert_untouched(store)


# Interruptions


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
def test_whatever_happens_nothing_is_left(
    store: Store, tmp_path: Path, workers: int, kind: type[BaseException]
) -> None:
    sources = [_write(tmp_path / str(n), bytes(3 << 20)) for n in range(30)]

    def fail() -> None:
        raise kind

    before = threading.active_count()
    with pytest.raises(kind):
        ingest(sources, store, Recorder(fail), workers=workers)
    assert threading.active_count() == before
    _assert_untouched(store)


_INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from gitmodel.adapters.lfs.ingest import ingest
from gitmodel.adapters.lfs.store import Store
from tests.support.progress import Recorder, once

signal.signal(signal.SIGINT, signal.default_int_handler)
source, root = map(Path, sys.argv[1:3])
how = once(lambda: os.kill(os.getpid(), int(sys.argv[3])))
try:
    ingest([source] * 8, Store(root), Recorder(how))
except KeyboardInterrupt:
    sys.exit(130)
"""


def _interrupt(store: Store, source: Path, how: signal.Signals) -> int:
    return subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, source, store.root, str(int(how))],
        cwd=Path(__file__).parents[4],
        check=False,
    ).returncode


def test_ctrl_c_leaves_nothing(store: Store, tmp_path: Path) -> None:
    source = _write(tmp_path / "a", bytes(LARGE))
    assert _interrupt(store, source, signal.SIGINT) == 130
    _assert_untouched(store)


def test_a_killed_process_leaves_what_the_next_call_removes(
    store: Store, tmp_path: Path
) -> None:
    source = _write(tmp_path / "a", bytes(LARGE))
    assert _interrupt(store, source, signal.SIGKILL) == -signal.SIGKILL
    assert [path.name[:9] for path in store.scratch.iterdir()] == ["gitmodel-"]
    assert _files_of(store) != []
    [stored] = ingest([source], store)
    assert _files_of(store) == [store.path_of(stored.digest)]
    assert list(store.scratch.iterdir()) == []


def test_a_store_that_cannot_be_made_is_an_outside_failure(tmp_path: Path) -> None:
    source = _write(tmp_path / "a", b"x")
    with pytest.raises(OutsideError):
        ingest([source], Store(_write(tmp_path / "file", b"") / "lfs"))


def test_a_directory_in_the_place_of_an_object_is_an_outside_failure(
    store: Store, tmp_path: Path
) -> None:
    store.path_of(Digest.of(b"x")).mkdir(parents=True)
    with pytest.raises(OutsideError):
        ingest([_write(tmp_path / "a", b"x")], store)
    assert list(store.scratch.iterdir()) == []
