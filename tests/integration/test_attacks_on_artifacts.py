"""Attacks on the bytes: on pointers in git, and on objects in the LFS store."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats.lfs_pointer import Pointer
from tests.support.forgery import SYMLINK, add_entry, write_object
from tests.support.refusals import found_by_verify, nothing_acts_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workbench import Workbench

POINTER = "models/fraud/versions/1.1.0/artifacts/model.bin"
OTHER = "models/fraud/versions/1.0.0/artifacts/model.bin"
BYTES = b"fraud 1.1.0"
HONEST = Pointer(Digest.of(BYTES), len(BYTES)).to_bytes()


def commands(bench: Workbench) -> tuple[tuple[str, ...], ...]:
    """Return what would use the version's bytes."""
    pulled = str(bench.outside / "pulled")
    return (
        ("promote", "fraud@1.1.0", "production"),
        ("pull", "fraud@1.1.0", "-o", pulled),
        ("pull", "fraud#staging", "-o", pulled),
        ("rollback", "fraud", "dev", "--to", "1.1.0", "-m", "x"),
    )


def move_on(bench: Workbench) -> None:
    """Make 1.1.0 a version that dev can go back to."""
    bench.promote("fraud@2.0.0", "dev")


POINTERS = {
    "the-bytes-themselves": BYTES,
    "another-object": Pointer(Digest.of(b"evil"), 4).to_bytes(),
    "another-size": HONEST.replace(b"size 11", b"size 12"),
    "an-extra-line": HONEST + b"x-evil 1\n",
    "an-extension": HONEST.replace(b"oid", b"ext-0-evil sha256:%b\noid" % (b"1" * 64)),
    "without-its-last-newline": HONEST.rstrip(b"\n"),
    "with-carriage-returns": HONEST.replace(b"\n", b"\r\n"),
    "of-an-older-spelling": HONEST.replace(b"https://git-lfs", b"https://hawser"),
    "in-capitals": HONEST.replace(b"sha256:5", b"sha256:5").upper(),
    "with-a-mark": b"\xef\xbb\xbf" + HONEST,
    "nothing": b"",
    "large": b"x" * (9 << 20),
}


@pytest.mark.parametrize("name", POINTERS)
def test_a_pointer_that_says_something_else(stocked: Workbench, name: str) -> None:
    move_on(stocked)
    assert (stocked.path / POINTER).read_bytes() == HONEST
    stocked.commit_file(POINTER, POINTERS[name])
    assert {"E_APPEND_ONLY", "E_POINTER"} <= found_by_verify(stocked)
    assert "E_POINTER" in found_by_verify(stocked, "fraud@1.1.0")
    nothing_acts_on(stocked, *commands(stocked))


def test_a_pointer_of_another_version_is_not_enough(stocked: Workbench) -> None:
    move_on(stocked)
    stocked.commit_file(POINTER, (stocked.path / OTHER).read_bytes())
    assert {"E_APPEND_ONLY", "E_POINTER"} <= found_by_verify(stocked)
    nothing_acts_on(stocked, *commands(stocked))


def test_a_pointer_that_is_gone(stocked: Workbench) -> None:
    move_on(stocked)
    stocked.commit_file(POINTER, None)
    assert {"E_APPEND_ONLY", "E_POINTER_MISSING"} <= found_by_verify(stocked)
    nothing_acts_on(stocked, *commands(stocked))


def test_a_pointer_that_is_a_symbolic_link(stocked: Workbench) -> None:
    move_on(stocked)
    add_entry(stocked, POINTER, SYMLINK, write_object(stocked, "blob", HONEST))
    assert {"E_APPEND_ONLY", "E_MODE", "E_POINTER"} <= found_by_verify(stocked)
    nothing_acts_on(stocked, *commands(stocked))


@pytest.mark.parametrize(
    "name", ["extra.bin", "__init__.py", ".gitignore", ".hidden", "sub/model.bin"]
)
def test_052_a_file_beside_the_artifacts(stocked: Workbench, name: str) -> None:
    move_on(stocked)
    stocked.commit_file(f"models/fraud/versions/1.1.0/artifacts/{name}", b"")
    assert "E_EXTRA_FILE" in found_by_verify(stocked)
    assert "E_EXTRA_FILE" in found_by_verify(stocked, "fraud@1.1.0")
    nothing_acts_on(stocked, *commands(stocked))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


