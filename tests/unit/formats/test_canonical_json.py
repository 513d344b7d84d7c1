from __future__ import annotations

import math
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from gitmodel.errors import InputError
from gitmodel.formats.canonical_json import dumps, loads, members


def test_one_spelling() -> None:
    value = {"b": [1, 2.5, None, True], "a": {"é": "\u2028", "Z": 1}}
    expected = '{"a":{"Z":1,"é":"\u2028"},"b":[1,2.5,null,true]}'
    assert dumps(value) == expected.encode()
    assert loads(dumps(value)) == value


def test_keys_are_sorted_by_code_point_at_every_depth() -> None:
    assert dumps([{"\U0001f600": 1, "\ufffd": 2, "a": 3}]) == (
        '[{"a":3,"\ufffd":2,"\U0001f600":1}]'.encode()
    )


def test_any_mapping_and_tuples_are_written() -> None:
    assert dumps(MappingProxyType({"a": MappingProxyType({"b": (1,)})})) == (
        b'{"a":{"b":[1]}}'
    )


def _cycle() -> list[object]:
    ring: list[object] = []
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        {"x": math.inf},
        {1: "a", "1": "b"},
        {None: 1},
        MappingProxyType({True: 1}),
        {"when": datetime(2026, 1, 1, tzinfo=UTC)},
        "\ud800",
        b"bytes",
        _cycle(),
    ],
)
def test_what_json_cannot_say_in_one_way_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        dumps(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b'\xef\xbb\xbf{"bom":1}',
        b'{"a":1,"a":2}',
        b'[{"x":{"a":1,"b":2,"a":1}}]',
        b"NaN",
        b"[-Infinity]",
        b"1e999",
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"{} {}",
        b"{'a':1}",
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_loose_json_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        loads(data)
    assert caught.value.code == "E_JSON"


def test_escaped_pairs_are_one_character() -> None:
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_members() -> None:
    assert members({"a": 1, "b": 2}, "it", ("a",), ("b",)) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "it is not an object."),
        ({}, "it lacks 'a'."),
        ({"a": 1, "\x1b[2J": 2}, r"it has an unknown '\x1b[2J'."),
    ],
)
def test_members_names_what_is_wrong(value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        members(value, "it", ("a",))
    assert caught.value.message == message
