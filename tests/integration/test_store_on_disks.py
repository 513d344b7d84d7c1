"""Disks as they are: full, read-only, able to share blocks; files beyond 4 GiB."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs.checkout import copy_out
from gitmodel.adapters.lfs.ingest import ingest
from gitmodel.adapters.lfs.store import Store
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20


def _mount(path: Path, *arguments: str | Path) -> Iterator[Path]:
    path.mkdir()
    done = subprocess.run(
        ["mount", *arguments, path], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"this machine lets nobody mount here: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from _mount(tmp_path / "disk", "-t", "tmpfs", "-o", "size=24m", "none")


@pytest.fixture
def sharing_disk(tmp_path: Path) -> Iterator[Path]:
    if shutil.which("mkfs.xfs") is None:
        pytest.skip("there is no mkfs.xfs to make a file system that shares blocks")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(400 * MIB)
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True)
    yield from _mount(tmp_path / "disk", "-o", "loop", image)


def _random(path: Path, size: int) -> Path:
    path.write_bytes(os.urandom(size))
    return path


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


def _free(disk: Path) -> int:
    return shutil.disk_usage(disk).free


def test_a_disk_too_small_for_one_file_is_left_as_it_was(
    small_disk: Path, tmp_path: Path
) -> None:
    before = _free(small_disk)
    source = _random(tmp_path / "model.bin", 40 * MIB)
    with pytest.raises(OutsideError) as error:
        ingest([source], Store(small_disk / "lfs"))
    assert error.value.code == "E_NO_SPACE"
    assert "40.0 MiB" in error.value.message
    assert any("git lfs prune" in hint for hint in error.value.hints)
    assert _files(small_disk) == []
    assert before - _free(small_disk) < MIB


def test_a_disk_that_fills_up_keeps_none_of_several_files(
    small_disk: Path, tmp_path: Path
) -> None:
    sources = [_random(tmp_path / str(index), 3 * MIB) for index in range(20)]
    store = Store(small_disk / "lfs")
    with pytest.raises(OutsideError) as error:
        ingest(sources, store)
    assert error.value.code == "E_NO_SPACE"
    assert _files(small_disk) == []
    assert len(ingest(sources[:5], store)) == 5


def test_a_full_disk_gets_no_half_artifact(small_disk: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "lfs")
    [stored] = ingest([_random(tmp_path / "model.bin", 40 * MIB)], store)
    with pytest.raises(OutsideError) as error:
        copy_out(store, stored.pointer, small_disk / "out" / "model.bin")
    assert error.value.code == "E_NO_SPACE"
    assert _files(small_disk) == []


def test_a_read_only_disk_is_named(small_disk: Path, tmp_path: Path) -> None:
    store = Store(small_disk / "lfs")
    source = _random(tmp_path / "model.bin", MIB)
    ingest([source], store)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(OutsideError, match="Read-only file system") as error:
        ingest([source], store)
    assert str(small_disk) in error.value.message


def test_blocks_are_shared_where_the_file_system_can(sharing_disk: Path) -> None:
    source = _random(sharing_disk / "model.bin", 100 * MIB)
    os.sync()
    before = _free(sharing_disk)
    store = Store(sharing_disk / "lfs")
    [stored] = ingest([source], store)
    copy_out(store, stored.pointer, sharing_disk / "out" / "model.bin")
    os.sync()
    assert before - _free(sharing_disk) < 20 * MIB
    with source.open("r+b") as file:
        file.write(b"edited in place")
    assert store.verify(stored.pointer) is None


_MEASURED = """
import sys
from pathlib import Path
from gitmodel.adapters.lfs.ingest import ingest
from gitmodel.adapters.lfs.store import Store
[stored] = ingest([Path(sys.argv[1])], Store(Path(sys.argv[2])))
[peak] = [x for x in open("/proc/self/status") if x.startswith("VmHWM")]
print(stored.digest.hex, stored.size, peak.split()[1])
"""


def test_a_file_beyond_4_gib_takes_little_memory_and_keeps_its_holes(
    tmp_path: Path,
) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.write(b"head")
        file.seek(4096 * MIB)
        file.write(b"beyond 4 GiB")
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, source, tmp_path / "lfs"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    digest, size, kibibytes = done.stdout.split()
    # From openssl dgst -sha256 over the same bytes.
    assert digest == "fe265a339f189f21e23bccc9c6dd3b534f082bb88b64b84ff7b766ad2c1178e7"
    assert int(size) == 4096 * MIB + 12
    assert int(kibibytes) < 150 * 1024
    [copy] = _files(tmp_path / "lfs")
    assert copy.stat().st_blocks * 512 < MIB
