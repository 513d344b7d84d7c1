"""A hand-made git revert becomes a rollback by the rules, or is refused (design 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.hooks import plain_git, refused, stage

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

PIN = "stages/dev/fraud.yaml"


@pytest.fixture
def hooked(stocked: Workbench) -> Workbench:
    """Return a registry in which dev went from fraud@1.0.0 to 1.1.0, with hooks."""
    stocked.do("hooks", "install")
    return stocked


def _promotion(bench: Workbench, version: str = "1.1.0") -> str:
    """Return the commit that put a version of fraud into dev."""
    return bench.git("log", "--format=%H", f"--grep=dev .* -> {version}")


def _is_a_rollback(bench: Workbench, reverted: str, parent: str) -> str:
    """Assert that HEAD is one legal rollback of ``reverted``; return its message."""
    message = bench.git("log", "-1", "--format=%B")
    assert f"This reverts commit {reverted}." in message
    assert "Gitmodel-Action: rollback" in message
    assert bench.git("rev-parse", "HEAD~1") == parent
    # Nothing is left of git's own commit: not in the index, not in the files.
    assert bench.git("status", "--porcelain", "--untracked-files=all") == ""
    assert not (bench.path / ".git/gitmodel/revert.json").exists()
    assert bench.verify("--history") == (0, [])
    assert bench.live("fraud", "dev") == "1.0.0"
    newest = bench.do("log", "fraud", "--stage", "dev")["events"][0]
    assert (newest["action"], newest["from"], newest["to"]) == (
        "rollback",
        "1.1.0",
        "1.0.0",
    )
    return message


def test_a_revert_becomes_a_rollback_in_one_commit(hooked: Workbench) -> None:
    parent, promotion = hooked.git("rev-parse", "HEAD"), _promotion(hooked)
    before = hooked.git("rev-parse", f"{promotion}~1:{PIN}")
    said = plain_git(hooked.path, "revert", "--no-edit", promotion)
    assert said.code == 0, said.text
    assert "Made the revert a rollback: fraud in dev, 1.1.0 -> 1.0.0" in said.text
    message = _is_a_rollback(hooked, promotion, parent)
    assert 'Revert "promote(fraud): dev 1.0.0 -> 1.1.0"' in message
    assert hooked.git("rev-parse", f"HEAD:{PIN}") == before
    # The log grew, and lost nothing.
    assert sorted(p.name for p in (hooked.path / "log/dev/fraud").glob("?.yaml")) == [
        "1.yaml",
        "2.yaml",
        "3.yaml",
    ]


def test_what_a_person_writes_about_the_revert_is_the_reason(
    hooked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, promotion = hooked.git("rev-parse", "HEAD"), _promotion(hooked)
    editor = hooked.outside / "editor"
    editor.write_text('#!/bin/sh\nsed -i "1s/.*/Recall fell on new cards/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("GIT_EDITOR", str(editor))
    said = plain_git(hooked.path, "revert", "--edit", promotion)
    assert said.code == 0, said.text
    assert "Recall fell on new cards" in _is_a_rollback(hooked, promotion, parent)
    [event, *_] = hooked.do("log", "fraud", "--stage", "dev")["events"]
    assert event["reason"] == "Recall fell on new cards"


def test_a_revert_without_a_commit_is_completed_by_the_commit(
    hooked: Workbench,
) -> None:
    parent, promotion = hooked.git("rev-parse", "HEAD"), _promotion(hooked)
    assert plain_git(hooked.path, "revert", "--no-commit", promotion).code == 0
    said = plain_git(hooked.path, "commit", "--no-edit")
    assert said.code == 0, said.text
    _is_a_rollback(hooked, promotion, parent)


def test_other_work_in_the_clone_survives_the_revert(hooked: Workbench) -> None:
    stage(hooked, "notes", b"committed\n")
    hooked.git("commit", "-qm", "notes")
    (hooked.path / "notes").write_bytes(b"edited\n")
    (hooked.path / "new").write_bytes(b"untracked\n")
    assert plain_git(hooked.path, "revert", "--no-edit", _promotion(hooked)).code == 0
    assert (hooked.path / "notes").read_bytes() == b"edited\n"
    assert (hooked.path / "new").read_bytes() == b"untracked\n"
    assert hooked.git("status", "--porcelain").split("\n") == [" M notes", "?? new"]
    assert hooked.verify("--history") == (0, [])


def test_a_rollback_can_be_reverted_too(hooked: Workbench) -> None:
    hooked.do("rollback", "fraud", "dev", "-m", "wrong alarm")
    assert plain_git(hooked.path, "revert", "--no-edit", "HEAD").code == 0
    assert hooked.live("fraud", "dev") == "1.1.0"
    assert hooked.verify("--history") == (0, [])


def test_in_a_linked_work_tree_a_revert_becomes_a_rollback(hooked: Workbench) -> None:
    linked = hooked.outside / "linked"
    hooked.git("switch", "-q", "--detach")
    hooked.git("worktree", "add", "-q", linked, "main")
    said = plain_git(linked, "revert", "--no-edit", _promotion(hooked))
    assert said.code == 0, said.text
    assert "Made the revert a rollback" in said.text
    assert plain_git(linked, "status", "--porcelain").text == ""


def test_without_a_key_a_revert_is_refused_with_the_command(
    hooked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hooked.snapshot()
    monkeypatch.setenv("GITMODEL_KEY", str(hooked.outside / "none"))
    said = refused(hooked, "revert", "--no-edit", _promotion(hooked))
    assert f"{PIN}: it takes a transition out of the log" in said
    assert "There is no key" in said
    assert "E_REVERT" in said
    assert "    -> git reset --merge\n" in said
    assert "    -> gitmodel rollback fraud dev --to 1.0.0 -m REASON\n" in said
    hooked.git("reset", "--merge")
    assert hooked.snapshot() == before
    monkeypatch.delenv("GITMODEL_KEY")
    hooked.do("rollback", "fraud", "dev", "--to", "1.0.0", "-m", "as it says")
    assert hooked.verify("--history") == (0, [])


def test_who_may_not_roll_back_may_not_revert(
    hooked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = hooked.outside / "bob"
    hooked.do("key", "new", "--out", bob)
    hooked.do(
        "policy", "add-principal", "bob", "--key", f"{bob}.pub", "--role", "promoter"
    )
    monkeypatch.setenv("GITMODEL_KEY", str(bob))
    said = refused(hooked, "revert", "--no-edit", _promotion(hooked))
    assert "bob is not a responder" in said


def test_bad_bytes_are_not_gone_back_to(hooked: Workbench) -> None:
    hooked.tamper("fraud@1.0.0")
    said = refused(hooked, "revert", "--no-edit", _promotion(hooked))
    assert "cannot be made a rollback" in said


def test_the_first_promotion_cannot_be_undone(stocked: Workbench) -> None:
    stocked.do("hooks", "install")
    [promotion] = stocked.promote("churn@1.0.0", "staging")
    said = refused(stocked, "revert", "--no-edit", promotion["commit"])
    assert "Stage staging held no version of churn before" in said
    assert "--to" not in said


def test_a_version_cannot_be_reverted_away(hooked: Workbench) -> None:
    registered = hooked.git("log", "--format=%H", "--grep=register(fraud): 2.0.0")
    said = refused(hooked, "revert", "--no-edit", registered)
    assert "models/fraud/versions/2.0.0/manifest.yaml: it was deleted." in said
    assert "-> git reset --merge" in said
    assert "-> gitmodel register fraud FILE… --bump patch" in said


def test_several_reverts_at_once_are_refused(hooked: Workbench) -> None:
    hooked.promote("fraud@2.0.0", "dev")
    commits = (hooked.git("rev-parse", "HEAD"), _promotion(hooked))
    before = hooked.snapshot()
    said = refused(hooked, "revert", "--no-edit", *commits)
    assert "-> git revert --abort" in said
    hooked.git("revert", "--abort")
    assert hooked.snapshot() == before


def test_a_revert_with_something_else_in_it_is_refused(hooked: Workbench) -> None:
    plain_git(hooked.path, "revert", "--no-commit", _promotion(hooked))
    stage(hooked, "README.md", b"and this\n")
    said = refused(hooked, "commit", "--no-edit")
    assert "E_APPEND_ONLY" in said


def test_people_revert_their_own_files_as_ever(hooked: Workbench) -> None:
    stage(hooked, "README.md", b"x\n")
    hooked.git("commit", "-qm", "docs")
    said = plain_git(hooked.path, "revert", "--no-edit", "HEAD")
    assert said.code == 0, said.text
    assert "gitmodel" not in said.text
    assert hooked.git("log", "-1", "--format=%s") == 'Revert "docs"'


def test_a_note_that_is_left_over_changes_nothing(hooked: Workbench) -> None:
    """The commit that it was made for never came, and another one did."""
    plain_git(hooked.path, "revert", "--no-commit", _promotion(hooked))
    assert hooked.run("hook", "pre-commit", "--completes").code == 0
    hooked.git("reset", "--merge")
    assert (hooked.path / ".git/gitmodel/revert.json").exists()
    stage(hooked, "README.md", b"x\n")
    assert plain_git(hooked.path, "commit", "-qm", "docs").code == 0
    assert hooked.git("log", "-1", "--format=%s") == "docs"
    assert hooked.live("fraud", "dev") == "1.1.0"
    assert not (hooked.path / ".git/gitmodel/revert.json").exists()


def test_a_rollback_that_fails_after_all_leaves_what_was_before(
    hooked: Workbench,
) -> None:
    """The bytes go bad between the two hooks: another hook of the user's sees to it."""
    [artifact] = hooked.do("show", "fraud@1.0.0")["artifacts"]
    hooked.do("hooks", "uninstall")
    other = hooked.path / ".git/hooks/post-commit"
    other.parent.mkdir(exist_ok=True)
    path = hooked.object_path(artifact["sha256"])
    other.write_text(f"#!/bin/sh\nchmod u+w {path}\nprintf X > {path}\n")
    other.chmod(0o755)
    hooked.do("hooks", "install")
    before = hooked.git("rev-parse", "HEAD")
    said = plain_git(hooked.path, "revert", "--no-edit", _promotion(hooked))
    assert "The revert was taken back, and no rollback came of it" in said.text
    assert "Hint: gitmodel rollback fraud dev --to 1.0.0 -m REASON" in said.text
    assert hooked.git("rev-parse", "HEAD") == before
    assert hooked.git("status", "--porcelain", "--untracked-files=all") == ""
    assert hooked.live("fraud", "dev") == "1.1.0"


def test_a_cherry_pick_is_judged_as_a_commit_is(hooked: Workbench) -> None:
    hooked.git("switch", "-qc", "other")
    hooked.git("rm", "-q", "log/dev/fraud/1.yaml")
    hooked.git("commit", "-qnm", "past the hooks")
    stage(hooked, "README.md", b"x\n")
    hooked.git("commit", "-qm", "docs")
    hooked.git("switch", "-q", "main")
    before = hooked.snapshot()
    said = refused(hooked, "cherry-pick", "other~1")
    assert "log/dev/fraud/1.yaml: it was deleted." in said
    assert "-> git reset --merge" in said
    hooked.git("reset", "--merge")
    assert hooked.snapshot() == before
    said = refused(hooked, "cherry-pick", "other~1", "other")
    assert "-> git cherry-pick --abort" in said
    hooked.git("cherry-pick", "--abort")
    assert hooked.snapshot() == before
    assert plain_git(hooked.path, "cherry-pick", "other").code == 0
