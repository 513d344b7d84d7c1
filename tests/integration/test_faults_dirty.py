"""What people have staged or edited stays as it is (design section 6, item 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workbench import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

PIN = "stages/dev/fraud.yaml"


def _staged(bench: Workbench) -> str:
    return bench.git("diff", "--cached", "--raw", "--no-abbrev", "HEAD")


def test_unrelated_work_in_progress_is_the_same_afterwards(
    stocked: Workbench, tmp_path: Path
) -> None:
    stocked.commit_file("notes.txt", b"one\n")
    stocked.commit_file("gone.txt", b"one\n")
    (stocked.path / "notes.txt").write_bytes(b"two\n")
    stocked.git("add", "notes.txt")
    (stocked.path / "notes.txt").write_bytes(b"three\n")
    (stocked.path / "new.txt").write_bytes(b"staged\n")
    stocked.git("add", "new.txt")
    (stocked.path / "planned.txt").write_bytes(b"later\n")
    stocked.git("add", "--intent-to-add", "planned.txt")
    stocked.git("rm", "-q", "gone.txt")
    (stocked.path / "loose.txt").write_bytes(b"untracked\n")
    status, staged = stocked.git("status", "--porcelain=v2", "-uall"), _staged(stocked)

    stocked.promote("fraud@2.0.0", "dev")
    stocked.do("rollback", "fraud", "dev", "-m", "x")
    stocked.register(version="3.0.0")
    stocked.do("pull", "fraud#dev", "-o", tmp_path / "out")

    assert stocked.git("status", "--porcelain=v2", "-uall") == status
    assert _staged(stocked) == staged
    assert (stocked.path / "notes.txt").read_bytes() == b"three\n"
    assert stocked.git("log", "--format=%H", "-3", "--", "notes.txt", "new.txt").count(
        "\n"
    ) == 0  # fmt: skip
    assert stocked.verify() == (0, [])


def test_an_edit_of_the_very_pin_stays_in_the_file_and_out_of_the_commit(
    stocked: Workbench,
) -> None:
    edited = (stocked.path / PIN).read_bytes() + b"# mine\n"
    (stocked.path / PIN).write_bytes(edited)
    answer = stocked.run("promote", "fraud@2.0.0", "dev")
    assert answer.code == 0
    assert PIN in answer.err
    assert (stocked.path / PIN).read_bytes() == edited
    assert "# mine" not in stocked.git("show", f"HEAD:{PIN}")
    assert stocked.live("fraud", "dev") == "2.0.0"
    # It is an edit of what is live now, and no staged undo of the promotion: the next
    # plain commit must not take anything back.
    assert stocked.git("status", "--porcelain", "-uall") == f" M {PIN}"


def test_a_staged_change_of_the_very_pin_stays_staged(stocked: Workbench) -> None:
    (stocked.path / PIN).write_bytes((stocked.path / PIN).read_bytes() + b"# mine\n")
    stocked.git("add", PIN)
    entry = stocked.git("ls-files", "-s", PIN)
    answer = stocked.run("promote", "fraud@2.0.0", "dev")
    assert answer.code == 0
    assert PIN in answer.err
    assert stocked.git("ls-files", "-s", PIN) == entry
    assert (stocked.path / PIN).read_bytes().endswith(b"# mine\n")
    assert stocked.live("fraud", "dev") == "2.0.0"


def test_a_staged_removal_of_the_very_pin_stays_staged(stocked: Workbench) -> None:
    stocked.git("rm", "-q", PIN)
    assert stocked.run("promote", "fraud@2.0.0", "dev").code == 0
    assert stocked.git("status", "--porcelain", "-uall") == f"D  {PIN}"
    assert stocked.live("fraud", "dev") == "2.0.0"


def test_a_pin_that_was_deleted_by_hand_stays_deleted(stocked: Workbench) -> None:
    (stocked.path / PIN).unlink()
    assert stocked.run("promote", "fraud@2.0.0", "dev").code == 0
    assert stocked.git("status", "--porcelain", "-uall") == f" D {PIN}"


def test_a_foreign_file_in_the_place_of_a_new_document_is_not_overwritten(
    stocked: Workbench,
) -> None:
    theirs = stocked.path / "log/dev/fraud/3.yaml"
    theirs.write_bytes(b"a draft of mine\n")
    answer = stocked.run("promote", "fraud@2.0.0", "dev")
    assert answer.code == 0
    assert "log/dev/fraud/3.yaml" in answer.err
    assert theirs.read_bytes() == b"a draft of mine\n"
    assert stocked.git("status", "--porcelain", "-uall") == " M log/dev/fraud/3.yaml"
    assert stocked.verify() == (0, [])


@pytest.mark.parametrize("kind", ["file", "directory", "symlink", "dangling"])
def test_what_stands_in_the_way_of_a_directory_is_left_standing(
    kind: str, stocked: Workbench, tmp_path: Path
) -> None:
    obstacle = stocked.path / "stages/production"
    match kind:
        case "file":
            obstacle.write_bytes(b"mine\n")
        case "directory":
            (obstacle / "fraud.yaml").mkdir(parents=True)
        case "symlink":
            obstacle.symlink_to(stocked.outside, target_is_directory=True)
        case _:
            obstacle.symlink_to(tmp_path / "nowhere")
    answer = stocked.run("promote", "fraud@1.1.0", "production")
    assert answer.code == 0, answer.err
    assert "stages/production/fraud.yaml" in answer.err
    assert obstacle.is_symlink() == (kind in {"symlink", "dangling"})
    assert not (stocked.outside / "fraud.yaml").exists()
    assert not (tmp_path / "nowhere").exists()
    assert stocked.live("fraud", "production") == "1.1.0"
    assert stocked.run("promote", "fraud@2.0.0", "dev").err.count("production/") == 0
    assert stocked.verify() == (0, [])


def test_a_merge_in_progress_is_neither_lost_nor_swept_in(stocked: Workbench) -> None:
    stocked.commit_file("notes.txt", b"base\n")
    stocked.git("switch", "-qc", "side", "HEAD")
    stocked.commit_file("notes.txt", b"theirs\n")
    stocked.git("switch", "-q", "main")
    stocked.commit_file("notes.txt", b"ours\n")
    stocked.git("merge", "side", ok=False)
    conflict = stocked.git("ls-files", "-u")
    assert conflict
    stocked.promote("fraud@2.0.0", "dev")
    assert stocked.git("ls-files", "-u") == conflict
    assert b"<<<<<<<" in (stocked.path / "notes.txt").read_bytes()
    (stocked.path / "notes.txt").write_bytes(b"both\n")
    stocked.git("commit", "-qam", "merged")
    assert stocked.live("fraud", "dev") == "2.0.0"
    assert stocked.verify() == (0, [])


def test_assume_unchanged_and_skip_worktree_flags_survive(stocked: Workbench) -> None:
    stocked.commit_file("local.cfg", b"shared\n")
    stocked.git("update-index", "--skip-worktree", "local.cfg")
    (stocked.path / "local.cfg").write_bytes(b"mine\n")
    stocked.promote("fraud@2.0.0", "dev")
    assert stocked.git("ls-files", "-t", "local.cfg") == "S local.cfg"
    assert (stocked.path / "local.cfg").read_bytes() == b"mine\n"


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_a_sparse_checkout_stays_sparse(
    cone: str, stocked: Workbench, tmp_path: Path
) -> None:
    stocked.commit_file("docs/notes.txt", b"x\n")
    stocked.git("sparse-checkout", "set", cone, "docs")
    assert not (stocked.path / "models").exists()
    stocked.register(version="3.0.0")
    stocked.promote("fraud@3.0.0", "dev", "staging")
    stocked.do("rollback", "fraud", "dev", "-m", "x")
    assert stocked.git("status", "--porcelain", "-uall") == ""
    visible = {path.name for path in stocked.path.iterdir()}
    assert visible - {".gitattributes", "gitmodel.yaml"} == {".git", "docs"}
    assert stocked.do("pull", "fraud#dev", "-o", tmp_path / "out")["version"] == "1.1.0"
    assert stocked.verify() == (0, [])
    stocked.git("sparse-checkout", "disable")
    assert stocked.git("status", "--porcelain", "-uall") == ""
    assert (stocked.path / PIN).is_file()


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
