"""Attacks on time and memory, and objects that were damaged in the object store.

A megabyte of git objects can stand for terabytes of files. Verification must end
soon, in little memory, and say that it did not look at everything.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import zlib
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.git.objects import ObjectReader
from gitmodel.adapters.git.pack import ObjectWriter
from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.git.trees import Entry, encode
from gitmodel.errors import IntegrityError
from tests.support.forgery import (
    FILE,
    TREE,
    Item,
    add_entry,
    commit_tree,
    edit_tree,
    in_order,
    write_object,
    write_tree,
)
from tests.support.refusals import found_by_verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

PIN = "stages/staging/fraud.yaml"
#: Seconds that no attack may take; on a quiet machine the slowest takes four.
PATIENCE = 60
MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < PATIENCE


def verify_in_little_memory(bench: Workbench, limit: int = 700 * MEBIBYTE) -> int:
    """Run verify in a process that may not have more; return its exit code."""

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", "gitmodel", "-C", bench.path, "verify", "--no-bytes"],
        preexec_fn=bound, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode != 70, done.stderr
    return done.returncode


DOCUMENTS = (
    PIN, "models/fraud/versions/1.1.0/manifest.yaml", ".gitmodel/policy/1.yaml",
    "models/fraud/versions/1.1.0/model.sig", "log/staging/fraud/2.yaml",
    "models/fraud/model.yaml", "gitmodel.yaml",
)  # fmt: skip


@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("size", [2 * MEBIBYTE, 9 * MEBIBYTE])
def test_016_a_document_larger_than_any(
    stocked: Workbench, path: str, size: int
) -> None:
    add_entry(stocked, path, FILE, write_object(stocked, "blob", b"#" * size))
    codes = (
        {"E_LIMIT"}
        if not path.endswith(".sig") or size > 8 * MEBIBYTE
        else {"E_BUNDLE"}
    )
    assert codes <= found_by_verify(stocked)
    found_by_verify(stocked, "fraud@1.1.0")


def test_016_five_thousand_files_in_a_log(stocked: Workbench) -> None:
    one = write_object(stocked, "blob", b"x")
    garbage = write_tree(
        stocked, in_order([Item(FILE, b"g%d" % n, one) for n in range(5000)])
    )
    add_entry(stocked, "log/garbage", TREE, garbage)
    code, codes = stocked.verify()
    assert (code, set(codes), len(codes)) == (4, {"E_EXTRA_FILE"}, 5000)


def test_016_signatures_without_end(stocked: Workbench) -> None:
    """Two hundred signatures of one transition, all of them the same 50 MiB."""
    large = write_object(stocked, "blob", b" " * (50 * MEBIBYTE))
    names = (b"2.yaml.%08x.sigstore.json" % n for n in range(200))
    items = [Item(FILE, name, large) for name in names]
    edit_tree(stocked, "log/staging/fraud", lambda old: in_order([*old, *items]))
    assert "E_LIMIT" in found_by_verify(stocked)
    assert verify_in_little_memory(stocked) == 4


def _bomb(bench: Workbench, levels: int) -> str:
    """Return a tree of ten to the power of ``levels`` files."""
    one = write_object(bench, "blob", b"x")
    tree = write_tree(bench, [Item(FILE, b"%d" % n, one) for n in range(10)])
    for _ in range(levels - 1):
        tree = write_tree(bench, [Item(TREE, b"%d" % n, tree) for n in range(10)])
    return tree


def test_a_tree_of_ten_thousand_million_files(stocked: Workbench) -> None:
    add_entry(stocked, "models/bomb", TREE, _bomb(stocked, 10))
    assert "E_LIMIT" in found_by_verify(stocked, "--no-bytes")
    assert verify_in_little_memory(stocked, 1500 * MEBIBYTE) == 4


def test_such_a_tree_beside_the_registry_does_not_matter(stocked: Workbench) -> None:
    add_entry(stocked, "src", TREE, _bomb(stocked, 10))
    assert stocked.verify() == (0, [])
    assert stocked.do("promote", "fraud@2.0.0", "dev", "--dry-run")["seq"] == 3


def test_such_a_tree_that_was_taken_away_again(stocked: Workbench) -> None:
    clean = stocked.git("rev-parse", "HEAD^{tree}")
    add_entry(stocked, "models/bomb", TREE, _bomb(stocked, 10))
    commit_tree(stocked, clean)
    assert "E_LIMIT" in found_by_verify(stocked, "--no-bytes")


def test_directories_without_bottom(stocked: Workbench) -> None:
    writer = ObjectWriter(Repository.discover(stocked.path))
    tree = writer.add("tree", encode({"x": Entry(0o100644, writer.add("blob", b"x"))}))
    for _ in range(5000):
        tree = writer.add("tree", encode({"d": Entry(0o40000, tree)}))
    writer.flush()
    add_entry(stocked, "models/deep", TREE, tree)
    assert found_by_verify(stocked) & {"E_LIMIT", "E_EXTRA_FILE"}


def damaged(write: Callable[[Path], object], path: str = PIN) -> Callable[..., None]:
    """Return the attack that rewrites the loose object of a path."""

    def attack(bench: Workbench) -> None:
        oid = bench.git("rev-parse", f"HEAD:{path}")
        place = bench.path / ".git/objects" / oid[:2] / oid[2:]
        place.chmod(0o644)
        write(place)

    return attack


def loose(
    kind: bytes, data: bytes, size: int | None = None
) -> Callable[[Path], object]:
    header = b"%b %d\0" % (kind, len(data) if size is None else size)
    return lambda place: place.write_bytes(zlib.compress(header + data))


DAMAGED: dict[str, Callable[[Workbench], None]] = {
    "settings-rewritten": damaged(
        loose(b"blob", b"apiVersion: gitmodel.dev/v1\nkind: Registry\nname: x\n"
              b"stages: [production]\n"),
        "gitmodel.yaml"),
    "a-model-rewritten": damaged(
        loose(b"blob", b"apiVersion: gitmodel.dev/v1\nkind: Model\nname: fraud\n"
              b"owners: [eve]\n"),
        "models/fraud/model.yaml"),
    "a-pin-rewritten": damaged(loose(b"blob", b"evil")),
    "of-another-type": damaged(loose(b"tree", b"")),
    "of-no-type": damaged(loose(b"zork", b"abc")),
    "longer-than-it-says": damaged(loose(b"blob", b"x" * 500, 3)),
    "cut-short": damaged(lambda place: place.write_bytes(place.read_bytes()[:20])),
    "empty": damaged(lambda place: place.write_bytes(b"")),
    "garbage": damaged(lambda place: place.write_bytes(b"garbage")),
    "a-directory-cut-short": damaged(
        lambda place: place.write_bytes(place.read_bytes()[:20]), "stages"),
    "a-directory-rewritten": damaged(loose(b"tree", b""), "log"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_030_an_object_of_git_that_is_not_what_its_id_says(
    stocked: Workbench, name: str
) -> None:
    """git hands such objects out; whoever shares a machine can write them."""
    DAMAGED[name](stocked)
    assert found_by_verify(stocked) & {"E_OBJECT_CORRUPT", "E_OBJECT_MISSING"}
    for command in (("list",), ("show", "fraud#staging"), ("log",)):
        assert stocked.run(*command).code in {0, 4}, command


def test_a_commit_of_the_past_that_is_damaged(stocked: Workbench) -> None:
    for revision in ("HEAD~3", "HEAD~5^{tree}"):
        oid = stocked.git("rev-parse", revision)
        place = stocked.path / ".git/objects" / oid[:2] / oid[2:]
        was = place.read_bytes()
        place.chmod(0o644)
        place.write_bytes(b"")
        assert found_by_verify(stocked) & {"E_OBJECT_CORRUPT", "E_OBJECT_MISSING"}
        assert stocked.run("log").code == 4
        place.write_bytes(was)
    assert stocked.verify() == (0, [])


def test_an_object_that_is_shorter_than_it_says_makes_nobody_wait(
    stocked: Workbench,
) -> None:
    """git promises 500 bytes, sends five, and waits for the next question."""
    damaged(loose(b"blob", b"x" * 5, 500))(stocked)
    oid = stocked.git("rev-parse", f"HEAD:{PIN}")
    other = stocked.git("rev-parse", "HEAD:gitmodel.yaml")
    with ObjectReader(Repository.discover(stocked.path), patience=0.5) as reader:
        with pytest.raises(IntegrityError) as refusal:
            reader.read(oid)
        assert refusal.value.code == "E_OBJECT_CORRUPT"
        assert reader.read(other).data.startswith(b"apiVersion")
