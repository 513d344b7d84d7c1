"""Disks that are full or read-only (design 6; exit code 5, nothing half done)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

PAGE = 4096


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Return a function that mounts a small file system of its own."""
    mounted: list[Path] = []

    def make(name: str, options: str) -> Path:
        place = tmp_path / name
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "gitmodel-test", place],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "--lazy", place], check=True)


def _fill(place: Path, pages: int) -> Path:
    """Leave room for ``pages`` pages; return the file that takes up the rest."""
    filler = place / "filler"
    filler.unlink(missing_ok=True)
    free = os.statvfs(place).f_bavail
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(0, free - pages) * PAGE)
    return filler


def test_an_artifact_that_does_not_fit_is_refused_and_nothing_is_kept(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    disk = mount("disk", "size=2m")
    bench = stocked.copy(disk / "r")
    big = bench.file("big.bin", os.urandom(2 << 20))
    before = bench.snapshot()
    free = os.statvfs(disk).f_bavail
    answer = bench.run("--json", "register", "fraud", big, "--no-capture")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_NO_SPACE")
    assert "2.0 MiB" in answer.err
    assert bench.snapshot() == before
    assert list((bench.path / ".git/lfs/tmp").glob("gitmodel-*")) == []
    assert os.statvfs(disk).f_bavail == free
    bench.register(version="3.0.0")
    assert bench.verify() == (0, [])


@pytest.mark.parametrize("name", ["register", "promote", "rollback"])
def test_with_less_room_than_a_change_needs_it_has_happened_or_not(
    name: str, stocked: Workbench, mount: Callable[..., Path]
) -> None:
    disk = mount("disk", "size=4m")
    bench = stocked.copy(disk / "r")
    command = {
        "register": ("register", "fraud", str(bench.file("new.bin")), "--no-capture"),
        "promote": ("promote", "fraud@2.0.0", "dev"),
        "rollback": ("rollback", "fraud", "dev", "-m", "x"),
    }[name]
    before = bench.snapshot()
    refused = 0
    for pages in range(0, 80, 2):
        filler = _fill(disk, pages)
        answer = bench.run("--json", *command)
        filler.unlink()
        if answer.code == 0:
            break
        refused += 1
        assert answer.code == 5, (pages, answer.err)
        assert "space" in answer.err or "disk is full" in answer.err, pages
        after = bench.snapshot()
        # An object that nothing names may stay behind, as it does in git.
        assert (after.refs, after.status, after.staged, after.files) == (
            before.refs,
            before.status,
            before.staged,
            before.files,
        ), pages
    else:
        pytest.fail("it never had enough room")
    assert refused > 3
    # Room for the commit and not for the files is room enough: they follow later.
    assert bench.run("list").err == ""
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert bench.verify() == (0, [])
    assert bench.git("fsck", "--strict", "--no-dangling") == ""


READS = (
    ("list",),
    ("list", "fraud"),
    ("show", "fraud#dev"),
    ("log", "fraud"),
    ("diff", "fraud@1.0.0", "fraud@1.1.0"),
    ("check", "fraud@2.0.0", "--stage", "dev"),
    ("verify",),
)


def _read_only(bench: Workbench, disk: Path) -> Workbench:
    copy = bench.copy(disk / "r")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    return copy


def test_a_read_only_registry_is_read_verified_and_pulled_from(
    stocked: Workbench, mount: Callable[..., Path], tmp_path: Path
) -> None:
    bench = _read_only(stocked, mount("disk", "size=4m"))
    for command in READS:
        answer = bench.run(*command)
        assert answer.code == 0, (command, answer.err)
        assert answer.err == "", command
    pulled = bench.do("pull", "fraud#dev", "-o", tmp_path / "out")
    assert pulled["version"] == "1.1.0"
    assert (tmp_path / "out/artifacts/model.bin").read_bytes() == b"fraud 1.1.0"


def test_a_read_only_registry_refuses_to_be_written(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    bench = _read_only(stocked, mount("disk", "size=4m"))
    for command in (
        ("register", "fraud", bench.file("new.bin"), "--no-capture"),
        ("promote", "fraud@2.0.0", "dev"),
        ("rollback", "fraud", "dev", "-m", "x"),
    ):
        answer = bench.run(*command)
        assert answer.code == 5, (command, answer.err)
        assert "Read-only file system" in answer.err
        assert "Hint:" in answer.err
    assert bench.live("fraud", "dev") == "1.1.0"


def test_an_interrupted_change_in_a_read_only_registry_hinders_no_reader(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    journal = stocked.path / ".git/gitmodel/journal.json"
    head, before = stocked.git("rev-parse", "HEAD"), stocked.git("rev-parse", "HEAD~1")
    journal.write_text(
        f'{{"ref": "refs/heads/main", "old": "{before}", "new": "{head}"}}'
    )
    bench = _read_only(stocked, mount("disk", "size=4m"))
    for command in READS:
        assert bench.run(*command).code == 0, command


def test_pull_into_a_read_only_place_says_so(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    place = mount("place", "size=1m,ro")
    answer = stocked.run("pull", "fraud#dev", "-o", place / "out")
    assert answer.code == 5
    assert "Read-only file system" in answer.err
    assert list(place.iterdir()) == []


def test_pull_onto_a_full_disk_leaves_nothing(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    place = mount("place", "size=1m")
    big = stocked.file("big.bin", os.urandom(2 << 20))
    stocked.do("register", "large", big, "--no-capture")
    answer = stocked.run("--json", "pull", "large@1.0.0", "-o", place / "out")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_NO_SPACE")
    assert list(place.iterdir()) == []
    assert os.statvfs(place).f_bavail * PAGE == 1 << 20


def test_a_failed_replacement_leaves_the_earlier_pull(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    place = mount("place", "size=1m")
    stocked.do("pull", "fraud@1.0.0", "-o", place / "out")
    big = stocked.file("big.bin", os.urandom(2 << 20))
    stocked.do("register", "large", big, "--no-capture")
    answer = stocked.run("pull", "large@1.0.0", "-o", place / "out", "--replace")
    assert answer.code == 5
    assert (place / "out/artifacts/model.bin").read_bytes() == b"fraud 1.0.0"
    assert [path.name for path in place.iterdir()] == ["out"]


def test_the_store_on_another_disk_is_full_while_the_registry_is_not(
    stocked: Workbench, mount: Callable[..., Path]
) -> None:
    store = mount("store", "size=64k")
    shutil.copytree(stocked.path / ".git/lfs", store, dirs_exist_ok=True)
    stocked.git("config", "lfs.storage", store)
    before = stocked.snapshot()
    big = stocked.file("big.bin", os.urandom(1 << 20))
    answer = stocked.run("--json", "register", "fraud", big, "--no-capture")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_NO_SPACE")
    assert stocked.snapshot() == before
    assert stocked.verify() == (0, [])
