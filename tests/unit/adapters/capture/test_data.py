from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gitmodel.adapters.capture.data import DataRef, hash_path, parse_data
from gitmodel.domain.digest import Digest
from gitmodel.errors import ConflictError, InputError, OutsideError

SOME = "sha256:" + "ab" * 32


class Heard:
    """A ``Progress`` that remembers, and can act when it hears of bytes."""

    def __init__(self, action: Any = None) -> None:
        self.total, self.done, self.ended = -1, 0, False
        self.lock, self.action = threading.Lock(), action

    def start(self, total: int, label: str) -> None:
        assert label
        self.total = total

    def advance(self, count: int) -> None:
        with self.lock:
            self.done += count
        if self.action:
            self.action()

    def finish(self) -> None:
        self.ended = True


def tree(root: Path) -> Path:
    (root / "sub" / ".deep").mkdir(parents=True)
    (root / "a.csv").write_text("1,2\n")
    (root / "sub" / "b é.csv").write_bytes(b"\r\n")
    (root / "sub" / ".deep" / ".hidden").write_bytes(b"")
    (root / "sub.csv").write_text("x")
    (root / "empty").mkdir()
    return root


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("1,2\n")
    found = parse_data(f"clicks={file}")
    assert found == DataRef(
        name="clicks", digest=Digest.of(b"1,2\n"), uri=str(file), version=None
    )
    assert found.to_dict() == {
        "name": "clicks",
        "digest": "sha256:" + hashlib.sha256(b"1,2\n").hexdigest(),
        "uri": str(file),
    }


def test_the_path_stays_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b@c.csv").write_text("")
    assert parse_data("x=./a=b@c.csv").uri == "./a=b@c.csv"


def test_a_version(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    found = parse_data(f"team/clicks@2026-10.1+a={tmp_path}/f")
    assert (found.name, found.version) == ("team/clicks", "2026-10.1+a")
    assert list(found.to_dict()) == ["name", "version", "digest", "uri"]


def test_an_address_is_not_read() -> None:
    found = parse_data(f"clicks@3=s3://bucket/a@b/clicks?x=y@{SOME}")
    assert found.uri == "s3://bucket/a@b/clicks?x=y"
    assert str(found.digest) == SOME
    assert found.version == "3"


def test_a_directory_is_what_coreutils_say(tmp_path: Path) -> None:
    root = tree(tmp_path / "data")
    pipeline = (
        "find . -type f -printf '%P\\0' | xargs -0 sha256sum | LC_ALL=C sort"
        " | sha256sum"
    )
    said = subprocess.run(
        ["bash", "-c", pipeline], cwd=root, capture_output=True, check=True, text=True
    )
    assert hash_path(root).hex == said.stdout.split()[0]


def test_a_directory_does_not_depend_on_circumstances(tmp_path: Path) -> None:
    first = tree(tmp_path / "data")
    expected = hash_path(first)
    second = tmp_path / "other"
    for file in sorted(first.rglob("*"), reverse=True):
        if file.is_file():
            copy = second / file.relative_to(first)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copy.chmod(0o755)
            os.utime(copy, (1, 1))
    assert hash_path(second) == expected
    (tmp_path / "link").symlink_to(first)
    assert hash_path(tmp_path / "link") == expected


@pytest.mark.parametrize("change", ["content", "name", "place", "more", "less"])
def test_a_directory_does_depend_on_what_it_holds(tmp_path: Path, change: str) -> None:
    root = tree(tmp_path / "data")
    before = hash_path(root)
    if change == "content":
        (root / "a.csv").write_text("1,3\n")
    elif change == "name":
        (root / "a.csv").rename(root / "A.csv")
    elif change == "place":
        (root / "a.csv").rename(root / "empty" / "a.csv")
    elif change == "more":
        (root / ".more").write_text("")
    else:
        (root / "sub" / ".deep" / ".hidden").unlink()
    assert hash_path(root) != before


def test_progress(tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(b"x" * (3 * 2**20 + 5))
    heard = Heard()
    hash_path(file, progress=heard)
    assert (heard.total, heard.done, heard.ended) == (3 * 2**20 + 5,) * 2 + (True,)
    (tmp_path / "small").write_bytes(b"abc")
    heard = Heard()
    parse_data(f"d={tmp_path}", progress=heard)
    assert (heard.total, heard.done, heard.ended) == (3 * 2**20 + 8,) * 2 + (True,)


@pytest.mark.parametrize(
    "text",
    ["", "clicks", "=x", "clicks=", " a=x", "a@=x", "a@@=x", "é=x", "a b=x"],
)
def test_malformed(text: str) -> None:
    with pytest.raises(InputError, match="names no data set") as caught:
        parse_data(text)
    assert "NAME=PATH" in caught.value.hints[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=nowhere/x.csv", "nowhere/x.csv does not exist"),
        ("a=s3://bucket/x", "is not a local file, and names no digest"),
        ("a=s3://bucket/x@sha256:abc", "'sha256:abc' is not a digest"),
        (f"a=s3://bucket/x@{SOME.upper()}", "names no digest"),
        (f"a=https://u:p@example.org/x@{SOME}", "carries a password"),
        ("a=/dev/null", "/dev/null is neither a file nor a directory"),
        ("a=x\ny", "characters that no manifest can"),
        ("a=x\udce9", "characters that no manifest can"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_data(text)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(InputError, match="does not exist"):
        parse_data(f"a={tmp_path}/f/x")


def test_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(InputError, match="holds no files"):
        hash_path(tmp_path)


@pytest.mark.parametrize("target", ["a.csv", "sub", "nowhere", "."])
def test_links_inside_are_refused(tmp_path: Path, target: str) -> None:
    root = tree(tmp_path / "data")
    (root / "link").symlink_to(target)
    with pytest.raises(InputError, match="link is a symbolic link"):
        hash_path(root)


def test_special_files_are_refused(tmp_path: Path) -> None:
    root = tree(tmp_path / "data")
    os.mkfifo(root / "pipe")
    with pytest.raises(InputError, match="pipe is neither"):
        hash_path(root)
    with pytest.raises(InputError, match="pipe is neither"):
        hash_path(root / "pipe")
    (root / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "sock"))
        with pytest.raises(InputError, match="sock is neither"):
            hash_path(root)


@pytest.mark.parametrize("name", [b"a\\b", b"a\nb", b"caf\xe9", b"\x7f"])
def test_names_that_do_not_travel_are_refused(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_text("")
    with pytest.raises(InputError, match="not every platform"):
        hash_path(tmp_path)


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x" * 2**20)

    def grow() -> None:
        heard.action = None
        with file.open("ab") as stream:
            stream.write(b"x")

    heard = Heard(grow)
    with pytest.raises(ConflictError, match="changed while it was being read"):
        hash_path(file, progress=heard)
    assert heard.ended


def test_a_file_that_vanishes_while_others_are_read(tmp_path: Path) -> None:
    root = tree(tmp_path / "data")
    for index in range(50):
        (root / f"{index}").write_text("x")
    heard = Heard(lambda: shutil.rmtree(root, ignore_errors=True))
    with pytest.raises(InputError, match="does not exist"):
        hash_path(root, progress=heard)
    assert heard.ended


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_that_cannot_be_read() -> None:
    with pytest.raises(OutsideError, match="/proc/self/mem cannot be read"):
        hash_path(Path("/proc/self/mem"))  # not even root reads byte 0


def test_a_file_with_an_impossible_name() -> None:
    with pytest.raises(OutsideError, match="cannot be read"):
        hash_path(Path("x" * 5000))
