"""The cache: what is odd about it is as if it were not there; nobody hears of it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters import cache as module
from gitmodel.adapters.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path

VALUE = {"rows": [["1.0.0", 0.1, None, "é"]]}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(place: Path) -> Cache:
    found = Cache(place, "1")
    found.put("fraud", VALUE)
    return found


def the_file(place: Path) -> Path:
    [path] = place.iterdir()
    return path


def test_what_was_kept_comes_back(cache: Cache, place: Path) -> None:
    assert cache.get("fraud") == VALUE
    assert Cache(place, "1").get("fraud") == VALUE
    assert cache.get("other") is None
    assert the_file(place).stat().st_mode & 0o777 == 0o600


def test_another_edition_is_not_read(cache: Cache, place: Path) -> None:
    assert Cache(place, "2").get("fraud") is None
    Cache(place, "2").put("fraud", 2)
    assert cache.get("fraud") is None


@pytest.mark.parametrize("kept", range(0, 117, 7))
def test_torn_files_count_for_nothing(cache: Cache, place: Path, kept: int) -> None:
    path = the_file(place)
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    assert kept < len(whole)
    assert cache.get("fraud") is None
    cache.put("fraud", VALUE)
    assert cache.get("fraud") == VALUE


def test_no_flipped_bit_gets_through(cache: Cache, place: Path) -> None:
    path = the_file(place)
    whole = path.read_bytes()
    for index in range(len(whole)):
        damaged = bytearray(whole)
        damaged[index] ^= 1
        path.write_bytes(damaged)
        assert cache.get("fraud") is None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_files_that_others_may_write_are_not_believed(
    cache: Cache, place: Path, mode: int
) -> None:
    the_file(place).chmod(mode)
    assert cache.get("fraud") is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_files_of_other_users_are_not_believed(
    cache: Cache, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert cache.get("fraud") == VALUE  # root's files are as good as one's own
    os.chown(the_file(place), 4242, -1)
    assert cache.get("fraud") is None


def test_links_pipes_and_directories_are_not_followed(
    cache: Cache, place: Path, tmp_path: Path
) -> None:
    path = the_file(place)
    real = path.rename(tmp_path / "elsewhere")
    path.symlink_to(real)
    assert cache.get("fraud") is None
    path.unlink()
    os.mkfifo(path)
    assert cache.get("fraud") is None
    path.unlink()
    path.mkdir()
    assert cache.get("fraud") is None
    cache.put("fraud", VALUE)
    assert cache.get("fraud") is None
    assert [each.name for each in place.iterdir()] == [path.name]


def test_a_link_in_place_of_the_directory_leads_to_nothing_but_it(
    place: Path, tmp_path: Path
) -> None:
    place.symlink_to(tmp_path / "nowhere")
    cache = Cache(place, "1")
    cache.put("fraud", VALUE)
    assert cache.get("fraud") is None


def test_a_file_in_another_files_place_is_not_believed(
    cache: Cache, place: Path
) -> None:
    cache.put("other", 1)
    other = place / hashlib.sha256(b"other").hexdigest()[:32]
    other.replace(place / hashlib.sha256(b"fraud").hexdigest()[:32])
    assert cache.get("fraud") is None


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"7", b'["1"]', b'{"1": 2}', b"\xff", b"1" * 5000]
)
def test_strange_content_with_the_right_digest_is_nothing(
    cache: Cache, place: Path, body: bytes
) -> None:
    digest = hashlib.sha256(body).hexdigest().encode()
    the_file(place).write_bytes(digest + b"\n" + body)
    assert cache.get("fraud") is None


def test_what_is_too_large_is_neither_kept_nor_read(
    cache: Cache, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 300)
    cache.put("fraud", "x" * 300)
    assert cache.get("fraud") == VALUE  # the old one, which its readers check
    the_file(place).write_bytes(b"x" * 301)
    assert cache.get("fraud") is None


def test_all_together_they_stay_within_bounds(
    cache: Cache, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "left-by-a-killed-process.77").write_bytes(b"x" * 5000)
    os.utime(place / "left-by-a-killed-process.77", (1, 1))
    monkeypatch.setattr(module, "MAX_TOTAL", 3000)
    for number in range(20):
        cache.put(f"model-{number}", "x" * 500)
        assert sum(each.stat().st_size for each in place.iterdir()) <= 3000
        assert cache.get(f"model-{number}") == "x" * 500
    assert not (place / "left-by-a-killed-process.77").exists()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache", "1")
    cache.put("fraud", VALUE)
    assert cache.get("fraud") is None


_WRITER = """
import sys
from pathlib import Path
from gitmodel.adapters.cache import Cache
cache = Cache(Path(sys.argv[1]), "1")
print("ready", flush=True)
number = 0
while True:
    number += 1
    cache.put("fraud", [int(sys.argv[2]), "x" * (number % 50_000)])
"""


def test_writers_that_race_and_are_killed_leave_whole_values(place: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(place)]
    writers = [
        subprocess.Popen([*command, str(each)], stdout=subprocess.PIPE)
        for each in range(2)
    ]
    cache = Cache(place, "1")
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        seen = set[int]()
        while seen != {0, 1}:
            found = cache.get("fraud")
            if found is not None:
                who, text = found
                assert text == "x" * len(text)
                seen.add(who)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
    assert cache.get("fraud") is not None
    cache.put("fraud", VALUE)
    assert cache.get("fraud") == VALUE


@pytest.mark.usefixtures("cache")
def test_values_are_json_of_one_line(place: Path) -> None:
    """No value can end the line of the digest, or begin another."""
    digest, body = the_file(place).read_bytes().split(b"\n")
    assert len(digest) == 64
    assert json.loads(body) == ["1", "fraud", VALUE]
