"""Files that somebody may not read or write, as somebody without privileges."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs.checkout import copy_out
from gitmodel.adapters.lfs.ingest import hash_files, ingest
from gitmodel.adapters.lfs.scan import collect
from gitmodel.adapters.lfs.store import Store
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def ordinary() -> Iterator[Path]:
    """Be an ordinary user, in a directory of one's own, until the test ends."""
    privileged = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        if privileged:
            os.chown(name, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            if privileged:
                os.seteuid(0)
            for path in Path(name).rglob("*"):
                path.chmod(0o700)


def _file(path: Path, mode: int = 0o600) -> Path:
    path.write_bytes(b"weights")
    path.chmod(mode)
    return path


def test_an_unreadable_file_is_the_callers_to_mend(ordinary: Path) -> None:
    source = _file(ordinary / "model.bin", 0o000)
    with pytest.raises(InputError, match="Permission denied") as error:
        ingest([source], Store(ordinary / "lfs"))
    assert error.value.code == "E_UNREADABLE"
    assert any("chmod" in hint for hint in error.value.hints)
    with pytest.raises(InputError, match="Permission denied"):
        hash_files([source])


def test_every_unreadable_path_is_listed(ordinary: Path) -> None:
    root = ordinary / "m"
    root.mkdir()
    _file(root / "good.bin")
    _file(root / "secret.bin", 0o000)
    (root / "closed").mkdir(mode=0o000)
    with pytest.raises(InputError) as error:
        collect([root, root / "closed" / "inside.bin"])
    said = {Path(p["path"]).name: p["message"] for p in error.value.problems}
    assert said == dict.fromkeys(
        ("secret.bin", "closed", "inside.bin"),
        "it cannot be read: Permission denied.",
    )


def test_a_store_of_somebody_else_is_named(ordinary: Path) -> None:
    source = _file(ordinary / "model.bin")
    (ordinary / "lfs").mkdir(mode=0o500)
    with pytest.raises(OutsideError, match="cannot be written") as error:
        ingest([source], Store(ordinary / "lfs"))
    assert error.value.code == "E_NOT_WRITABLE"


def test_an_unreadable_object_is_not_called_altered(ordinary: Path) -> None:
    store = Store(ordinary / "lfs")
    [stored] = ingest([_file(ordinary / "model.bin")], store)
    path = store.path_of(stored.digest)
    path.chmod(0o000)
    problem = store.verify(stored.pointer)
    assert problem is not None
    assert problem.code == "E_ARTIFACT_UNREADABLE"
    with pytest.raises(InputError):
        copy_out(store, stored.pointer, ordinary / "out")
    path.parent.chmod(0o000)
    problem = store.verify(stored.pointer)
    assert problem is not None
    assert problem.code == "E_ARTIFACT_UNREADABLE"
    path.parent.chmod(0o700)


def test_a_destination_of_somebody_else_is_named(ordinary: Path) -> None:
    store = Store(ordinary / "lfs")
    [stored] = ingest([_file(ordinary / "model.bin")], store)
    (ordinary / "out").mkdir(mode=0o500)
    with pytest.raises(OutsideError, match="cannot be written"):
        copy_out(store, stored.pointer, ordinary / "out" / "model.bin")


def test_what_another_user_left_is_not_in_the_way(ordinary: Path) -> None:
    store = Store(ordinary / "lfs")
    left = store.scratch / "gitmodel-0123"
    left.mkdir(parents=True)
    _file(left / "lock", 0o000)
    [stored] = ingest([_file(ordinary / "model.bin")], store)
    assert store.has(stored.digest, stored.size)
    assert left.is_dir()
