"""Attacks on a server by people with plain git: each is refused, and leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.signing import keys
from gitmodel.domain.digest import Digest
from gitmodel.registry import layout
from tests.support.cli import gitmodel
from tests.support.forgery import (
    GITLINK,
    SYMLINK,
    TREE,
    Forged,
    Item,
    add_entry,
    commit_files,
    commit_tree,
    edit_tree,
    forge_move,
    pin_of,
    signed,
    write_object,
    write_tree,
)
from tests.support.refusals import refused
from tests.support.remotes import make_hub
from tests.support.served import Served
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "models/fraud/versions/1.0.0/manifest.yaml"
PIN = "stages/dev/fraud.yaml"
POLICY = ".gitmodel/policy/1.yaml"


def _stranger(bench: Workbench) -> keys.FileSigner:
    """Return a key that the policy does not know."""
    file = bench.outside / "stranger"
    assert gitmodel("key", "new", "--out", file).code == 0
    return keys.load(file, lambda: None)


def test_062_a_forced_push(served: Served) -> None:
    said = served.refuses("--force", "HEAD~1:main", codes={"E_FORCE_PUSH"})
    assert "git merge --no-ff main && git push origin HEAD:main" in said


def test_062_a_forced_push_of_new_commits(served: Served) -> None:
    served.ours.git("reset", "-q", "--hard", "HEAD~1")
    served.ours.commit_file("README.md", b"another story")
    served.refuses("--force", "main", codes={"E_FORCE_PUSH"})


def test_062_the_branch_deleted(served: Served) -> None:
    served.refuses(":main", codes={"E_REF_DELETED"})


def test_060_a_tag_moved_or_deleted(served: Served) -> None:
    served.ours.git("tag", "fraud/v1.0.0", "HEAD~1")
    served.lands("fraud/v1.0.0")
    served.ours.git("tag", "-f", "fraud/v1.0.0", "HEAD")
    served.refuses("--force", "fraud/v1.0.0", codes={"E_TAG_MOVED"})
    served.refuses(":refs/tags/fraud/v1.0.0", codes={"E_REF_DELETED"})
    served.setting("gitmodel.freeTags", "true")
    served.lands("--force", "fraud/v1.0.0")
    served.lands(":refs/tags/fraud/v1.0.0")


def test_117_a_pin_changed_by_hand(served: Served) -> None:
    evil = pin_of(served.ours, "dev", "fraud", "2.0.0")
    commit = served.ours.commit_file(PIN, evil)
    said = served.refuses("main", codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"})
    assert f"{PIN}: " in said
    assert f"(commit {commit[:12]})" in said
    assert f"git reset --keep {served.tip()[:12]} && gitmodel promote fraud@" in said


def test_117_a_transition_that_nobody_signed(served: Served) -> None:
    forge_move(served.ours, "dev", "fraud", "2.0.0")
    served.ours.git("rm", "-q", *_signatures(served.ours, "log/dev/fraud/2.yaml"))
    served.ours.git("commit", "-q", "--amend", "-m", "hand")
    served.refuses("main", codes={"E_UNSIGNED"})


def _signatures(bench: Workbench, path: str) -> list[str]:
    listed = bench.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
    return [each for each in listed if layout.classify(each).document == path]


def test_117_a_transition_by_a_stranger(served: Served) -> None:
    forge_move(served.ours, "dev", "fraud", "2.0.0", signer=_stranger(served.ours))
    served.refuses("main", codes={"E_UNTRUSTED_KEY"})


@pytest.mark.parametrize(
    ("role", "codes"),
    [("promoter", {"E_THRESHOLD"}), ("approver", {"E_THRESHOLD", "E_UNSIGNED"})],
)
def test_117_a_transition_that_its_requester_approved(
    served: Served, role: str, codes: set[str]
) -> None:
    """The stage asks for an approval of somebody else; the requester gives it."""
    served.ask_for_approval()
    policy = served.ours.do("policy", "show")["digest"]
    said = Forged(role=role, policy=Digest.parse(policy))
    forge_move(served.ours, "dev", "fraud", "2.0.0", said=said, policy=policy)
    served.refuses("main", codes=codes)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (MANIFEST, b"# edited\n"),
        (MANIFEST, None),
        (POLICY, b"# edited\n"),
        ("log/dev/fraud/1.yaml", None),
    ],
)
def test_060_what_is_append_only_edited_or_deleted(
    served: Served, path: str, data: bytes | None
) -> None:
    was = (served.ours.path / path).read_bytes()
    served.ours.commit_file(path, was + data if data else None)
    pushed = served.refuses("main", codes=_codes(served, "main"))
    assert f"E_APPEND_ONLY  {path}: " in pushed


def _codes(served: Served, *args: str) -> set[str]:
    """Return for what a push is refused, to be refused again."""
    assert served.push(*args).code == 1
    return {code for each in served.refusals()[-1]["refs"] for code in each["codes"]}


def test_060_edited_and_put_back(served: Served) -> None:
    """The tree is right again; the history is not."""
    was = (served.ours.path / MANIFEST).read_bytes()
    served.ours.commit_file(MANIFEST, was + b"# x\n")
    served.ours.commit_file(MANIFEST, was)
    codes = _codes(served, "main")
    assert "E_APPEND_ONLY" in codes
    served.refuses("main", codes=codes)


def test_060_an_evil_merge(served: Served) -> None:
    ours = served.ours
    ours.git("switch", "-qc", "work")
    ours.commit_file("notes.txt", b"x")
    ours.git("switch", "-q", "main")
    ours.commit_file("README.md", b"y")
    ours.git("merge", "-q", "--no-commit", "work")
    (ours.path / PIN).write_bytes(pin_of(ours, "dev", "fraud", "2.0.0"))
    ours.git("add", PIN)
    ours.git("commit", "-qm", "merge")
    served.refuses("main", codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"})


def test_018_a_merge_that_takes_a_rollback_off_the_line(served: Served) -> None:
    ours = served.ours
    ours.promote("fraud@1.1.0", "dev")
    before = ours.git("rev-parse", "HEAD")
    ours.do("rollback", "fraud", "dev", "-m", "1.1.0 is bad")
    served.lands("main")
    after = ours.git("rev-parse", "HEAD")
    commit_tree(ours, f"{before}^{{tree}}", before, after)
    served.refuses("main", codes={"E_FIRST_PARENT"})
    ours.git("update-ref", "HEAD", after)
    commit_tree(ours, f"{before}^{{tree}}", after, before)
    assert "E_APPEND_ONLY" in _codes(served, "main")
    assert served.tip() == after


def test_a_key_that_was_dropped_does_not_sign_from_before(served: Served) -> None:
    """A merge whose first parent is older than the revocation."""
    ours = served.ours
    file = ours.outside / "bob"
    ours.do("key", "new", "--out", file)
    bob = ("bob", "--key", f"{file}.pub", "--role", "promoter")
    ours.do("policy", "add-principal", *bob)
    served.lands("main")
    before = ours.git("rev-parse", "HEAD")
    ours.do("policy", "remove-principal", "bob")
    served.lands("main")
    after = ours.git("rev-parse", "HEAD")
    ours.git("reset", "-q", "--hard", before)
    ours.do("--key", file, "promote", "fraud@2.0.0", "dev")
    ours.git("merge", "-q", "--no-edit", after)
    served.refuses("main", codes={"E_FIRST_PARENT"})


def test_a_policy_that_was_made_beside_what_it_forbids(served: Served) -> None:
    """The server sees what a full verification would, though bob's part has landed."""
    ours = served.ours
    file = ours.outside / "bob"
    ours.do("key", "new", "--out", file)
    bob = ("bob", "--key", f"{file}.pub", "--role", "promoter")
    ours.do("policy", "add-principal", *bob, "--push")
    ours.git("switch", "-qc", "beside")
    ours.do("policy", "remove-principal", "bob")
    ours.git("switch", "-q", "main")
    ours.do("--key", file, "promote", "fraud@2.0.0", "dev", "--push")
    ours.git("merge", "-q", "--no-ff", "-m", "x", "beside")
    assert ours.verify("--history", "--full", "--no-bytes") == (4, ["E_UNTRUSTED_KEY"])
    said = served.refuses("main", codes={"E_UNTRUSTED_KEY"})
    assert "came beside it and is merged in after it" in said
    ours.git("reset", "-q", "--hard", "origin/main")
    ours.do("policy", "remove-principal", "bob", "--push")


