"""Pull never destroys what it did not write, and writes all or nothing (R030)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Answer
    from tests.support.workbench import Workbench


def _tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _refused(answer: Answer, exit_code: int = 1, code: str = "E_EXISTS") -> None:
    assert (answer.code, answer.json["error"]["code"]) == (exit_code, code)
    assert "Hint:" in answer.err


def test_an_empty_directory_is_filled(stocked: Workbench, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert (
        stocked.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")["status"] == "pulled"
    )
    assert set(_tree(tmp_path / "out")) == {
        "manifest.yaml",
        "model.sig",
        "artifacts/model.bin",
    }


def test_the_same_version_again_is_verified_and_left_alone(
    stocked: Workbench, tmp_path: Path
) -> None:
    stocked.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    before = (tmp_path / "out/artifacts/model.bin").stat()
    again = stocked.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    assert again["status"] == "unchanged"
    after = (tmp_path / "out/artifacts/model.bin").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("place", ["artifacts/model.bin", "model.sig", "manifest.yaml"])
def test_a_pull_that_was_tampered_with_is_not_taken_for_the_version(
    place: str, stocked: Workbench, tmp_path: Path
) -> None:
    stocked.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    target = tmp_path / "out" / place
    good = target.read_bytes()
    changed = good[:-1] + bytes([good[-1] ^ 1])
    # A manifest that is still readable, as an edited one is.
    target.write_bytes(changed if place == "artifacts/model.bin" else good + b"\n")
    before = _tree(tmp_path / "out")
    _refused(stocked.run("--json", "pull", "fraud@1.0.0", "-o", tmp_path / "out"))
    assert _tree(tmp_path / "out") == before
    stocked.do("pull", "fraud@1.0.0", "-o", tmp_path / "out", "--replace")
    assert target.read_bytes() == good


def test_another_version_takes_the_place_only_with_replace(
    stocked: Workbench, tmp_path: Path
) -> None:
    stocked.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    before = _tree(tmp_path / "out")
    _refused(stocked.run("--json", "pull", "fraud@1.1.0", "-o", tmp_path / "out"))
    assert _tree(tmp_path / "out") == before
    stocked.do("pull", "fraud@1.1.0", "-o", tmp_path / "out", "--replace")
    assert _tree(tmp_path / "out")["artifacts/model.bin"] == b"fraud 1.1.0"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "theirs",
    [
        {"README.md": b"hello"},
        # What Kubernetes users call their files.
        {"manifest.yaml": b"apiVersion: apps/v1\nkind: Deployment\n"},
    ],
    ids=["readme", "manifest"],
)
def test_foreign_content_is_never_replaced(
    theirs: dict[str, bytes], stocked: Workbench, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, data in theirs.items():
        (out / name).write_bytes(data)
    for option in ((), ("--replace",)):
        _refused(stocked.run("--json", "pull", "fraud@1.0.0", "-o", out, *option))
        assert _tree(out) == theirs


def test_an_earlier_pull_with_files_of_the_users_is_not_thrown_away(
    stocked: Workbench, tmp_path: Path
) -> None:
    for number, place in enumerate(("notes.txt", "artifacts/notes.txt", "more/x")):
        out = tmp_path / f"out-{number}"
        stocked.do("pull", "fraud@1.0.0", "-o", out)
        (out / place).parent.mkdir(exist_ok=True)
        (out / place).write_bytes(b"mine")
        _refused(stocked.run("--json", "pull", "fraud@1.1.0", "-o", out, "--replace"))
        assert (out / place).read_bytes() == b"mine"


@pytest.mark.parametrize("kind", ["file", "symlink", "dangling", "pipe"])
def test_what_is_no_directory_is_left_as_it_is(
    kind: str, stocked: Workbench, tmp_path: Path
) -> None:
    out, real = tmp_path / "out", tmp_path / "real"
    stocked.do("pull", "fraud@1.0.0", "-o", real)
    match kind:
        case "file":
            out.write_bytes(b"mine")
        case "symlink":
            out.symlink_to(real, target_is_directory=True)
        case "dangling":
            out.symlink_to(tmp_path / "nowhere")
        case _:
            os.mkfifo(out)
    before = out.lstat()
    for option in ((), ("--replace",)):
        _refused(stocked.run("--json", "pull", "fraud@1.1.0", "-o", out, *option))
        assert out.lstat().st_ino == before.st_ino
    assert _tree(real)["artifacts/model.bin"] == b"fraud 1.0.0"
    assert not (tmp_path / "nowhere").exists()


def test_a_pulled_file_that_became_a_link_is_not_taken_for_the_version(
    stocked: Workbench, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stocked.do("pull", "fraud@1.0.0", "-o", out)
    (out / "artifacts/model.bin").rename(tmp_path / "moved.bin")
    (out / "artifacts/model.bin").symlink_to(tmp_path / "moved.bin")
    _refused(stocked.run("--json", "pull", "fraud@1.0.0", "-o", out))
    stocked.do("pull", "fraud@1.0.0", "-o", out, "--replace")
    assert not (out / "artifacts/model.bin").is_symlink()
    assert (tmp_path / "moved.bin").read_bytes() == b"fraud 1.0.0"


def test_a_file_where_a_parent_directory_should_be_is_an_outside_failure(
    stocked: Workbench, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    answer = stocked.run("--json", "pull", "fraud@1.0.0", "-o", tmp_path / "file/out")
    assert answer.code == 5
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_bad_bytes_in_the_store_leave_no_trace_of_a_directory(
    stocked: Workbench, tmp_path: Path
) -> None:
    digest = stocked.do("show", "fraud@1.0.0")["artifacts"][0]["sha256"]
    stored = stocked.object_path(digest)
    stored.chmod(0o644)
    stored.write_bytes(b"X" * stored.stat().st_size)
    (tmp_path / "place").mkdir()
    answer = stocked.run("--json", "pull", "fraud@1.0.0", "-o", tmp_path / "place/out")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_ARTIFACT_DIGEST")
    assert list((tmp_path / "place").iterdir()) == []


def test_the_default_place_is_named_after_the_version(
    stocked: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = stocked.do("pull", "fraud@1.1.0")
    assert answer["path"] == str(tmp_path / "fraud-1.1.0")
    assert (tmp_path / "fraud-1.1.0/artifacts/model.bin").is_file()
