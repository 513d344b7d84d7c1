"""Laws of paths into JSON, and of the JSON that sources of measurements write."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitmodel.errors import InputError
from gitmodel.formats import measured_json
from gitmodel.formats.json_path import parse_json_path

if TYPE_CHECKING:
    from collections.abc import Callable

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=20,
)


def spelt(step: str | int, quote: str) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    escaped = step.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"[{quote}{escaped}{quote}]"


def attempt(action: Callable[..., Any], *args: Any) -> Any:
    """Return what an action returns, or the error that it is allowed to raise."""
    try:
        return action(*args)
    except (InputError, LookupError) as error:
        return error


def same(one: Any, other: Any) -> bool:
    """Compare as JSON, where NaN is what it is and True is not 1."""
    return json.dumps(one) == json.dumps(other)


@settings(deadline=None)
@given(documents, st.data())
def test_every_value_has_a_path(document: Any, data: st.DataObject) -> None:
    path, value = "$", document
    while isinstance(value, (dict, list)) and value and data.draw(st.booleans()):
        ways: Any = sorted(value) if isinstance(value, dict) else range(len(value))
        step: Any = data.draw(st.sampled_from(ways))
        value = value[step]
        path += spelt(step, data.draw(st.sampled_from("'\"")))

    assert same(parse_json_path(path).find(document), value)


@settings(deadline=None)
@given(
    st.text() | st.from_regex(r"\$([.\[\]'\"\\a-z0-9-]{0,30})", fullmatch=True),
    documents,
)
@example("$" + "[0]" * 65, [])
@example("$" + ".a" * 600, {})
@example("$['a\\", {})
@example("$..no", {})
@example("$.*", {})
@example("$[?(@.a)]", {})
@example("$[01]", [])
@example("$[-0]", [])
@example("$[9999999999]", [])
@example("$.__class__", {})
def test_any_text_is_a_path_or_bad_input(text: str, document: Any) -> None:
    path = attempt(parse_json_path, text)
    if isinstance(path, InputError):
        assert path.code == "E_JSON_PATH"
        assert len(path.message) < 250
        assert path.message.isascii()
        return
    found = attempt(path.find, document)
    if isinstance(found, LookupError):
        assert str(found.args[0]).isascii()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", {"a": [{"b-c": 1}, {"d": None}]}),
        ("$.a[0].b-c", 1),
        ("$['a'][-1][\"d\"]", None),
    ],
)
def test_examples(path: str, value: Any) -> None:
    document = {"a": [{"b-c": 1}, {"d": None}]}

    assert parse_json_path(path).find(document) == value


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("$.b", "$ has no member 'b'"),
        ("$.a[2]", "$['a'] has no item 2"),
        ("$.a[-3]", "$['a'] has no item -3"),
        ("$.a.x", "$['a'] has no member 'x'"),
        ("$[0]", "$ has no item 0"),
        ("$.s[0]", "$['s'] has no item 0"),
    ],
)
def test_what_is_not_there_is_named(path: str, said: str) -> None:
    with pytest.raises(LookupError) as caught:
        parse_json_path(path).find({"a": [1, 2], "s": "text"})

    assert caught.value.args[0] == said


@settings(deadline=None)
@given(documents)
def test_what_tools_write_is_read(document: Any) -> None:
    for ascii_only in (True, False):
        written = json.dumps(document, ensure_ascii=ascii_only).encode()
        assert same(measured_json.read(written), document)
        assert same(measured_json.read(b"\xef\xbb\xbf" + written), document)


@settings(deadline=None)
@given(st.binary(max_size=40))
@example(b"[" * 100_000)
@example(b"[" * 65 + b"]" * 65)
@example(b'{"a":' * 70 + b"1" + b"}" * 70)
@example(b"1" * 5000)
@example(b'{"a": 1, "a": 2}')
@example(b'"\\ud800"')
@example(b"")
def test_anything_is_read_or_bad_input(data: bytes) -> None:
    value = attempt(measured_json.read, data)
    if isinstance(value, InputError):
        assert value.code == "E_JSON"
        return
    json.dumps(value, ensure_ascii=False).encode()


def test_nan_is_read() -> None:
    assert math.isnan(measured_json.read(b"[NaN]")[0])


@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"1" * 5000, b'{"a": 1, "a": 2}', b'"\\ud800"', b"", b"\xff"],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        measured_json.read(data)