def test_a_policy_rolled_back(served: Served) -> None:
    ours = served.ours
    served.ask_for_approval()
    ours.git("revert", "--no-edit", "HEAD")
    assert "E_APPEND_ONLY" in _codes(served, "main")
    ours.git("reset", "-q", "--hard", "origin/main")
    text = (ours.path / ".gitmodel/policy/2.yaml").read_bytes()
    assert b"version: 2" in text
    again = text.replace(b"version: 2", b"version: 4")
    ours.commit_file(".gitmodel/policy/4.yaml", again)
    served.refuses("main", codes={"E_POLICY_ROLLBACK"})


def test_a_plain_revert_of_a_promotion(served: Served) -> None:
    served.ours.git("revert", "--no-edit", "HEAD")
    codes = _codes(served, "main")
    assert "E_APPEND_ONLY" in codes
    assert served.push("main").code == 1


def test_a_tree_of_a_million_paths(served: Served) -> None:
    """A few objects that nobody could look at."""
    ours = served.ours
    blob = write_object(ours, "blob", b"x")
    items = [Item("100644", b"%d" % number, blob) for number in range(10)]
    tree = write_tree(ours, items)
    for _ in range(5):
        tree = write_tree(
            ours, [Item(TREE, b"%d" % number, tree) for number in range(10)]
        )
    add_entry(ours, "models/bomb", TREE, tree)
    served.refuses("main", codes={"E_LIMIT"})