def swap(path: Path) -> None:
    path.write_bytes(b"fraud 1.0.0")


def link(path: Path) -> None:
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other)


def link_to_a_file_without_end(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


OBJECTS: dict[str, Callable[[Path], object]] = {
    "029-a-flipped-bit": flip,
    "cut-short": lambda path: path.write_bytes(BYTES[:-1]),
    "emptied": lambda path: path.write_bytes(b""),
    "with-more-at-its-end": lambda path: path.write_bytes(BYTES + b"x"),
    "030-swapped-with-another": swap,
    "a-link-to-the-right-bytes": link,
    "a-link-to-a-file-without-end": link_to_a_file_without_end,
    "a-directory": directory,
    "a-pipe": pipe,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_in_the_store_that_was_tampered_with(
    stocked: Workbench, name: str
) -> None:
    move_on(stocked)
    path = stocked.object_path(str(Digest.of(BYTES)))
    path.chmod(0o644)
    OBJECTS[name](path)
    assert found_by_verify(stocked) == {"E_ARTIFACT_DIGEST"}
    assert found_by_verify(stocked, "fraud@1.1.0") == {"E_ARTIFACT_DIGEST"}
    assert stocked.verify("--no-bytes") == (0, [])
    pulled = stocked.outside / "pulled"
    nothing_acts_on(
        stocked,
        ("rollback", "fraud", "dev", "--to", "1.1.0", "-m", "x"),
        ("pull", "fraud@1.1.0", "-o", str(pulled)),
    )


def test_031_objects_that_are_gone_are_missing_not_wrong(stocked: Workbench) -> None:
    move_on(stocked)
    stocked.object_path(str(Digest.of(BYTES))).unlink()
    assert stocked.verify() == (1, ["E_ARTIFACT_MISSING"])
    assert stocked.verify("fraud@1.1.0") == (1, ["E_ARTIFACT_MISSING"])
    pulled = stocked.outside / "pulled"
    answer = stocked.run("--json", "pull", "fraud@1.1.0", "-o", pulled)
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_ARTIFACT_MISSING")
    assert not pulled.exists()


def test_035_a_store_without_objects(stocked: Workbench) -> None:
    shutil.rmtree(stocked.path / ".git/lfs")
    code, codes = stocked.verify()
    assert (code, set(codes)) == (1, {"E_ARTIFACT_MISSING"})


def test_missing_bytes_do_not_hide_wrong_ones(stocked: Workbench) -> None:
    stocked.object_path(str(Digest.of(BYTES))).unlink()
    flip_me = stocked.object_path(str(Digest.of(b"fraud 1.0.0")))
    flip_me.chmod(0o644)
    flip(flip_me)
    assert found_by_verify(stocked) == {"E_ARTIFACT_MISSING", "E_ARTIFACT_DIGEST"}


def test_a_store_that_is_elsewhere_is_held_to_the_same_digests(
    stocked: Workbench, tmp_path: Path
) -> None:
    """A link in place of the store's directories can lend bytes, not change them."""
    store = stocked.path / ".git/lfs/objects"
    store.rename(tmp_path / "elsewhere")
    store.symlink_to(tmp_path / "elsewhere")
    assert stocked.verify() == (0, [])
    path = stocked.object_path(str(Digest.of(BYTES)))
    path.chmod(0o644)
    flip(path)
    assert found_by_verify(stocked) == {"E_ARTIFACT_DIGEST"}


def test_032_a_registry_that_sends_its_clones_to_another_server(
    stocked: Workbench, tmp_path: Path
) -> None:
    stocked.git("init", "-q", "--bare", tmp_path / "hub.git")
    stocked.git("remote", "add", "origin", tmp_path / "hub.git")
    stocked.git("push", "-q", "origin", "main")
    stocked.commit_file(".lfsconfig", b"[lfs] url = http://127.0.0.1:9/evil\n")
    assert "E_LFSCONFIG" in found_by_verify(stocked)
    stocked.object_path(str(Digest.of(BYTES))).unlink()
    pulled = str(stocked.outside / "pulled")
    nothing_acts_on(stocked, ("pull", "fraud@1.1.0", "-o", pulled))
    before = stocked.git("rev-parse", "HEAD")
    file = stocked.file("new.bin", b"new")
    answer = stocked.run("--json", "register", "fraud", file, "--no-capture", "--push")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_LFSCONFIG")
    assert stocked.git("rev-parse", "HEAD") == before
