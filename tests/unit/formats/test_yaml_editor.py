from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.errors import InputError
from gitmodel.formats.yaml_editor import REMOVE, edit

if TYPE_CHECKING:
    from gitmodel.formats.document import Path

MODEL = """\
# The fraud model.
apiVersion: gitmodel.dev/v1   # never change this
kind: Model
name: 'fraud'

owners:  # people, not teams
  - alice   # since 2024
  - bob

# Who may see it; ask legal.
sensitivity: internal # for now
labels: {team: "risk", tier: gold}  # for reports
empty:
nothing: # to be filled
text: |
  one

  two
# after the text
stages: [dev, prod] # in order
steps:
- name: a   # first
  run: x
- name: b
nested:
    four: 'q'   # odd indentation
kept: |+
  keep

"""


def changed(before: str, path: Path, value: Any) -> tuple[list[str], list[str]]:
    """Return the lines that an edit takes away and those that it brings."""
    after = edit(before.encode(), {path: value}, "m.yaml").decode()
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("name",), "risk", ["name: 'fraud'"], ["name: risk"]),
        (
            ("sensitivity",),
            "public",
            ["sensitivity: internal # for now"],
            ["sensitivity: public # for now"],
        ),
        (("owners",), ["alice", "bob", "eve"], [], ["  - eve"]),
        (
            ("owners",),
            ["zed"],
            ["  - alice   # since 2024", "  - bob"],
            ["  - zed"],
        ),
        (
            ("steps",),
            ["one"],
            ["- name: a   # first", "  run: x", "- name: b"],
            ["- one"],
        ),
        (("owners", 2), "1.10", [], ['  - "1.10"']),
        (("owners", 0), "al", ["  - alice   # since 2024"], ["  - al   # since 2024"]),
        (
            ("owners",),
            "nobody",
            ["owners:  # people, not teams", "  - alice   # since 2024", "  - bob"],
            ["owners: nobody  # people, not teams"],
        ),
        (
            ("owners",),
            REMOVE,
            ["owners:  # people, not teams", "  - alice   # since 2024", "  - bob"],
            [],
        ),
        (
            ("labels", "tier"),
            "no",
            ['labels: {team: "risk", tier: gold}  # for reports'],
            ['labels: {team: "risk", tier: "no"}  # for reports'],
        ),
        (
            ("labels", "a"),
            "b, c",
            ['labels: {team: "risk", tier: gold}  # for reports'],
            ['labels: {team: "risk", tier: gold, a: "b, c"}  # for reports'],
        ),
        (
            ("labels", "team"),
            REMOVE,
            ['labels: {team: "risk", tier: gold}  # for reports'],
            ["labels: {tier: gold}  # for reports"],
        ),
        (
            ("labels", "tier"),
            REMOVE,
            ['labels: {team: "risk", tier: gold}  # for reports'],
            ['labels: {team: "risk"}  # for reports'],
        ),
        (("labels", "gone"), REMOVE, [], []),
        (("never", "was"), REMOVE, [], []),
        (("empty",), 5, ["empty:"], ["empty: 5"]),
        (("empty", "x"), "z", [], ["  x: z"]),
        (
            ("nothing",),
            True,
            ["nothing: # to be filled"],
            ["nothing: true # to be filled"],
        ),
        (
            ("nothing",),
            [1],
            [],
            ["  - 1"],
        ),
        (("text",), "short", ["text: |", "  one", "", "  two"], ["text: short"]),
        (("text",), "a\nb\n", ["  one", "", "  two"], ["  a", "  b"]),
        (
            ("sensitivity",),
            "a\nb",
            ["sensitivity: internal # for now"],
            ['sensitivity: "a\\nb" # for now'],
        ),
        (
            ("stages",),
            ["dev", "staging", "prod"],
            ["stages: [dev, prod] # in order"],
            ["stages: [dev, staging, prod] # in order"],
        ),
        (
            ("steps", 0, "name"),
            "z",
            ["- name: a   # first"],
            ["- name: z   # first"],
        ),
        (("steps", 0, "env"), {"A": "1"}, [], ["  env:", '    A: "1"']),
        (("steps", 2), {"name": "c", "run": "z"}, [], ["- name: c", "  run: z"]),
        (("nested", "new"), ["a\nb\n"], [], ["    new:", "      - |", "        a"]),
        (("brand", "new", "path"), 1, [], ["brand:", "  new:", "    path: 1"]),
    ],
)
def test_only_what_must_change_changes(
    path: Path, value: Any, old: list[str], new: list[str]
) -> None:
    gone, come = changed(MODEL, path, value)
    assert gone == old
    assert come[: len(new)] == new
    assert len(come) <= len(new) + 1


def test_several_changes_are_made_in_order() -> None:
    data = edit(
        b"a: 1 # one\nb: 2\n",
        {("c", "d"): [], ("a",): REMOVE, ("c", "e"): "x"},
        "m.yaml",
    )
    assert data == b"b: 2\nc:\n  d: []\n  e: x\n"


def test_no_change_gives_the_same_bytes() -> None:
    assert edit(MODEL.encode(), {}) == MODEL.encode()
    assert edit(MODEL.encode(), {("name",): "fraud"}) == MODEL.encode()


def test_one_and_true_are_different_values() -> None:
    assert edit(b"a: 1\n", {("a",): True}) == b"a: true\n"


def test_windows_line_ends_stay() -> None:
    data = b"a: 1 # one\r\nb:\r\n  - x\r\n"
    assert edit(data, {("b", 1): "z", ("c",): {"d": 2}, ("a",): 3}) == (
        b"a: 3 # one\r\nb:\r\n  - x\r\n  - z\r\nc:\r\n  d: 2\r\n"
    )


def test_a_missing_last_newline_is_no_trouble() -> None:
    assert edit(b"a: 1", {("b",): 2}) == b"a: 1\nb: 2\n"


def test_the_last_of_several_keys_can_be_taken_from_the_middle_of_a_line() -> None:
    assert edit(b"- a: 1\n  b: 2\n", {(0, "a"): REMOVE}) == b"- b: 2\n"
    assert edit(b"x:\n  a: 1\ny: 2\n", {("x", "a"): REMOVE}) == b"x: {}\ny: 2\n"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("name", "first"), "x", "there is no place for name.first"),
        (("owners", 7), "x", "there is no place for owners[7]"),
        (("owners", "x"), "x", "there is no place for owners.x"),
        (("owners", 0), REMOVE, "there is no place for owners[0]"),
        (("new",), float("nan"), "new: it is not a finite number"),
    ],
)
def test_impossible_changes_are_refused(path: Path, value: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        edit(MODEL.encode(), {path: value}, "m.yaml")
    assert message in str(refused.value)


def test_a_malformed_document_is_not_edited() -> None:
    with pytest.raises(InputError, match="anchor"):
        edit(b"a: &x 1\n", {("a",): 2})


def test_a_layout_that_defeats_the_editor_is_refused_not_damaged() -> None:
    # The key after the one to be removed is written with "?".
    with pytest.raises(InputError) as refused:
        edit(b"x:\n  - a: 1\n    ? b\n    : 2\n", {("x", 0, "a"): REMOVE}, "m.yaml")
    assert refused.value.code == "E_EDIT"
    assert "x[0].a" in refused.value.hints[0]
