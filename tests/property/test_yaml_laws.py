"""Laws of the YAML formats, for documents that nobody would think of."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gitmodel.errors import InputError
from gitmodel.formats.yaml_editor import REMOVE, edit
from gitmodel.formats.yaml_reader import parse, read
from gitmodel.formats.yaml_scalars import is_plain, quoted, resolve, written
from gitmodel.formats.yaml_writer import dump

if TYPE_CHECKING:
    from gitmodel.formats.document import Path

ODD = [
    "", " ", "~", "no", "1.10", "2026-01-01", "12:30", "1e5", "0x1F", "0o7", ".nan",
    "null", "true", "yes", "<<<", "=", "- a", "a: b", "a:", " lead", "trail ", "a #b",
    "#", "%", "---", "...", "--- a", "\n", "a\n", "a\nb", "a\n\nb\n", "\na", "a\n\n",
    " a\nb", "a \nb", "a\n b\n", "\ta", "a\tb", "a\n\tb", "a\r\nb", "a\rb", "'", '"',
    "\\", "\\n", "{a}", "[a]", "a, b", "&a", "*a", "!a", "|", ">", "@", "`", "?", ": ",
    "é", "日本", "🎉", "\u202e", "\u2028", "\ufeff", "\x1b[0m", "\x85", "\x7f", "\xa0",
    "a" * 200, "word " * 40, "%YAML 1.1", "a\n%b", "a\n---\nb", "a\n# b\n", "\ufffe",
]  # fmt: skip

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(characters, max_size=12),
    st.text(st.sampled_from("ab \n\t:-#'\"\\,[]{}?|>%&*!~.0e"), max_size=12),
    st.lists(st.sampled_from(ODD), max_size=3).map("\n".join),
)
keys = texts.filter(lambda key: key != "<<")
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)
documents = st.dictionaries(keys, values, min_size=1, max_size=5)


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: 1, 1.0 and true differ, and so do 0.0 and -0.0."""
    return json.dumps(one) == json.dumps(other)


@given(documents)
@settings(max_examples=400, deadline=None)
def test_what_is_written_reads_the_same(document: dict[str, Any]) -> None:
    assert same(read(dump(document), "f.yaml").value, document)


@given(documents)
@settings(deadline=None)
def test_writing_is_stable(document: dict[str, Any]) -> None:
    data = dump(document)
    assert dump(read(data, "f.yaml").value) == data
    assert data.endswith(b"\n")
    assert b"\r" not in data


@given(texts)
@settings(deadline=None)
def test_text_reads_the_same_quoted_and_in_brackets(text: str) -> None:
    assert read(quoted(text).encode(), "f.yaml").value == text
    shown = text if is_plain(text, flow=True) else quoted(text)
    assert read(f"{{k: [{shown}, {shown}]}}".encode(), "f").value == {"k": [text] * 2}


@given(texts)
def test_plain_text_is_text(text: str) -> None:
    assert not is_plain(text) or resolve(text) == text


@given(scalars.filter(lambda value: not isinstance(value, str)))
@example(-0.0)
@example(5e-324)
@example(1.7976931348623157e308)
@example(1e16)
def test_numbers_read_the_same(value: float | bool | None) -> None:
    assert same(resolve(written(value)), value)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    document, problems = parse(data, "f.yaml")
    assert (document is None) == bool(problems)


PIECES = [
    "a", "b: ", ": ", ":", "-", "- ", "?", "? ", "\n", "\n ", "\n  ", "[", "]", "{",
    "}", ",", '"', "'", "|", ">", "|+", ">-", "|2", "#", " #", "&", "&a ", "*", "*a",
    "!", "!!", "!<", "!!str ", "%", "%YAML 1.2\n", "%TAG ! x\n", "---", "...", "\\",
    "---\n", "...\n", "\\x", "\\u00", "\\UFFFFFFFF", "\\UD8000000", "\t", " ", "<<: ",
    "~", "1", "0x", "0o", "@", "`", "\r\n", "\r", "é", "%41", "\\\n", "0", "\u200b",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@settings(max_examples=1000, deadline=None)
def test_almost_yaml_is_read_or_refused_and_never_crashes(text: str) -> None:
    document, problems = parse(text.encode(), "f.yaml")
    assert (document is None) == bool(problems)
    last = text.count("\n") + 1
    assert all(1 <= (problem.line or 1) <= last for problem in problems)
    if document is not None:
        assert all(1 <= line <= last for line in document.lines.values())
        assert set(places(document.value)) == set(document.lines)


def places(value: Any, path: Path = ()) -> list[Path]:
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*path, index))
    return found


@st.composite
def layouts(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a document as people lay it out, and its value."""
    document = draw(documents)
    text = dump(document).decode()
    if draw(st.booleans()):  # JSON is YAML in flow style
        text = json.dumps(document, ensure_ascii=False, indent=draw(st.integers(0, 2)))
    else:
        lines = ["# head"]
        for line in text.splitlines():
            lines += draw(st.sampled_from([[], [], ["# between"], [""]]))
            lines.append(line + draw(st.sampled_from(["", "", "  # beside"])))
        text = "\n".join([*lines, "# tail", ""])
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    found, _ = parse(text.encode(), "f.yaml")
    if found is None:  # a comment landed in a literal block, or a control character
        return dump(document).decode(), document
    return text, found.value


@given(layouts(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_edit_changes_what_it_says_and_nothing_else(
    layout: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    text, document = layout
    path = data.draw(st.sampled_from([place for place in places(document) if place]))
    path += tuple(data.draw(st.lists(keys, max_size=1)))
    value = data.draw(st.one_of(values, st.just(REMOVE)))
    wanted = changed(document, path, value)
    if wanted is None:
        with pytest.raises(InputError, match="there is no place for"):
            edit(text.encode(), {path: value}, "f.yaml")
        return
    try:
        edited = edit(text.encode(), {path: value}, "f.yaml").decode()
    except InputError as error:
        if error.code == "E_EDIT" and re.search(r"^[ -]*\? ", text, re.MULTILINE):
            return  # keys written with "?" may be refused, but never damaged
        raise
    found = read(edited.encode(), "f.yaml").value
    assert json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    if wanted and text.startswith("# head"):
        assert edited.startswith("# head")
        assert edited.rstrip().endswith("# tail")
        if "# between" not in str(document):
            lost = text.count("# between") - edited.count("# between")
            assert 0 <= lost <= len(dump({"k": _at(document, path[:-1])}).splitlines())


def changed(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any] | None:
    """Make a change the plain way; None if there is no place for it."""
    wanted = copy.deepcopy(document)
    holder: Any = _at(wanted, path[:-1])
    if holder is None:
        if value is REMOVE:
            return wanted
        above = _at(wanted, path[:-2])
        if not isinstance(above, dict):
            return None
        holder = above[path[-2]] = {}
    step: Any = path[-1]
    if isinstance(holder, dict) and value is REMOVE:
        holder.pop(step, None)
    elif isinstance(holder, dict) or (isinstance(step, int) and value is not REMOVE):
        holder[step] = value
    else:
        return None
    return wanted


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value
