"""Stock git-lfs sees nothing unusual in what gitmodel stored, and the reverse."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.lfs.ingest import ingest
from gitmodel.adapters.lfs.store import Store, locate
from gitmodel.formats.lfs_pointer import Pointer, resembles_pointer

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENTS = {
    "model.bin": os.urandom(300_000),
    "one.bin": b"x",
    "empty.bin": b"",
    "looks.bin": b"version https://git-lfs.github.com/spec/v1\n" + bytes(2000),
    "text.bin": b"line\r\nline\n" * 200,
}
NO_FILTER = (
    "-c",
    "filter.lfs.process=",
    "-c",
    "filter.lfs.clean=",
    "-c",
    "filter.lfs.smudge=",
    "-c",
    "filter.lfs.required=false",
)


def _git(directory: Path, *arguments: str | Path) -> str:
    done = subprocess.run(
        ["git", "-C", directory, *arguments], capture_output=True, check=False
    )
    assert done.returncode == 0, (arguments, done.stderr.decode())
    return done.stdout.decode()


def _fsck(directory: Path) -> int:
    return subprocess.run(
        ["git", "-C", directory, "lfs", "fsck"], capture_output=True, check=False
    ).returncode


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = tmp_path / "repo"
    _git(tmp_path, "init", "-q", "repo")
    (path / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    _git(path, "add", ".gitattributes")
    _git(path, "commit", "-q", "-m", "Attributes")
    return path


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "sources").mkdir()
    paths = {name: tmp_path / "sources" / name for name in CONTENTS}
    for name, path in paths.items():
        path.write_bytes(CONTENTS[name])
    return paths


@pytest.fixture
def registered(repo: Path, sources: dict[str, Path]) -> Path:
    """Commit pointers that we wrote, with their objects in the store."""
    store = Store(locate(repo / ".git", None))
    for item in ingest(list(sources.values()), store):
        (repo / item.source.name).write_bytes(item.pointer.to_bytes())
    _git(repo, *NO_FILTER, "add", ".")
    _git(repo, *NO_FILTER, "commit", "-q", "-m", "Artifacts")
    return repo


def test_the_pointer_is_the_one_that_git_lfs_writes(
    repo: Path, sources: dict[str, Path]
) -> None:
    store = Store(locate(repo / ".git", None))
    for item in ingest(list(sources.values()), store):
        theirs = _git(repo, "lfs", "pointer", f"--file={item.source}").encode()
        assert theirs == item.pointer.to_bytes()
        assert Pointer.parse(theirs) == item.pointer


def test_git_lfs_finds_every_object_and_nothing_to_complain(registered: Path) -> None:
    assert _git(registered, "status", "--porcelain") == ""
    assert _fsck(registered) == 0
    listed = _git(registered, "lfs", "ls-files", "--name-only").split()
    assert listed == sorted(name for name, content in CONTENTS.items() if content)
    assert _git(registered, "status", "--porcelain") == ""


def test_git_lfs_checks_out_the_bytes(registered: Path) -> None:
    _git(registered, "lfs", "checkout")
    for name, content in CONTENTS.items():
        assert (registered / name).read_bytes() == content
    assert _git(registered, "status", "--porcelain") == ""


def test_a_stock_client_gets_the_bytes_from_a_remote(
    registered: Path, tmp_path: Path
) -> None:
    _git(tmp_path, "init", "-q", "--bare", "remote.git")
    url = (tmp_path / "remote.git").as_uri()
    _git(registered, "remote", "add", "origin", url)
    _git(registered, "lfs", "push", "--all", "origin")
    _git(registered, "push", "-q", "origin", "HEAD:main")
    _git(tmp_path, "clone", "-q", "-b", "main", url, "clone")
    for name, content in CONTENTS.items():
        assert (tmp_path / "clone" / name).read_bytes() == content


def test_fsck_of_git_lfs_can_tell_a_damaged_object(
    registered: Path, sources: dict[str, Path]
) -> None:
    # The counterpart of the tests above: fsck does read the objects that we store.
    store = Store(locate(registered / ".git", None))
    [item] = ingest([sources["model.bin"]], store)
    store.path_of(item.digest).write_bytes(bytes(item.size))
    assert _fsck(registered) != 0


def test_what_git_lfs_stored_is_ours_too(repo: Path, sources: dict[str, Path]) -> None:
    for name, source in sources.items():
        (repo / name).write_bytes(source.read_bytes())
    _git(repo, "add", ".")
    store = Store(locate(repo / ".git", None))
    modes = set()
    for name, content in CONTENTS.items():
        blob = _git(repo, "cat-file", "blob", f":{name}").encode()
        pointer = Pointer.parse(blob)
        assert pointer is not None
        assert pointer.size == len(content)
        assert resembles_pointer(blob, len(blob)) == bool(content)
        assert store.verify(pointer) is None
        if content:
            modes.add(store.path_of(pointer.digest).stat().st_mode)
    ours = Store(repo / "ours")
    [stored, *_] = ingest([sources["model.bin"]], ours)
    assert modes == {ours.path_of(stored.digest).stat().st_mode}


def _local_media_dir(directory: Path) -> Path:
    for line in _git(directory, "lfs", "env").splitlines():
        name, _, value = line.partition("=")
        if name == "LocalMediaDir":
            return Path(value)
    raise AssertionError("git lfs env has no LocalMediaDir")


def _plain(root: Path) -> Path:
    _git(root, "init", "-q", "plain")
    _git(root / "plain", "commit", "-q", "--allow-empty", "-m", "x")
    return root / "plain"


def _below(root: Path) -> Path:
    below = _plain(root) / "a" / "b"
    below.mkdir(parents=True)
    return below


def _worktree(root: Path) -> Path:
    _git(_plain(root), "worktree", "add", "-q", root / "linked")
    return root / "linked"


def _bare(root: Path) -> Path:
    _git(root, "init", "-q", "--bare", "bare.git")
    return root / "bare.git"


def _elsewhere(root: Path) -> Path:
    _git(root, "init", "-q", "--separate-git-dir", root / "dot.git", "tree")
    return root / "tree"


@pytest.mark.parametrize("make", [_plain, _below, _worktree, _bare, _elsewhere])
@pytest.mark.parametrize(
    "setting", [None, "other/lfs", "../shared", "/{root}/disk", "~/lfs", "a/../b/./c"]
)
def test_the_store_is_found_where_git_lfs_has_it(
    make: Callable[[Path], Path], setting: str | None, tmp_path: Path
) -> None:
    directory = make(tmp_path.resolve())
    if setting is not None:
        setting = setting.replace("/{root}", str(tmp_path))
        _git(directory, "config", "lfs.storage", setting)
    common = _git(directory, "rev-parse", "--git-common-dir").strip()
    found = locate((directory / common).resolve(), setting)
    assert Store(found).objects == _local_media_dir(directory)
