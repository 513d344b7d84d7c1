"""What the PATH arguments of register mean."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gitmodel.adapters.lfs.scan import collect
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError
from gitmodel.formats.lfs_pointer import Pointer


def _tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def _problems(*paths: Path) -> dict[str, str]:
    with pytest.raises(InputError) as error:
        collect(paths)
    assert all(problem["code"] == "E_SOURCE" for problem in error.value.problems)
    return {
        Path(problem["path"]).name: problem["message"]
        for problem in error.value.problems
    }


def test_a_file_is_called_by_its_base_name(tmp_path: Path) -> None:
    _tree(tmp_path, "a/b/model.bin")
    [found] = collect([tmp_path / "a/b/model.bin"])
    assert found.name == "model.bin"
    assert found.path == tmp_path / "a/b/model.bin"
    assert found.size == len("a/b/model.bin")


def test_a_directory_is_its_content_in_the_order_of_code_points(tmp_path: Path) -> None:
    names = [".hidden", "B", "a-b", "a.txt", "a/y/x", "a/z", "c", "\u00e9"]
    root = _tree(tmp_path / "m", *reversed(names))
    found = collect([root])
    assert [file.name for file in found] == names
    assert [file.path for file in found] == [root / name for name in names]


def test_files_and_directories_are_merged(tmp_path: Path) -> None:
    _tree(tmp_path, "m/model.bin", "m/sub/config.json", "README.md")
    found = collect([tmp_path / "m", tmp_path / "README.md"])
    assert [file.name for file in found] == [
        "README.md",
        "model.bin",
        "sub/config.json",
    ]


def test_a_relative_path_means_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(_tree(tmp_path, "m/model.bin"))
    assert [file.name for file in collect([Path("m")])] == ["model.bin"]
    assert [file.name for file in collect([Path("./m/model.bin")])] == ["model.bin"]
    monkeypatch.chdir(tmp_path / "m")
    assert [file.name for file in collect([Path()])] == ["model.bin"]
    assert [file.name for file in collect([Path("../m")])] == ["model.bin"]


def test_nothing_is_left_out_without_a_word(tmp_path: Path) -> None:
    root = _tree(tmp_path / "m", "ok.bin", ".git/config", ".gitattributes", "a\\b")
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to(root / "ok.bin")
    (root / "dirlink").symlink_to(tmp_path)
    (root / "dangling").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(root / "socket"))
        problems = _problems(root, tmp_path / "absent")
    assert {name: clause.split("it is ")[-1] for name, clause in problems.items()} == {
        "config": "its name holds '.git', a name that git keeps for itself.",
        ".gitattributes": (
            "its name holds '.gitattributes', a name that git keeps for itself."
        ),
        "a\\b": "its name holds a backslash.",
        "pipe": "a pipe.",
        "link": "a symbolic link.",
        "dirlink": "a symbolic link.",
        "dangling": "a symbolic link.",
        "socket": "a socket.",
        "absent": "it does not exist.",
    }


def test_an_argument_that_is_a_link_is_refused(tmp_path: Path) -> None:
    _tree(tmp_path, "m/model.bin")
    (tmp_path / "link").symlink_to(tmp_path / "m")
    assert _problems(tmp_path / "link") == {"link": "it is a symbolic link."}


def test_a_device_is_refused() -> None:
    assert _problems(Path("/dev/null")) == {"null": "it is a device."}


def test_names_that_cannot_be_shown_are_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a\x1b[2Jb").touch()
    (tmp_path / "m" / os.fsdecode(b"\xff.bin")).touch()
    assert _problems(tmp_path / "m") == {
        "a\\x1b[2Jb": "its name holds the invisible character U+001B.",
        "\\udcff.bin": "its name is not UTF-8.",
    }


def test_the_same_name_from_two_arguments_is_refused(tmp_path: Path) -> None:
    _tree(tmp_path, "a/model.bin", "b/model.bin")
    [(name, clause)] = _problems(tmp_path / "a", tmp_path / "b/model.bin").items()
    assert name == "model.bin"
    assert "model.bin" in clause
    assert str(tmp_path / "a/model.bin") in clause


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    _tree(tmp_path, "a/model.bin")
    assert "model.bin" in _problems(tmp_path / "a", tmp_path / "a")


def test_names_that_some_file_system_confuses_are_refused(tmp_path: Path) -> None:
    _tree(tmp_path / "m", "Model.bin", "model.BIN", "\u00e9.bin", "e\u0301.bin")
    assert len(_problems(tmp_path / "m")) == 2


def test_an_empty_directory_is_nothing_to_register(tmp_path: Path) -> None:
    (tmp_path / "m" / "deep").mkdir(parents=True)
    assert _problems(tmp_path / "m") == {"m": "it holds no file."}


def test_no_argument_is_nothing_to_register() -> None:
    with pytest.raises(InputError):
        collect([])


def test_a_pointer_is_not_the_model(tmp_path: Path) -> None:
    _tree(tmp_path, "m/ok.bin")
    pointer = Pointer(Digest("0" * 64), 5).to_bytes()
    (tmp_path / "m/model.bin").write_bytes(pointer)
    with pytest.raises(InputError, match="pointer") as error:
        collect([tmp_path / "m"])
    assert any("git lfs pull" in hint for hint in error.value.hints)


def test_many_refusals_are_counted(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for index in range(15):
        (tmp_path / "m" / f"link{index}").symlink_to("x")
    with pytest.raises(InputError, match="15 files") as error:
        collect([tmp_path / "m"])
    assert len(error.value.problems) == 15
    assert any("5 more" in hint for hint in error.value.hints)


def test_an_empty_file_can_be_registered(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert [file.size for file in collect([tmp_path / "empty"])] == [0]
