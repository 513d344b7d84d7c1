"""Laws of what is written into git by hand: trees and commit messages."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gitmodel.adapters.git.trees import Entry, decode, encode, rewrite
from gitmodel.errors import IntegrityError
from gitmodel.formats.commit_message import CommitMessage
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# git is asked about every example, which is why there are few of them.
asks_git = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

MODES = {0o100644: "blob", 0o100755: "blob", 0o120000: "blob", 0o160000: "commit",
         0o40000: "tree"}  # fmt: skip
names = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]),
    min_size=1,
    max_size=8,
) | st.sampled_from(["a", "a.b", "a-b", "a0", "ab", "A", "é", "e\u0301", "\udcff", "-"])
good_names = names.filter(lambda name: name.lower() not in {".", "..", ".git"})
oids = st.binary(min_size=20, max_size=20).map(bytes.hex)
entries = st.builds(Entry, st.sampled_from(list(MODES)), oids)
trees = st.dictionaries(good_names, entries, max_size=8)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("laws")
    git(path, "init", "-q")
    return path


@given(trees)
def test_a_tree_is_read_as_it_was_written(tree: dict[str, Entry]) -> None:
    assert decode(encode(tree), 20) == tree


@asks_git
@given(trees)
@example({"a": Entry(0o40000, "1" * 40), "a.b": Entry(0o100644, "2" * 40)})
def test_git_writes_the_same_tree(repository: Path, tree: dict[str, Entry]) -> None:
    lines = "".join(
        f"{entry.mode:06o} {MODES[entry.mode]} {entry.oid}\t{name}\0"
        for name, entry in tree.items()
    )
    made = subprocess.run(
        ["git", "mktree", "-z", "--missing"],
        cwd=repository,
        input=lines.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=True,
    ).stdout.strip()
    read = subprocess.run(
        ["git", "cat-file", "tree", made],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout
    assert encode(tree) == read
    assert decode(read, 20) == tree


@given(st.binary(max_size=60) | trees.map(encode), st.data())
def test_bytes_are_one_tree_or_refused(data: bytes, draw: st.DataObject) -> None:
    if data and draw.draw(st.booleans()):
        place = draw.draw(st.integers(0, len(data) - 1))
        data = data[:place] + draw.draw(st.binary(max_size=3)) + data[place + 1 :]
    try:
        tree = decode(data, 20)
    except IntegrityError:
        return
    # A zero before a directory's mode is the one thing that may be spelled twice.
    assert encode(tree) == data.replace(b"040000 ", b"40000 ")


@given(trees.filter(bool), st.data())
def test_no_tree_says_two_things(tree: dict[str, Entry], data: st.DataObject) -> None:
    one = encode(dict([data.draw(st.sampled_from(sorted(tree.items())))]))
    whole = encode(tree)
    for evil in (whole + one, one + whole):
        with pytest.raises(IntegrityError):
            decode(evil, 20)


class _Memory:
    """Keeps trees in a dictionary."""

    def __init__(self) -> None:
        self.trees: dict[str, bytes] = {}

    def add(self, kind: str, data: bytes) -> str:
        assert kind == "tree"
        oid = f"{len(self.trees):040x}"
        for known, found in self.trees.items():
            if found == data:
                return known
        self.trees[oid] = data
        return oid

    def tree(self, oid: str) -> Mapping[str, Entry]:
        return decode(self.trees[oid], 20)

    def files(self, root: str, prefix: str = "") -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for name, entry in self.tree(root).items():
            if entry.is_tree:
                found |= self.files(entry.oid, f"{prefix}{name}/")
            else:
                found[prefix + name] = entry
        return found


paths = st.lists(st.sampled_from("abc"), min_size=3, max_size=3).map("/".join)
blobs = st.builds(Entry, st.just(0o100644), oids)


@given(st.lists(st.dictionaries(paths, st.none() | blobs, max_size=6), max_size=4))
def test_rewriting_trees_is_assigning_to_paths(
    changes: list[dict[str, Entry | None]],
) -> None:
    memory, root, expected = _Memory(), None, dict[str, Entry]()
    for change in changes:
        root = rewrite(memory, memory, root, change)
        for path, entry in change.items():
            if entry is None:
                expected.pop(path, None)
            else:
                expected[path] = entry
        assert memory.files(root) == expected


TRAILERS = (("Gitmodel-Action", "promote"), ("Gitmodel-Model", "fraud"))
fragments = st.sampled_from(
    ["Gitmodel-Action: rollback", "Signed-off-by: eve <e@x>", "\n", "\n\n", "---",
    "--- ",
     "----", "# ------------------------ >8 ------------------------", "#", "; ", " ",
     "% ------------------------ >8 ------------------------", "diff --git a/x b/x",
     "Conflicts:\n\tx", "(cherry picked from commit 1)", "\r\n", "\t", "\x00", "\x0b",
     "\u2028", "\x85", "\x1b[2J", "This reverts commit 1.", "text", ":", "é", "\udcff"]
)  # fmt: skip
hostile = st.lists(fragments, max_size=8).map("".join) | st.text(max_size=40)
CUT = "# ------------------------ >8 ------------------------"


@asks_git
@given(subject=hostile, body=hostile, incident=hostile)
@example(subject="s", body="Gitmodel-Action: rollback\n---\nx", incident="")
@example(subject="s", body="Gitmodel-Action: rollback\n--- \nx", incident="")
@example(subject="s", body=f"Gitmodel-Action: rollback\n\n{CUT}\nx", incident="")
@example(subject="s", body="Gitmodel-Action: rollback\n\nConflicts:\n\tx", incident="")
@example(subject="Gitmodel-Action: rollback", body="", incident="")
@example(subject="s", body="x", incident="1\nGitmodel-Action: rollback")
@pytest.mark.parametrize("divider", [[], ["--no-divider"]])
@pytest.mark.parametrize("comment", ["#", "%"])
def test_no_text_of_a_person_is_taken_for_a_trailer(
    repository: Path,
    divider: list[str],
    comment: str,
    subject: str,
    body: str,
    incident: str,
) -> None:
    trailers = (*TRAILERS, ("Gitmodel-Incident", incident))
    message = str(
        CommitMessage(subject=f"promote: {subject}", body=body, trailers=trailers)
    )
    parsed = subprocess.run(
        ["git", "-c", f"core.commentChar={comment}", "interpret-trailers", "--parse",
         *divider],
        cwd=repository, input=message.encode("utf-8", "surrogateescape"),
        capture_output=True, check=True,
    ).stdout.decode("utf-8", "surrogateescape")  # fmt: skip
    keys = [line.partition(": ")[0] for line in parsed.splitlines()]
    expected = ["Gitmodel-Action", "Gitmodel-Model"]
    assert keys[:2] == expected
    assert keys[2:] in ([], ["Gitmodel-Incident"])
    assert parsed.startswith("Gitmodel-Action: promote\nGitmodel-Model: fraud\n")


@given(hostile, hostile)
def test_a_message_can_be_written_and_has_no_control_characters(
    subject: str, body: str
) -> None:
    message = str(CommitMessage(subject=subject, body=body, trailers=TRAILERS))
    assert message.encode()
    assert not set(message) & set(map(chr, {*range(9), *range(11, 32), 127}))
    assert "\n" not in message.partition("\n\n")[0]
