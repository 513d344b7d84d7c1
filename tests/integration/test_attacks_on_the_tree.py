"""Attacks on the tree itself: modes, names, strange files, malformed tree objects.

Most are made with git's plumbing, some by writing tree objects that git would not
write but puts up with when it reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.forgery import (
    EXECUTABLE,
    FILE,
    GITLINK,
    SYMLINK,
    TREE,
    Item,
    add_entry,
    commit_tree,
    edit_tree,
    in_order,
    read_object,
    write_object,
    write_tree,
)
from tests.support.refusals import found_by_verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workbench import Workbench

    Attack = Callable[[Workbench], object]

VERSION = "models/fraud/versions/1.1.0"
MANIFEST = f"{VERSION}/manifest.yaml"
PIN = "stages/staging/fraud.yaml"
ATTRIBUTES = ".gitattributes"


def blob(bench: Workbench, data: bytes) -> str:
    return write_object(bench, "blob", data)


def at(bench: Workbench, path: str) -> str:
    return bench.git("rev-parse", f"HEAD:{path}")


def put(path: str, data: bytes = b"x") -> Attack:
    return lambda bench: bench.commit_file(path, data)


def copy(source: str, target: str) -> Attack:
    """Return the attack that lets a directory appear under a second name."""
    return lambda bench: add_entry(bench, target, TREE, at(bench, source))


def extend(path: str, lines: bytes) -> Attack:
    """Return the attack that adds lines to a file."""
    return lambda bench: bench.commit_file(
        path, (bench.path / path).read_bytes() + lines
    )


def become(path: str, mode: str, data: bytes = b"/etc/passwd") -> Attack:
    """Return the attack that gives a path another mode, and another content."""

    def attack(bench: Workbench) -> None:
        oid = bench.git("rev-parse", "HEAD") if mode == GITLINK else blob(bench, data)
        add_entry(bench, path, mode, oid)

    return attack


def make_executable(path: str) -> Attack:
    return lambda bench: add_entry(bench, path, EXECUTABLE, at(bench, path))


def nested(directory: str, text: bytes) -> Attack:
    return put(f"{directory}/.gitattributes", text)


#: Attack → codes that verify must name, and whether it does so for fraud@1.1.0 alone.
ATTACKS: dict[str, tuple[Attack, set[str], bool]] = {
    "a-file-in-models": (put("models/stray.txt"), {"E_EXTRA_FILE"}, True),
    "a-file-in-a-model": (put("models/fraud/stray.txt"), {"E_EXTRA_FILE"}, True),
    "a-file-in-versions": (put("models/fraud/versions/stray"), {"E_EXTRA_FILE"}, True),
    "a-file-in-a-version": (put(f"{VERSION}/stray.txt"), {"E_EXTRA_FILE"}, True),
    "053-a-git-directory-in-a-version": (
        put(f"{VERSION}/.github/x.yml"), {"E_EXTRA_FILE"}, True),
    "a-file-in-log": (put("log/staging/fraud/note.txt"), {"E_EXTRA_FILE"}, True),
    "a-transition-numbered-zero": (
        put("log/staging/fraud/0.yaml"), {"E_EXTRA_FILE"}, True),
    "a-transition-with-a-leading-zero": (
        put("log/staging/fraud/03.yaml"), {"E_EXTRA_FILE"}, True),
    "a-file-in-stages": (put("stages/note.txt"), {"E_EXTRA_FILE"}, True),
    "a-signed-pin": (
        put(f"{PIN}.0a1b2c3d.sigstore.json", b"{}"), {"E_EXTRA_FILE"}, True),
    "a-file-beside-the-policies": (put(".gitmodel/config"), {"E_EXTRA_FILE"}, True),
    "a-signature-without-a-document": (
        put("log/staging/fraud/9.yaml.0a1b2c3d.sigstore.json", b"{}"),
        {"E_EXTRA_FILE"}, True),
    "a-pin-of-an-unknown-stage": (
        put("stages/qa/fraud.yaml"), {"E_STAGE", "E_TRANSITION_UNRECORDED"}, True),
    "a-pin-of-an-unknown-model": (
        put("stages/dev/ghost.yaml"), {"E_TRANSITION_UNRECORDED"}, False),
    "a-version-that-is-none": (
        copy(VERSION, "models/fraud/versions/v1.1.0"), {"E_NAME"}, False),
    "015-a-model-that-is-none": (copy("models/fraud", "models/-rf"), {"E_NAME"}, False),
    "015-a-model-named-by-a-shell": (
        copy("models/fraud", "models/$(touch ran)"), {"E_NAME"}, False),
    "015-a-model-with-a-newline": (
        copy("models/fraud", "models/a\nb"), {"E_NAME"}, False),
    "a-model-that-is-a-device": (copy("models/fraud", "models/con"), {"E_NAME"}, False),
    "a-model-that-is-not-utf-8": (
        copy("models/fraud", "models/x\udcff"), {"E_NAME"}, False),
    "a-model-that-moves-the-cursor": (
        copy("models/fraud", "models/x\x1b[2J"), {"E_NAME"}, False),
    "an-artifact-that-is-not-utf-8": (
        lambda bench: add_entry(
            bench, f"{VERSION}/artifacts/x\udcff", FILE, blob(bench, b"x")),
        {"E_EXTRA_FILE"}, True),
    "010-a-model-in-another-casing": (
        copy("models/fraud", "models/Fraud"), {"E_NAME_COLLISION"}, True),
    "010-a-version-in-another-casing": (
        lambda bench: bench.register("fraud", "3.0.0-rc.1") and add_entry(
            bench, "models/fraud/versions/3.0.0-RC.1", TREE,
            at(bench, "models/fraud/versions/3.0.0-rc.1")),
        {"E_NAME_COLLISION"}, False),
    "010-a-pin-in-another-casing": (
        put("stages/staging/FRAUD.yaml"), {"E_NAME_COLLISION"}, True),
    "010-all-pins-in-another-casing": (
        copy("stages", "STAGES"), {"E_NAME_COLLISION"}, True),
    "010-all-models-with-an-invisible-letter": (
        copy("models", "mod\u200cels"), {"E_NAME_COLLISION"}, True),
    "010-settings-in-another-casing": (
        put("GitModel.yaml"), {"E_NAME_COLLISION"}, True),
    "010-accents-written-in-two-ways": (
        lambda bench: (put(f"{VERSION}/\xe9")(bench), put(f"{VERSION}/e\u0301")(bench)),
        {"E_NAME_COLLISION", "E_EXTRA_FILE"}, True),
    "011-a-manifest-that-is-a-link": (
        become(MANIFEST, SYMLINK), {"E_MODE", "E_MISSING", "E_APPEND_ONLY"}, True),
    "011-a-manifest-that-is-a-submodule": (
        become(MANIFEST, GITLINK), {"E_MODE", "E_MISSING", "E_APPEND_ONLY"}, True),
    "an-executable-manifest": (
        make_executable(MANIFEST), {"E_MODE", "E_APPEND_ONLY"}, True),
    "an-executable-pin": (make_executable(PIN), {"E_MODE"}, True),
    "a-pin-that-is-a-link": (
        become(PIN, SYMLINK, b"../dev/fraud.yaml"), {"E_MODE"}, True),
    "a-log-that-is-a-link": (
        become("log/staging/fraud/2.yaml", SYMLINK, b"1.yaml"),
        {"E_MODE", "E_APPEND_ONLY"}, True),
    "011-a-submodule-among-models": (become("models/sub", GITLINK), {"E_MODE"}, True),
    "a-link-among-stages": (become("stages/prod", SYMLINK, b"dev"), {"E_MODE"}, True),
    "stages-that-are-a-submodule": (
        become("stages", GITLINK), {"E_MODE", "E_PIN_MISSING"}, True),
    "settings-that-are-executable": (make_executable("gitmodel.yaml"),
    {"E_MODE"}, True),
    "a-version-without-a-file": (
        lambda bench: add_entry(
            bench, "models/fraud/versions/9.9.9", TREE, write_tree(bench, [])),
        {"E_EXTRA_FILE"}, False),
    "a-model-without-a-file": (
        lambda bench: add_entry(bench, "models/ghost", TREE, write_tree(bench, [])),
        {"E_EXTRA_FILE"}, True),
    "012-attributes-deleted": (
        lambda bench: bench.commit_file(ATTRIBUTES, None), {"E_ATTRIBUTES"}, True),
    "012-artifacts-through-another-filter": (
        extend(ATTRIBUTES, b"models/*/versions/*/artifacts/** filter=evil\n"),
        {"E_ATTRIBUTES"}, True),
    "012-artifacts-through-no-filter": (
        extend(ATTRIBUTES, b"*.bin -filter\n"), {"E_ATTRIBUTES"}, True),
    "012-pins-through-a-filter": (
        extend(ATTRIBUTES, b"stages/** filter=evil\n"), {"E_ATTRIBUTES"}, True),
    "012-pins-in-another-encoding": (
        extend(ATTRIBUTES, b"stages/** working-tree-encoding=UTF-16\n"),
        {"E_ATTRIBUTES"}, True),
    "012-manifests-with-identifiers": (
        extend(ATTRIBUTES, b"manifest.yaml ident\n"), {"E_ATTRIBUTES"}, True),
    "012-documents-with-other-line-ends": (
        extend(ATTRIBUTES, b"*.yaml text eol=crlf\n"), {"E_ATTRIBUTES"}, True),
    "012-a-macro-that-says-so": (
        extend(ATTRIBUTES, b"[attr]evil filter=evil\nstages/** evil\n"),
        {"E_ATTRIBUTES"}, True),
    "attributes-that-are-a-link": (
        lambda bench: add_entry(bench, ATTRIBUTES, SYMLINK, at(bench, ATTRIBUTES)),
        {"E_MODE", "E_ATTRIBUTES"}, True),
    "nested-attributes": (
        nested("models/fraud", b"* !filter\n"), {"E_EXTRA_FILE", "E_ATTRIBUTES"}, True),
    "nested-attributes-among-artifacts": (
        nested(f"{VERSION}/artifacts", b"* filter=evil\n"), {"E_ATTRIBUTES"}, True),
    "attributes-where-git-refuses-to-look": (
        lambda bench: add_entry(bench, f"{VERSION}/artifacts/GIT~1", TREE, write_tree(
            bench, [Item(FILE, b".gitattributes", blob(bench, b"* -filter"))])),
        {"E_EXTRA_FILE"}, True),
    "attributes-without-end": (
        put(ATTRIBUTES, b"#" * (9 << 20)), {"E_ATTRIBUTES"}, True),
    "032-lfs-sent-elsewhere": (
        put(".lfsconfig", b"[lfs]\n\turl = https://evil.example\n"),
        {"E_LFSCONFIG"}, True),
    "032-lfs-sent-elsewhere-on-one-line": (
        put(".lfsconfig", b"[lfs] url = https://evil.example\n"),
        {"E_LFSCONFIG"}, True),
    "032-lfs-sent-elsewhere-for-a-remote": (
        put(".lfsconfig", b'[remote "origin"] lfsurl=https://evil.example\n'),
        {"E_LFSCONFIG"}, True),
    "032-lfs-pushes-sent-elsewhere": (
        put(".lfsconfig", b"[LFS]\nPushURL=https://evil.example"),
        {"E_LFSCONFIG"}, True),
    "an-lfs-configuration-that-cannot-be-read": (
        put(".lfsconfig", b"[lfs\n"), {"E_LFSCONFIG"}, True),
    "an-lfs-configuration-without-end": (
        put(".lfsconfig", b"#" * (9 << 20)), {"E_LIMIT"}, True),
    "an-lfs-configuration-that-is-a-link": (
        become(".lfsconfig", SYMLINK, b"x.cfg"), {"E_MODE"}, True),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_a_tree_that_is_not_a_registry(stocked: Workbench, name: str) -> None:
    attack, codes, concerns = ATTACKS[name]
    attack(stocked)
    assert codes <= found_by_verify(stocked)
    if concerns:
        found_by_verify(stocked, "fraud@1.1.0")
    assert not (stocked.path / "ran").exists()


def test_lfs_settings_that_send_nothing_elsewhere_are_fine(stocked: Workbench) -> None:
    text = b"[lfs]\n\tfetchexclude = *\n; url = x\n[lfs] locksverify = false\n"
    stocked.commit_file(".lfsconfig", text)
    assert stocked.verify() == (0, [])


def test_files_of_the_users_do_not_matter(stocked: Workbench) -> None:
    for path in ("README.md", "src/models/x.py", "docs/log/a.txt", ".github/x.yml"):
        stocked.commit_file(path, b"x")
    add_entry(stocked, "tool", EXECUTABLE, blob(stocked, b"#!/bin/sh\n"))
    add_entry(stocked, "link", SYMLINK, blob(stocked, b"README.md"))
    add_entry(stocked, "sub", GITLINK, stocked.git("rev-parse", "HEAD"))
    stocked.git("reset", "-q", "--hard")
    stocked.commit_file("src/.gitattributes", b"* filter=mine ident\n")
    assert stocked.verify() == (0, [])


def twice(bench: Workbench, *, first: bool) -> None:
    """Name a pin twice: git checks one of them out, and shows the other."""
    evil = Item(FILE, b"fraud.yaml", blob(bench, b"evil: 1\n"))
    edit_tree(bench, "stages/staging", lambda i: [evil, *i] if first else [*i, evil])


def extra(directory: str, mode: str, name: bytes) -> Attack:
    """Return the attack that puts an entry at the end of a tree, in order or not."""

    def attack(bench: Workbench) -> None:
        oid = at(bench, "models/fraud") if mode == TREE else blob(bench, b"x")
        edit_tree(bench, directory, lambda items: [*items, Item(mode, name, oid)])

    return attack


def modes(directory: str, mode: str) -> Attack:
    return lambda bench: edit_tree(
        bench, directory, lambda items: [Item(mode, i.name, i.oid) for i in items]
    )


MALFORMED: dict[str, Attack] = {
    "a-pin-named-twice": lambda bench: twice(bench, first=True),
    "a-pin-named-twice-the-other-way": lambda bench: twice(bench, first=False),
    "a-file-and-a-directory-of-one-name": lambda bench: edit_tree(
        bench, "models/fraud", lambda i: in_order([*i, Item(FILE, b"versions",
        i[0].oid)])
    ),
    "out-of-order": lambda bench: edit_tree(bench, "stages", lambda i: i[::-1]),
    "a-name-with-a-slash": extra("", FILE, b"zz/staging"),
    "a-path-for-a-name": extra("", FILE, PIN.encode()),
    "the-directory-above": extra("stages", TREE, b".."),
    "the-directory-itself": extra("stages", TREE, b"."),
    "a-git-directory": extra("stages", TREE, b".git"),
    "a-git-directory-in-capitals": extra("stages", TREE, b".GIT"),
    "no-name": extra("stages/staging", FILE, b""),
    "a-mode-that-git-reads-as-a-directory": modes("stages", "40755"),
    "a-mode-that-is-no-number": modes("stages", "abc"),
    "a-mode-without-end": modes("stages", "7" * 50),
    "cut-short": lambda bench: commit_tree(
        bench, write_object(
            bench, "tree", read_object(bench, "tree", at(bench, ""))[:-5])),
    "no-tree-at-all": lambda bench: commit_tree(
        bench, write_object(bench, "tree", b"hello world")),
    "a-file-for-a-directory": lambda bench: add_entry(
        bench, "stages", TREE, blob(bench, b"x")),
    "a-directory-for-a-file": lambda bench: add_entry(
        bench, PIN, FILE, at(bench, "models")),
    "a-file-that-does-not-exist": lambda bench: add_entry(bench, PIN, FILE, "1" * 40),
    "a-directory-that-does-not-exist": lambda bench: add_entry(
        bench, "stages", TREE, "1" * 40),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_tree_that_git_puts_up_with_and_reads_in_two_ways(
    stocked: Workbench, name: str
) -> None:
    MALFORMED[name](stocked)
    found = found_by_verify(stocked)
    assert found & {
        "E_TREE",
        "E_OBJECT_MISSING",
        "E_OBJECT_CORRUPT",
        "E_INTEGRITY",
        "E_YAML",
    }
    found_by_verify(stocked, "fraud@1.1.0")
    head = stocked.git("rev-parse", "HEAD")
    pulled = stocked.outside / "pulled"
    for command in (
        ("rollback", "fraud", "staging", "-m", "x"),
        ("pull", "fraud#staging", "-o", pulled),
        ("promote", "fraud@2.0.0", "staging"),
        ("show", "fraud#staging"),
        ("log", "fraud"),
        ("list",),
    ):
        answer = stocked.run(*command)
        # Reading what the attack left alone is fine; acting on the stage is not.
        assert answer.code == 4 or command[0] in {"log", "list"}, (command, answer)
        assert answer.code in {0, 4}, (command, answer)
    assert stocked.git("rev-parse", "HEAD") == head
    assert not pulled.exists()


def test_a_name_that_moves_the_cursor_is_shown_escaped(stocked: Workbench) -> None:
    copy("models/fraud", "models/x\x1b[2J")(stocked)
    answer = stocked.run("verify")
    assert "\x1b" not in answer.out + answer.err
    assert "\x1b" not in stocked.run("list").out
