"""Attacks on what was: merges that hide, edits put back, histories replaced.

Nothing here forces a push: whoever may push could do all of it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.forgery import commit_tree, forge_move, pin_of
from tests.support.refusals import found_by_verify, nothing_acts_on
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANIFEST = "models/fraud/versions/1.1.0/manifest.yaml"
PIN = "stages/staging/fraud.yaml"


def problems(bench: Workbench, *args: str) -> list[tuple[str, str, str | None]]:
    """Return code, path and commit of what verify finds; it must find something."""
    answer = bench.run("--json", "verify", *args)
    assert answer.code == 4, answer
    return [(p["code"], p["path"], p["commit"]) for p in answer.json["problems"]]


@pytest.mark.parametrize(
    "path", [MANIFEST, "log/staging/fraud/1.yaml", ".gitmodel/policy/1.yaml"]
)
def test_a_document_edited_and_put_back(stocked: Workbench, path: str) -> None:
    was = (stocked.path / path).read_bytes()
    edited = stocked.commit_file(path, was + b"# x\n")
    back = stocked.commit_file(path, was)
    expected = {("E_APPEND_ONLY", path, edited), ("E_APPEND_ONLY", path, back)}
    assert set(problems(stocked)) == expected
    assert set(problems(stocked, "fraud@1.1.0")) == expected


def test_a_pin_edited_and_put_back(stocked: Workbench) -> None:
    was = (stocked.path / PIN).read_bytes()
    evil = pin_of(stocked, "staging", "fraud", "2.0.0")
    edited = stocked.commit_file(PIN, evil)
    stocked.commit_file(PIN, was)
    expected = ("E_TRANSITION_UNRECORDED", PIN, edited)
    assert problems(stocked) == [expected]
    assert problems(stocked, "fraud@1.1.0") == [expected]
    assert stocked.verify("churn@1.0.0") == (0, [])


def test_a_pin_deleted_and_put_back(stocked: Workbench) -> None:
    was = (stocked.path / PIN).read_bytes()
    gone = stocked.commit_file(PIN, None)
    stocked.commit_file(PIN, was)
    assert problems(stocked) == [("E_TRANSITION_UNRECORDED", PIN, gone)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("kind: ModelPin", "kind: ModelPin\nowner: eve"), "E_SCHEMA"),
        (("gitmodel://fraud@", "https://evil.example/"), "E_SCHEMA"),
        (("gitmodel://fraud@", "gitmodel://evil@"), "E_PIN_MISMATCH"),
        (
            ("spec:\n", "spec:\n  canary: {version: 2.0.0, weight: 9}\n"),
            "E_PIN_MISMATCH",
        ),
    ],
)
def test_a_malformed_pin_that_was_replaced_since(
    stocked: Workbench, change: tuple[str, str], code: str
) -> None:
    """With a good key, log entry and all: only what the pin says is not its to say."""
    pin = pin_of(stocked, "staging", "fraud", "1.0.0").decode()
    assert change[0] in pin
    odd = pin.replace(*change).encode()
    moved = forge_move(stocked, "staging", "fraud", "1.0.0", pin=odd)
    stocked.promote("fraud@1.1.0", "staging")
    for options in (("--history",), ("--full", "--no-bytes")):
        assert (code, PIN, moved) in problems(stocked, *options)


def test_a_version_deleted_and_registered_again(stocked: Workbench) -> None:
    stocked.git("rm", "-qr", "models/fraud/versions/2.0.0")
    stocked.git("commit", "-qm", "hand")
    deleted = stocked.git("rev-parse", "HEAD")
    stocked.register("fraud", "2.0.0", b"other bytes")
    for args in ((), ("fraud@2.0.0",)):
        assert {(code, commit) for code, _, commit in problems(stocked, *args)} == {
            ("E_APPEND_ONLY", deleted)
        }


def test_a_version_renamed(stocked: Workbench) -> None:
    stocked.git("mv", "models/fraud/versions/2.0.0", "models/fraud/versions/3.0.0")
    stocked.git("commit", "-qm", "hand")
    assert {"E_APPEND_ONLY", "E_NAME", "E_OTHER_PATH"} <= found_by_verify(stocked)
    nothing_acts_on(stocked, ("promote", "fraud@3.0.0", "dev"))


def _pull_request(bench: Workbench) -> None:
    """Let a branch and the main line part, and merge them, but do not commit."""
    bench.git("checkout", "-q", "-b", "pr")
    bench.commit_file("notes.txt", b"x")
    bench.git("checkout", "-q", "main")
    bench.commit_file("README.md", b"y")
    bench.git("merge", "-q", "--no-commit", "pr")


def test_009_a_pin_changed_in_a_merge(stocked: Workbench) -> None:
    _pull_request(stocked)
    (stocked.path / PIN).write_bytes(pin_of(stocked, "staging", "fraud", "2.0.0"))
    stocked.git("add", PIN)
    stocked.git("commit", "-qm", "merge")
    merge = stocked.git("rev-parse", "HEAD")
    assert stocked.git("log", "-p", "-1", "--format=") == ""  # git shows nothing
    assert ("E_TRANSITION_UNRECORDED", PIN, merge) in problems(stocked)
    nothing_acts_on(stocked, ("rollback", "fraud", "staging", "-m", "x"))


def test_009_a_version_deleted_in_a_merge(stocked: Workbench) -> None:
    _pull_request(stocked)
    stocked.git("rm", "-qr", "models/fraud/versions/2.0.0")
    stocked.git("commit", "-qm", "merge")
    merge = stocked.git("rev-parse", "HEAD")
    found = problems(stocked)
    assert {(code, commit) for code, _, commit in found} == {("E_APPEND_ONLY", merge)}


def test_honest_merges_pass(stocked: Workbench) -> None:
    stocked.git("checkout", "-q", "-b", "pr")
    stocked.register("fraud", "3.0.0")
    stocked.git("checkout", "-q", "main")
    stocked.promote("fraud@2.0.0", "dev")
    stocked.git("merge", "-q", "--no-edit", "pr")
    assert stocked.verify() == (0, [])
    # The other way round: what `git pull` makes of a clone that was behind.
    stocked.git("checkout", "-q", "pr")
    stocked.commit_file("notes.txt", b"x")
    stocked.git("merge", "-q", "--no-edit", "main")
    stocked.promote("fraud@3.0.0", "dev")
    assert stocked.verify() == (0, [])
    assert stocked.verify("--history", "--full") == (0, [])


def _erased(bench: Workbench) -> None:
    """Let a merge put the line before a rollback first: its log entry disappears."""
    before = bench.git("rev-parse", "HEAD")
    bench.do("rollback", "fraud", "staging", "-m", "1.1.0 is bad")
    after = bench.git("rev-parse", "HEAD")
    commit_tree(bench, f"{before}^{{tree}}", before, after)


def _erased_in_two_steps(bench: Workbench) -> None:
    before = bench.git("rev-parse", "HEAD")
    bench.do("rollback", "fraud", "staging", "-m", "1.1.0 is bad")
    after = bench.git("rev-parse", "HEAD")
    between = commit_tree(bench, f"{before}^{{tree}}", after)
    commit_tree(bench, f"{before}^{{tree}}", before, between)


def _edited_beside_the_line(bench: Workbench) -> None:
    before = bench.git("rev-parse", "HEAD")
    evil = bench.commit_file(PIN, pin_of(bench, "staging", "fraud", "2.0.0"))
    commit_tree(bench, f"{before}^{{tree}}", before, evil)


def _rewritten_from_the_root(bench: Workbench) -> None:
    old = bench.git("rev-parse", "HEAD")
    bench.do("rollback", "fraud", "staging", "-m", "1.1.0 is bad")
    after = bench.git("rev-parse", "HEAD")
    root = bench.git("commit-tree", f"{old}^{{tree}}", "-m", "a fresh start")
    commit_tree(bench, f"{old}^{{tree}}", root, after)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (_erased, "E_APPEND_ONLY"),
        (_erased_in_two_steps, "E_APPEND_ONLY"),
        (_edited_beside_the_line, "E_TRANSITION_UNRECORDED"),
        (_rewritten_from_the_root, "E_APPEND_ONLY"),
    ],
)
@pytest.mark.parametrize("verified_before", [False, True])
def test_a_merge_that_takes_the_truth_off_the_first_parent_line(
    stocked: Workbench,
    attack: Callable[[Workbench], None],
    code: str,
    *,
    verified_before: bool,
) -> None:
    """The main line before the attack is an ancestor still: the push is no force."""
    if verified_before:
        assert stocked.verify("--history") == (0, [])
    attack(stocked)
    assert code in found_by_verify(stocked)
    assert code in found_by_verify(stocked, "fraud@1.1.0")
    assert code in found_by_verify(stocked, "--history")
    assert code in found_by_verify(stocked, "--history", "--no-bytes")


def test_026_replaced_objects_are_not_believed(stocked: Workbench) -> None:
    good = stocked.git("rev-parse", "HEAD")
    evil = stocked.commit_file(PIN, pin_of(stocked, "staging", "fraud", "2.0.0"))
    stocked.git("replace", evil, good)
    assert "E_TRANSITION_UNRECORDED" in found_by_verify(stocked)
    stocked.git("replace", "-d", evil)
    stocked.git("update-ref", "HEAD", good)
    stocked.git("replace", good, evil)
    assert "2.0.0" in stocked.git("show", f"HEAD:{PIN}")  # git believes it
    assert stocked.live("fraud", "staging") == "1.1.0"
    assert stocked.verify() == (0, [])


def test_grafts_and_notes_are_not_believed(stocked: Workbench) -> None:
    good = stocked.git("rev-parse", "HEAD")
    was = (stocked.path / MANIFEST).read_bytes()
    stocked.commit_file(MANIFEST, was + b"# x\n")
    back = stocked.commit_file(MANIFEST, was)
    info = stocked.path / ".git/info"
    info.mkdir(exist_ok=True)
    (info / "grafts").write_text(f"{back} {good}\n")
    assert "E_APPEND_ONLY" in found_by_verify(stocked)


def test_027_a_shallow_clone_does_not_claim_to_know_the_past(
    stocked: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = (stocked.path / MANIFEST).read_bytes()
    stocked.commit_file(MANIFEST, was + b"# x\n")
    stocked.commit_file(MANIFEST, was)
    stocked.commit_file("README.md", b"x")
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    path = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{stocked.path}", path)
    store = ".git/lfs"
    shutil.copytree(stocked.path / store, path / store, dirs_exist_ok=True)
    clone = Workbench(path, stocked.outside)
    assert clone.verify() == (1, ["E_SHALLOW"])
    assert clone.verify("fraud@1.1.0") == (1, ["E_SHALLOW"])


def test_014_tags_prove_nothing(stocked: Workbench) -> None:
    stocked.git("tag", "fraud/v1.1.0", "HEAD~3")
    stocked.git("tag", "-f", "fraud/v2.0.0", "HEAD~1")
    assert stocked.verify() == (0, [])


def test_018_a_branch_that_was_moved_back(stocked: Workbench) -> None:
    assert stocked.verify("--history") == (0, [])
    stocked.git("reset", "-q", "--hard", "HEAD~2")
    assert "E_HISTORY_REWRITTEN" in found_by_verify(stocked, "--history")


def test_018_what_was_verified_is_gone_for_good(stocked: Workbench) -> None:
    assert stocked.verify("--history") == (0, [])
    stocked.git("reset", "-q", "--hard", "HEAD~2")
    stocked.git("reflog", "expire", "--expire=now", "--all")
    stocked.git("gc", "-q", "--prune=now")
    assert "E_HISTORY_REWRITTEN" in found_by_verify(stocked, "--history")


def test_a_merge_that_puts_another_line_before_what_was_verified(
    stocked: Workbench,
) -> None:
    """It descends from what is remembered; its steps do not, and are judged anew."""
    start = stocked.git("rev-parse", "HEAD")
    mine = stocked.commit_file("notes.md", b"mine")
    stocked.git("reset", "-q", "--hard", start)
    stocked.promote("churn@1.0.0", "staging")
    assert stocked.verify("--history") == (0, [])
    theirs = stocked.git("rev-parse", "HEAD")
    stocked.git("reset", "-q", "--hard", mine)
    stocked.git("merge", "-q", "--no-ff", "--no-edit", theirs)
    line = stocked.git("rev-list", "--first-parent", "--count", "HEAD")
    answer = stocked.do("verify", "--history")
    assert answer["steps"] == int(line)
