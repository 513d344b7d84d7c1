"""What people have staged or edited stays as it is (design section 6, item 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workbench import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

PIN = "stages/dev/fraud.yaml"


@pytest.fixture
def ready(bench: Workbench) -> Workbench:
    """Return a registry with 1.0.0 in dev, and 1.1.0 waiting."""
    bench.register(version="1.0.0")
    bench.promote("fraud@1.0.0", "dev")
    bench.register(version="1.1.0")
    return bench


def _staged(bench: Workbench) -> str:
    return bench.git("diff", "--cached", "--raw", "--no-abbrev", "HEAD")


def test_unrelated_work_in_progress_is_the_same_afterwards(
    ready: Workbench, tmp_path: Path
) -> None:
    ready.commit_file("notes.txt", b"one\n")
    ready.commit_file("gone.txt", b"one\n")
    (ready.path / "notes.txt").write_bytes(b"two\n")
    ready.git("add", "notes.txt")
    (ready.path / "notes.txt").write_bytes(b"three\n")
    (ready.path / "new.txt").write_bytes(b"staged\n")
    ready.git("add", "new.txt")
    (ready.path / "planned.txt").write_bytes(b"later\n")
    ready.git("add", "--intent-to-add", "planned.txt")
    ready.git("rm", "-q", "gone.txt")
    (ready.path / "loose.txt").write_bytes(b"untracked\n")
    status, staged = ready.git("status", "--porcelain=v2", "-uall"), _staged(ready)

    ready.promote("fraud@1.1.0", "dev")
    ready.do("rollback", "fraud", "dev", "-m", "x")
    ready.register(version="2.0.0")
    ready.do("pull", "fraud#dev", "-o", tmp_path / "out")

    assert ready.git("status", "--porcelain=v2", "-uall") == status
    assert _staged(ready) == staged
    assert (ready.path / "notes.txt").read_bytes() == b"three\n"
    assert ready.git("log", "--format=%H", "-3", "--", "notes.txt", "new.txt").count(
        "\n"
    ) == 0  # fmt: skip
    assert ready.verify() == (0, [])


def test_an_edit_of_the_very_pin_stays_in_the_file_and_out_of_the_commit(
    ready: Workbench,
) -> None:
    edited = (ready.path / PIN).read_bytes() + b"# mine\n"
    (ready.path / PIN).write_bytes(edited)
    answer = ready.run("promote", "fraud@1.1.0", "dev")
    assert answer.code == 0
    assert PIN in answer.err
    assert (ready.path / PIN).read_bytes() == edited
    assert "# mine" not in ready.git("show", f"HEAD:{PIN}")
    assert ready.live("fraud", "dev") == "1.1.0"
    # It is an edit of what is live now, and no staged undo of the promotion: the next
    # plain commit must not take anything back.
    assert ready.git("status", "--porcelain", "-uall") == f" M {PIN}"


def test_a_staged_change_of_the_very_pin_stays_staged(ready: Workbench) -> None:
    (ready.path / PIN).write_bytes((ready.path / PIN).read_bytes() + b"# mine\n")
    ready.git("add", PIN)
    entry = ready.git("ls-files", "-s", PIN)
    answer = ready.run("promote", "fraud@1.1.0", "dev")
    assert answer.code == 0
    assert PIN in answer.err
    assert ready.git("ls-files", "-s", PIN) == entry
    assert (ready.path / PIN).read_bytes().endswith(b"# mine\n")
    assert ready.live("fraud", "dev") == "1.1.0"


def test_a_staged_removal_of_the_very_pin_stays_staged(ready: Workbench) -> None:
    ready.git("rm", "-q", PIN)
    assert ready.run("promote", "fraud@1.1.0", "dev").code == 0
    assert ready.git("status", "--porcelain", "-uall") == f"D  {PIN}"
    assert ready.live("fraud", "dev") == "1.1.0"


def test_a_pin_that_was_deleted_by_hand_stays_deleted(ready: Workbench) -> None:
    (ready.path / PIN).unlink()
    assert ready.run("promote", "fraud@1.1.0", "dev").code == 0
    assert ready.git("status", "--porcelain", "-uall") == f" D {PIN}"


def test_a_foreign_file_in_the_place_of_a_new_document_is_not_overwritten(
    ready: Workbench,
) -> None:
    theirs = ready.path / "log/dev/fraud/2.yaml"
    theirs.write_bytes(b"a draft of mine\n")
    answer = ready.run("promote", "fraud@1.1.0", "dev")
    assert answer.code == 0
    assert "log/dev/fraud/2.yaml" in answer.err
    assert theirs.read_bytes() == b"a draft of mine\n"
    assert ready.git("status", "--porcelain", "-uall") == " M log/dev/fraud/2.yaml"
    assert ready.verify() == (0, [])


@pytest.mark.parametrize("kind", ["file", "directory", "symlink", "dangling"])
def test_what_stands_in_the_way_of_a_directory_is_left_standing(
    kind: str, ready: Workbench, tmp_path: Path
) -> None:
    obstacle = ready.path / "stages/staging"
    match kind:
        case "file":
            obstacle.write_bytes(b"mine\n")
        case "directory":
            (obstacle / "fraud.yaml").mkdir(parents=True)
        case "symlink":
            obstacle.symlink_to(ready.outside, target_is_directory=True)
        case _:
            obstacle.symlink_to(tmp_path / "nowhere")
    ready.promote("fraud@1.0.0", "dev")
    answer = ready.run("promote", "fraud@1.0.0", "staging")
    assert answer.code == 0, answer.err
    assert "stages/staging/fraud.yaml" in answer.err
    assert obstacle.is_symlink() == (kind in {"symlink", "dangling"})
    assert not (ready.outside / "fraud.yaml").exists()
    assert not (tmp_path / "nowhere").exists()
    assert ready.live("fraud", "staging") == "1.0.0"
    assert ready.run("promote", "fraud@1.1.0", "dev").err.count("staging/") == 0
    assert ready.verify() == (0, [])


def test_a_merge_in_progress_is_neither_lost_nor_swept_in(ready: Workbench) -> None:
    ready.commit_file("notes.txt", b"base\n")
    ready.git("switch", "-qc", "side", "HEAD")
    ready.commit_file("notes.txt", b"theirs\n")
    ready.git("switch", "-q", "main")
    ready.commit_file("notes.txt", b"ours\n")
    ready.git("merge", "side", ok=False)
    conflict = ready.git("ls-files", "-u")
    assert conflict
    ready.promote("fraud@1.1.0", "dev")
    assert ready.git("ls-files", "-u") == conflict
    assert b"<<<<<<<" in (ready.path / "notes.txt").read_bytes()
    (ready.path / "notes.txt").write_bytes(b"both\n")
    ready.git("commit", "-qam", "merged")
    assert ready.live("fraud", "dev") == "1.1.0"
    assert ready.verify() == (0, [])


def test_assume_unchanged_and_skip_worktree_flags_survive(ready: Workbench) -> None:
    ready.commit_file("local.cfg", b"shared\n")
    ready.git("update-index", "--skip-worktree", "local.cfg")
    (ready.path / "local.cfg").write_bytes(b"mine\n")
    ready.promote("fraud@1.1.0", "dev")
    assert ready.git("ls-files", "-t", "local.cfg") == "S local.cfg"
    assert (ready.path / "local.cfg").read_bytes() == b"mine\n"


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_a_sparse_checkout_stays_sparse(
    cone: str, ready: Workbench, tmp_path: Path
) -> None:
    ready.promote("fraud@1.1.0", "dev")
    ready.commit_file("docs/notes.txt", b"x\n")
    ready.git("sparse-checkout", "set", cone, "docs")
    assert not (ready.path / "models").exists()
    ready.register(version="2.0.0")
    ready.promote("fraud@2.0.0", "dev", "staging")
    ready.do("rollback", "fraud", "dev", "-m", "x")
    assert ready.git("status", "--porcelain", "-uall") == ""
    visible = {path.name for path in ready.path.iterdir()}
    assert visible - {".gitattributes", "gitmodel.yaml"} == {".git", "docs"}
    assert ready.do("pull", "fraud#dev", "-o", tmp_path / "out")["version"] == "1.1.0"
    assert ready.verify() == (0, [])
    ready.git("sparse-checkout", "disable")
    assert ready.git("status", "--porcelain", "-uall") == ""
    assert (ready.path / PIN).is_file()


def test_adopting_a_repository_leaves_its_work_in_progress_alone(
    bench: Workbench, tmp_path: Path
) -> None:
    home = tmp_path / "adopted"
    git(tmp_path, "init", "-q", "adopted")
    (home / ".gitattributes").write_bytes(b"*.png binary\n")
    (home / "code.py").write_bytes(b"print()\n")
    git(home, "add", ".")
    git(home, "commit", "-qm", "code")
    (home / ".gitattributes").write_bytes(b"*.png binary\n*.jpg binary\n")
    (home / "code.py").write_bytes(b"print(1)\n")
    git(home, "add", "code.py")
    staged = git(home, "ls-files", "-s", "code.py")
    adopted = type(bench)(home, bench.outside)
    adopted.do("init", "--principal", "ada")
    assert git(home, "ls-files", "-s", "code.py") == staged
    assert (home / ".gitattributes").read_bytes() == b"*.png binary\n*.jpg binary\n"
    assert git(home, "show", "HEAD:code.py") == "print()"
    assert "*.png binary" in git(home, "show", "HEAD:.gitattributes")
    assert "*.jpg" not in git(home, "show", "HEAD:.gitattributes")