def test_more_commits_than_a_push_may_have(served: Served) -> None:
    served.setting("gitmodel.maxCommits", "3")
    for number in range(4):
        commit_tree(served.ours, "HEAD^{tree}", message=str(number))
    said = served.refuses("main", codes={"E_LIMIT"})
    assert "more than 3 commits (gitmodel.maxCommits)" in said


def test_one_blob_that_would_be_read_ten_thousand_times(served: Served) -> None:
    """A small push, if memory were not bounded: the hook holds what a commit adds."""
    ours = served.ours
    blob = write_object(ours, "blob", bytes(1 << 20))
    items = [Item("100644", b"%05d" % number, blob) for number in range(10_000)]
    add_entry(ours, "models/bomb", TREE, write_tree(ours, items))
    before = served.kept()
    pushed = served.push("main")
    assert pushed.code == 1
    assert "Judging this push took more than 300 seconds or 2048 MiB" in pushed.said
    assert served.kept() == before


def test_more_refs_than_a_push_may_have(served: Served) -> None:
    served.setting("gitmodel.maxRefs", "2")
    specs = [f"HEAD:refs/heads/{name}" for name in ("a", "b", "c")]
    served.refuses(*specs, codes={"E_LIMIT"})
    served.lands(*specs[1:])


def test_a_pattern_protects_every_branch_but_requests(served: Served) -> None:
    served.setting("gitmodel.protected", "*")
    served.ours.commit_file(PIN, pin_of(served.ours, "dev", "fraud", "2.0.0"))
    codes = {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"}
    served.refuses("HEAD:refs/heads/anything", codes=codes)
    served.ours.git("reset", "-q", "--hard", "origin/main")
    served.lands("HEAD:refs/heads/request/dev/fraud/2")
    served.lands(":refs/heads/request/dev/fraud/2")


@pytest.mark.parametrize("setting", ["maxObjects", "maxBytes"])
def test_more_than_a_push_may_bring(served: Served, setting: str) -> None:
    """Whatever ref it is for."""
    served.setting(f"gitmodel.{setting}", "2")
    served.ours.commit_file("notes.txt", b"some notes")
    served.refuses("main:work", codes={"E_LIMIT"})


def test_a_huge_blob(served: Served) -> None:
    served.ours.commit_file("notes/model.bin", bytes(33 << 20))
    said = served.refuses("main", codes={"E_LIMIT"})
    assert "notes/model.bin: it has 34,603,008 bytes; 33,554,432 are the most" in said
    served.refuses("main:work", codes={"E_LIMIT"})


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../x", b".git/config"])
def test_a_link_that_leads_astray(served: Served, target: bytes) -> None:
    add_entry(served.ours, "link", SYMLINK, write_object(served.ours, "blob", target))
    served.refuses("main", codes={"E_MODE"})


def test_a_link_into_the_registry(served: Served) -> None:
    blob = write_object(served.ours, "blob", b"models/fraud")
    add_entry(served.ours, "alias", SYMLINK, blob)
    served.refuses("main", codes={"E_MODE"})


def test_a_link_in_the_registry(served: Served) -> None:
    blob = write_object(served.ours, "blob", b"manifest.yaml")
    add_entry(served.ours, "models/fraud/versions/1.0.0/alias", SYMLINK, blob)
    assert "E_MODE" in _codes(served, "main") | {"E_EXTRA_FILE"}
    assert served.push("main").code == 1


def test_a_link_that_stays(served: Served) -> None:
    blob = write_object(served.ours, "blob", b"docs/README.md")
    add_entry(served.ours, "README", SYMLINK, blob)
    served.lands("main")


def test_a_submodule(served: Served) -> None:
    add_entry(served.ours, "vendor", GITLINK, served.tip())
    served.refuses("main", codes={"E_SUBMODULE"})
    served.ours.git("reset", "-q", "--hard", "origin/main")
    served.ours.commit_file(".gitmodules", b'[submodule "x"]\n\turl = ./x\n')
    served.refuses("main", codes={"E_SUBMODULE"})
    served.setting("gitmodel.submodules", "true")
    served.lands("main")


def test_a_submodule_in_the_registry(served: Served) -> None:
    served.setting("gitmodel.submodules", "true")
    add_entry(served.ours, "models/vendor", GITLINK, served.tip())
    codes = _codes(served, "main")
    assert codes & {"E_MODE", "E_EXTRA_FILE"}, codes


def test_an_lfs_server_of_the_pushers_choice(served: Served) -> None:
    data = b"[lfs]\n\turl = https://example.com/\n"
    served.ours.commit_file(".lfsconfig", data)
    served.refuses("main", codes={"E_LFSCONFIG"})


def test_a_file_that_does_not_belong(served: Served) -> None:
    served.ours.commit_file("models/fraud/versions/1.0.0/run.sh", b"x")
    served.refuses("main", codes={"E_EXTRA_FILE"})


def test_names_that_file_systems_cannot_tell_apart(served: Served) -> None:
    tree = served.ours.git("rev-parse", "HEAD:models/fraud")
    add_entry(served.ours, "models/Fraud", TREE, tree)
    assert "E_NAME_COLLISION" in _codes(served, "main")


def test_a_malformed_tree(served: Served) -> None:
    """git refuses it by itself, because the hook's installation asked it to."""

    def edit(items: list[Item]) -> list[Item]:
        return [*items, *items]

    edit_tree(served.ours, "stages", edit)
    before = served.kept()
    pushed = served.push("main")
    assert pushed.code == 1
    assert "fsck" in pushed.said or "unpacker error" in pushed.said, pushed.said
    assert served.kept() == before


WEIRD = (
    "refs/heads/Main",
    "refs/heads/HEAD",
    "refs/heads/refs/heads/main",
    "refs/heads/tags/v1",
    "refs/heads/-f",
    "refs/heads/0123456789abcdef0123456789abcdef01234567",
    "refs/heads/Request/dev/fraud/1",
    "refs/heads/request/dev/fraud",
    "refs/heads/request/DEV/fraud/1",
    "refs/heads/request/dev/churn/01",
    "refs/heads/request/policy/x",
    "refs/heads/wo\u202erk",
    "refs/heads/two\u2028lines",
    "refs/tags/main",
    "refs/tags/request/dev/fraud/1",
    "refs/replace/0123456789abcdef0123456789abcdef01234567",
    "refs/remotes/origin/main",
    "refs/for/main",
    "refs/gitmodel/state",
)


def test_weird_names(served: Served) -> None:
    specs = [f"HEAD:{ref}" for ref in WEIRD]
    said = served.refuses("--atomic", *specs, codes={"E_REF_NAME"})
    for ref in WEIRD:
        shown = ref if ref.isprintable() else ascii(ref)[1:-1]
        assert f"gitmodel: refused: {shown}: 1 problem" in said


def test_026_a_replacement(served: Served) -> None:
    ours = served.ours
    commit = ours.commit_file("README.md", b"x")
    ours.git("replace", "HEAD~1", commit)
    served.refuses("refs/replace/*:refs/replace/*", codes={"E_REF_NAME"})


def test_a_branch_and_a_tag_of_one_name(served: Served) -> None:
    head = "HEAD:refs/heads/v1"
    served.refuses(head, "HEAD:refs/tags/v1", codes={"E_REF_NAME"})
    served.lands(head)
    served.refuses("HEAD:refs/tags/v1", codes={"E_REF_NAME"})


def test_one_bad_ref_refuses_all_and_every_problem_is_told(served: Served) -> None:
    evil = pin_of(served.ours, "dev", "fraud", "2.0.0")
    served.ours.commit_file(PIN, evil)
    said = served.refuses(
        "HEAD:main", "HEAD~1:refs/heads/work", "HEAD~1:refs/tags/main",
        codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH", "E_REF_NAME"},
    )  # fmt: skip
    assert "refused: refs/heads/main: 3 problems" in said
    assert "refused: refs/tags/main: 1 problem" in said
    assert "refs/heads/work:" not in said
    assert "nothing of this push was taken in" in said


def test_objects_that_came_by_a_free_branch_are_judged(served: Served) -> None:
    """Nothing of the second push is new to the server."""
    evil = pin_of(served.ours, "dev", "fraud", "2.0.0")
    served.ours.commit_file(PIN, evil)
    served.lands("HEAD:work")
    served.refuses("HEAD:main", codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"})


def test_the_registry_replaced_by_another(served: Served, template: Path) -> None:
    """An admin removed the branch; what was here is not forgotten."""
    git(served.hub, "update-ref", "-d", "refs/heads/main")
    other = Workbench(template / "r", served.ours.outside)
    fresh = other.copy(served.ours.path.parent / "other")
    fresh.git("commit", "-q", "--allow-empty", "--amend", "-m", "another")
    key = fresh.outside / "k"
    assert gitmodel("key", "new", "--out", key).code == 0
    place = served.ours.path.parent / "new"
    begun = gitmodel("--key", key, "init", place)
    assert begun.code == 0, begun.err
    git(place, "remote", "add", "origin", served.hub)
    served.refuses("main", codes={"E_ROOT_ANCHOR"}, cwd=place)
    served.lands("main")


def test_the_root_that_the_admin_named(served: Served, tmp_path: Path) -> None:
    hub = make_hub(tmp_path / "strict.git")
    root = "sha256:" + "0" * 64
    program = git(served.hub, "config", "gitmodel.program")
    options = ("--root", root, "--program", program)
    served.ours.do("hook", "install-server", hub, *options)
    served.ours.git("remote", "set-url", "origin", hub)
    strict = Served(hub, served.ours)
    said = strict.refuses("main", codes={"E_ROOT_ANCHOR"})
    assert "the registry that gitmodel.root names" in said


def test_a_branch_without_a_registry(served: Served, tmp_path: Path) -> None:
    hub = make_hub(tmp_path / "empty.git")
    program = git(served.hub, "config", "gitmodel.program")
    served.ours.do("hook", "install-server", hub, "--program", program)
    place = tmp_path / "plain"
    git(tmp_path, "init", "-q", place)
    git(place, "commit", "-q", "--allow-empty", "-m", "x")
    git(place, "remote", "add", "origin", hub)
    empty = Served(hub, Workbench(place, tmp_path))
    empty.refuses("main", codes={"E_NO_REGISTRY"})
    git(hub, "symbolic-ref", "HEAD", "refs/heads/trunk")
    said = empty.refuses("main", codes={"E_NO_REGISTRY"})
    assert "git symbolic-ref HEAD refs/heads/main  on the server" in said


def test_a_request_with_a_forged_signature(served: Served) -> None:
    ours = served.ours
    ours.git("switch", "-qc", "request/dev/fraud/2")
    forge_move(ours, "dev", "fraud", "2.0.0", signer=_stranger(ours))
    served.refuses("HEAD", codes={"E_UNTRUSTED_KEY"})


def test_a_request_that_changes_what_is_append_only(served: Served) -> None:
    ours = served.ours
    ours.git("switch", "-qc", "request/dev/fraud/2")
    was = (ours.path / MANIFEST).read_bytes()
    ours.commit_file(MANIFEST, was + b"# x\n")
    served.refuses("HEAD", codes={"E_APPEND_ONLY"})
    ours.git("reset", "-q", "--hard", "origin/main")
    ours.commit_file("log/dev/fraud/2.yaml", b"kind: Transition\n")
    assert {"E_API_VERSION", "E_UNSIGNED"} <= _codes(served, "HEAD")


def test_a_request_rewritten(served: Served) -> None:
    ours = served.ours
    served.ask_for_approval()
    branch = ours.do("promote", "fraud@1.1.0", "dev", "--push")["branch"]
    commit = ours.git("commit-tree", f"{branch}^{{tree}}", "-p", "main", "-m", "again")
    said = served.refuses("--force", f"{commit}:{branch}", codes={"E_FORCE_PUSH"})
    assert f"git push origin :{branch}" in said
    served.lands(f":{branch}")


def test_a_request_of_another_registry(served: Served) -> None:
    served.ours.git("switch", "-q", "--orphan", "request/dev/fraud/9")
    served.ours.git("commit", "-q", "--allow-empty", "-m", "x")
    served.refuses("HEAD", codes={"E_ROOT_ANCHOR"})


def test_an_approval_that_somebody_else_signed_for(served: Served) -> None:
    """A signature in the name of a principal, by another key, on a new document."""
    ours = served.ours
    path = "log/dev/fraud/2.yaml"
    ours.promote("fraud@1.1.0", "dev")
    served.lands("main")
    data = (ours.path / path).read_bytes()
    forged = signed(ours, path, data, Forged(role="approver"), _stranger(ours))
    forged.pop(path)
    commit_files(ours, forged)
    served.refuses("main", codes={"E_UNTRUSTED_KEY"})


def test_time_is_up(served: Served, tmp_path: Path) -> None:
    """On a server whose disk, say, never answers."""
    never = tmp_path / "never"
    os.mkfifo(never)
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "git").write_text(
        f'#!/bin/sh\ncase "$*" in *rev-list*) exec cat "{never}";; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    (slow / "git").chmod(0o755)
    hook = served.hub / "hooks/pre-receive"
    text = hook.read_text().replace("exec ", f'PATH="{slow}:$PATH" exec ')
    hook.write_text(text.replace("pre-receive\n", "pre-receive --timeout 1\n"))
    served.ours.commit_file("README.md", b"x")
    before = served.kept()
    pushed = served.push("main")
    assert pushed.code == 1
    assert "Judging this push took more than 1 seconds or 2048 MiB" in pushed.said
    assert served.kept() == before


def test_a_server_that_cannot_run_gitmodel_refuses_everything(served: Served) -> None:
    served.setting("gitmodel.program", "/nowhere/gitmodel")
    served.ours.commit_file("README.md", b"x")
    before = served.kept()
    pushed = served.push("main")
    assert pushed.code == 1
    assert "the server cannot run '/nowhere/gitmodel' to judge this push" in pushed.said
    assert served.kept() == before


def test_a_setting_that_makes_no_sense_refuses_everything(served: Served) -> None:
    served.setting("gitmodel.maxCommits", "many")
    served.ours.commit_file("README.md", b"x")
    before = served.kept()
    pushed = served.push("main")
    assert pushed.code == 1
    assert "gitmodel.maxcommits must be a whole number: 'many'" in pushed.said
    assert served.kept() == before


def test_what_is_no_update_of_a_ref(served: Served) -> None:
    program = git(served.hub, "config", "gitmodel.program")
    done = subprocess.run(
        [program, "hook", "pre-receive"],
        cwd=served.hub,
        input=b"hello\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"This is no update of a ref: 'hello'" in done.stderr


def test_what_is_no_repository(served: Served) -> None:
    for place in (served.ours.path, served.ours.outside / "nowhere"):
        error = refused(served.ours, "hook", "install-server", place, code=1)
        assert error["code"] in {"E_NO_REPOSITORY", "E_NOT_FOUND"}


def test_a_hook_that_is_there_stays(served: Served) -> None:
    hook = served.hub / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 0\n")
    error = refused(served.ours, "hook", "install-server", served.hub, code=1)
    assert error["code"] == "E_HOOK_EXISTS"
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
