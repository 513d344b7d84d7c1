"""What is in the store, at first sight and byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmodel.adapters.lfs.ingest import ingest
from gitmodel.adapters.lfs.store import State, Store, as_error, locate
from gitmodel.domain.digest import Digest
from gitmodel.errors import IntegrityError, NotFoundError, OutsideError
from gitmodel.formats.lfs_pointer import EMPTY, Pointer
from tests.support.progress import Recorder

DATA = b"weights" * 1000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "lfs")


@pytest.fixture
def pointer(store: Store, tmp_path: Path) -> Pointer:
    """Store an object."""
    source = tmp_path / "model.bin"
    source.write_bytes(DATA)
    return ingest([source], store)[0].pointer


def test_an_object_is_where_git_lfs_looks_for_it() -> None:
    digest = Digest("0123" + "f" * 60)
    assert Store(Path("/s")).path_of(digest) == Path(f"/s/objects/01/23/{digest.hex}")


def test_presence_is_a_question_of_size(store: Store, pointer: Pointer) -> None:
    assert store.state(pointer.digest, pointer.size) is State.PRESENT
    assert store.has(pointer.digest, pointer.size)
    assert store.state(pointer.digest, pointer.size + 1) is State.WRONG_SIZE
    assert store.state(Digest("0" * 64), 1) is State.MISSING
    assert not store.has(Digest("0" * 64), 1)


def test_a_link_or_a_directory_is_no_object(store: Store, pointer: Pointer) -> None:
    path = store.path_of(pointer.digest)
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))
    assert store.state(pointer.digest, pointer.size) is State.WRONG_SIZE
    path.unlink()
    path.mkdir()
    assert store.state(pointer.digest, pointer.size) is State.WRONG_SIZE


def test_the_empty_object_is_always_there(store: Store) -> None:
    assert store.has(EMPTY, 0)
    assert store.verify(Pointer(EMPTY, 0)) is None
    assert store.open(Pointer(EMPTY, 0)).read() == b""


def test_a_lie_about_emptiness_does_not_verify(store: Store) -> None:
    problem = store.verify(Pointer(Digest("0" * 64), 0))
    assert problem is not None
    assert problem.code == "E_ARTIFACT_DIGEST"


def test_an_object_is_opened(store: Store, pointer: Pointer) -> None:
    with store.open(pointer) as file:
        assert file.read() == DATA


def test_what_is_not_there_or_too_short_is_not_opened(
    store: Store, pointer: Pointer
) -> None:
    with pytest.raises(NotFoundError) as missing:
        store.open(Pointer(Digest("0" * 64), 5))
    assert missing.value.code == "E_ARTIFACT_MISSING"
    with pytest.raises(IntegrityError) as short:
        store.open(Pointer(pointer.digest, pointer.size + 1))
    assert short.value.code == "E_ARTIFACT_DIGEST"


def test_sound_bytes_verify_and_progress_is_told(
    store: Store, pointer: Pointer
) -> None:
    heard = Recorder()
    assert store.verify(pointer, heard) is None
    assert heard.done == pointer.size


def test_one_flipped_byte_is_found(store: Store, pointer: Pointer) -> None:
    path = store.path_of(pointer.digest)
    path.write_bytes(DATA[:-1] + b"X")
    problem = store.verify(pointer)
    assert problem is not None
    assert problem.code == "E_ARTIFACT_DIGEST"
    assert str(Digest.of(DATA[:-1] + b"X")) in problem.message
    assert problem.path == str(path)


def test_missing_is_not_altered(store: Store, pointer: Pointer) -> None:
    store.path_of(pointer.digest).unlink()
    problem = store.verify(pointer)
    assert problem is not None
    assert problem.code == "E_ARTIFACT_MISSING"


def test_a_truncated_object_is_found(store: Store, pointer: Pointer) -> None:
    store.path_of(pointer.digest).write_bytes(DATA[:-1])
    problem = store.verify(pointer)
    assert problem is not None
    assert problem.code == "E_ARTIFACT_DIGEST"


def test_an_object_truncated_while_it_is_read_is_found(
    store: Store, tmp_path: Path
) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(3 << 20))
    pointer = ingest([source], store)[0].pointer
    path = store.path_of(pointer.digest)
    problem = store.verify(pointer, Recorder(lambda: path.write_bytes(b"")))
    assert problem is not None
    assert problem.code == "E_ARTIFACT_DIGEST"


def test_many_are_answered_in_order(store: Store, pointer: Pointer) -> None:
    absent = Pointer(Digest("0" * 64), 5)
    answers = store.verify_all([absent, pointer, Pointer(EMPTY, 0), absent])
    codes = [answer and answer.code for answer in answers]
    assert codes == ["E_ARTIFACT_MISSING", None, None, "E_ARTIFACT_MISSING"]
    assert store.verify_all([]) == []


def test_an_interruption_ends_the_verification(store: Store, pointer: Pointer) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.verify_all([pointer] * 20, Recorder(interrupt))


def test_the_worst_problem_names_the_error(store: Store, pointer: Pointer) -> None:
    missing = store.verify(Pointer(Digest("0" * 64), 5))
    store.path_of(pointer.digest).write_bytes(b"x" * pointer.size)
    altered = store.verify(pointer)
    assert missing is not None
    assert altered is not None
    error = as_error([missing, altered])
    assert isinstance(error, IntegrityError)
    assert "1 more" in error.message
    assert len(error.problems) == 2
    assert isinstance(as_error([missing]), NotFoundError)


def test_an_object_that_cannot_be_reached_is_told_apart(
    store: Store, pointer: Pointer
) -> None:
    # A loop of links where a directory should be: nobody can look behind it.
    directory = store.path_of(pointer.digest).parent
    directory.rename(directory.with_name("moved"))
    directory.symlink_to(directory.name)
    problem = store.verify(pointer)
    assert problem is not None
    assert problem.code == "E_ARTIFACT_UNREADABLE"
    assert isinstance(as_error([problem]), OutsideError)


@pytest.mark.parametrize(
    ("setting", "where"),
    [
        (None, "/r/.git/lfs"),
        ("", "/r/.git/lfs"),
        ("other", "/r/.git/other"),
        ("../shared/./lfs", "/r/shared/lfs"),
        ("/big/disk", "/big/disk"),
        ("~/lfs", "/r/.git/~/lfs"),
    ],
)
def test_the_store_is_where_the_setting_says(setting: str | None, where: str) -> None:
    assert locate(Path("/r/.git"), setting) == Path(where)
