from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.capture.environment import (
    LOCKS,
    capture_environment,
    find_lock,
    installed,
    normalise,
)
from gitmodel.domain.digest import Digest
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path


def put(place: Path, folder: str, text: str, file: str = "METADATA") -> None:
    (place / folder).mkdir(parents=True)
    (place / folder / file).write_text(text)


def test_what_importlib_finds_is_what_we_find() -> None:
    expected: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        expected.setdefault(normalise(distribution.name), distribution.version)
    assert installed(sys.path) == expected


def test_the_running_environment() -> None:
    found = capture_environment(None)
    packages = installed(sys.path)
    assert found["python"] == platform.python_version()
    assert found["platform"].startswith(sys.platform)
    assert found["frameworks"]["scikit-learn"] == packages["scikit-learn"]
    assert "pytest" not in found["frameworks"]
    assert found["packageCount"] == len(packages)
    assert "lock" not in found


def test_nothing_names_this_machine() -> None:
    found = str(capture_environment(None))
    for secret in (platform.node(), platform.release(), sys.prefix):
        assert secret not in found


def test_names_are_normalised_and_the_first_place_wins(tmp_path: Path) -> None:
    put(tmp_path / "a", "Foo.Bar_baz-1.0.dist-info", "Name: Foo.Bar__baz\nVersion: 1.0")
    put(tmp_path / "b", "foo_bar_baz-2.dist-info", "Name: foo-bar-baz\nVersion: 2")
    put(tmp_path / "b", "other-3.dist-info", "Name: other\nVersion: 3+cu121\n")
    assert installed([str(tmp_path / "a"), str(tmp_path / "b")]) == {
        "foo-bar-baz": "1.0",
        "other": "3+cu121",
    }


def test_odd_metadata(tmp_path: Path) -> None:
    put(tmp_path, "a.egg-info", "Name: egg\nVersion: 1\n", "PKG-INFO")
    (tmp_path / "b.egg-info").write_text("Name: old\nVersion: 2\n")
    long = "Classifier: x\n" * 1000
    put(tmp_path, "c-1.dist-info", f"{long}Name: late\r\nVersion: 3\r\n")
    put(tmp_path, "d-1.dist-info", "Name: nameless-version\n\nVersion: 4\n")
    put(tmp_path, "e-1.dist-info", "", "RECORD")
    assert installed([str(tmp_path), str(tmp_path / "missing"), str(tmp_path)]) == {
        "egg": "1",
        "old": "2",
        "late": "3",
    }


def test_the_digest_does_not_depend_on_where_packages_lie(tmp_path: Path) -> None:
    digests = set()
    for case, order in enumerate([("x", "x-y"), ("x-y", "x")]):
        site = tmp_path / str(case) / "lib" / f"python3.1{case}" / "site-packages"
        for name in order:
            put(site, f"{name}.dist-info", f"Name: {name}\nVersion: 1\n")
        (tmp_path / str(case) / "pyvenv.cfg").write_text("version = 3.13.1\n")
        found = capture_environment(None, prefix=tmp_path / str(case))
        digests.add(found["packages"])
        assert found["packageCount"] == 2
    as_pip_freeze_and_sort = b"x-y==1\nx==1\n"
    assert digests == {str(Digest.of(as_pip_freeze_and_sort))}


def test_another_environment(tmp_path: Path) -> None:
    venv.create(tmp_path, symlinks=True, with_pip=False)
    (site,) = tmp_path.glob("lib/*/site-packages")
    put(site, "torch-2.9.0.dist-info", "Name: torch\nVersion: 2.9.0+cpu\n")
    found = capture_environment(None, prefix=tmp_path)
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["frameworks"] == {"torch": "2.9.0+cpu"}


@pytest.mark.parametrize(
    "line", ["version_info = 3.12.4.final.0", "version_info=3.12.4"]
)
def test_environments_that_other_tools_made(tmp_path: Path, line: str) -> None:
    (tmp_path / "pyvenv.cfg").write_text(f"home = /usr/bin\n{line}\n")
    assert capture_environment(None, prefix=tmp_path)["python"] == "3.12.4"


def test_a_prefix_that_is_no_environment(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="not a Python virtual environment"):
        capture_environment(None, prefix=tmp_path)
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    with pytest.raises(OutsideError, match="names no Python version"):
        capture_environment(None, prefix=tmp_path)


def test_the_first_lock_in_order(tmp_path: Path) -> None:
    for count, name in enumerate(reversed(LOCKS)):
        (tmp_path / name).write_text(str(count))
        assert find_lock(tmp_path) == {
            "path": name,
            "sha256": hashlib.sha256(str(count).encode()).hexdigest(),
        }
    assert capture_environment(tmp_path)["lock"]["path"] == "uv.lock"


def test_the_nearest_lock_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("not ours")
    root, code = tmp_path / "repo", tmp_path / "repo" / "a" / "code"
    code.mkdir(parents=True)
    (root / ".git").write_text("gitdir: elsewhere\n")  # as in a submodule
    assert find_lock(code) is None

    (root / "uv.lock").write_text("root")
    (code / "uv.lock").mkdir()
    found = find_lock(code)
    assert found is not None
    assert found["path"] == "uv.lock"
    (root / "a" / "requirements.txt").write_text("between")
    found = find_lock(code)
    assert found is not None
    assert found["path"] == "a/requirements.txt"
    (code / "requirements.txt").write_text("near")
    found = find_lock(code)
    assert found is not None
    assert found["path"] == "a/code/requirements.txt"


def test_without_a_repository_only_the_directory_is_searched(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("")
    (tmp_path / "code").mkdir()
    assert find_lock(tmp_path / "code") is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_lock_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").symlink_to("/proc/self/mem")  # not even root reads byte 0
    with pytest.raises(OutsideError, match=r"uv\.lock cannot be read"):
        find_lock(tmp_path)
