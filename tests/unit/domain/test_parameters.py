from __future__ import annotations

from typing import Any

import pytest

from gitmodel.domain.parameters import (
    parse_label,
    parse_labels,
    parse_parameter,
    parse_parameters,
)
from gitmodel.errors import InputError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3),
        ("-0.5", -0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("null", None),
        ('"3"', "3"),
        ("[64, 32]", [64, 32]),
        ('{"a": {"b": [1.5]}}', {"a": {"b": [1.5]}}),
        ("adam", "adam"),
        ("True", "True"),
        ("", ""),
        ("a=b", "a=b"),
        ("1.10.0", "1.10.0"),
        ("+1", "+1"),
        ("1e999", "1e999"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("[1, NaN]", "[1, NaN]"),
        ("[1e999]", "[1e999]"),
        ("[1,", "[1,"),
        ("9" * 5000, "9" * 5000),
        ("two\nlines\tthere", "two\nlines\tthere"),
        (str(2**64), 2**64),
    ],
)
def test_values(value: str, expected: object) -> None:
    key, found = parse_parameter(f"optimizer.lr={value}")
    assert key == "optimizer.lr"
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("key", ["lr", "_x", "a.b:c/d@e-f", "0", "x" * 200])
def test_keys(key: str) -> None:
    assert parse_parameter(f"{key}=1") == (key, 1)


@pytest.mark.parametrize("text", ["lr", "", "=1", "-a=1", "a b=1", "é=1", "x" * 201])
def test_what_is_no_parameter_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a parameter") as caught:
        parse_parameter(text)
    assert "--param learning_rate=0.01" in caught.value.hints[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('{"a": 1, "a": 2}', "same key twice"),
        ('[{"b": {"a": 1, "a": 2}}]', "same key twice"),
        ("[" * 13 + "]" * 13, "more than 12 levels"),
        ("[" * 100_000, "more than 12 levels"),
        ("\x1b[31m", "characters"),
        ("\udce9", "characters"),
        ('"\\u0000"', "characters"),
        ('["\\ud800"]', "characters"),
        ('{"\\ud800": 1}', "characters"),
    ],
)
def test_what_no_manifest_can_hold_is_refused(value: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_parameter(f"lr={value}")


def test_twelve_levels_are_enough_for_everyone() -> None:
    depth: Any = parse_parameter("lr=" + "[" * 12 + "]" * 12)[1]
    for _ in range(11):
        (depth,) = depth
    assert depth == []


def test_dotted_keys_do_not_nest() -> None:
    assert parse_parameters(["a.b=1", "a=x", "a.c=2"]) == {"a.b": 1, "a": "x", "a.c": 2}
    with pytest.raises(InputError, match=r"a\.b is given twice"):
        parse_parameters(["a.b=1", "a.b=1"])


def test_labels_are_text() -> None:
    assert parse_labels(["team=risk", "tier=1", "example.org/x=", "a=b=c"]) == {
        "team": "risk",
        "tier": "1",
        "example.org/x": "",
        "a": "b=c",
    }


@pytest.mark.parametrize("text", ["team", "=x", "-a=x", "a-=x", "a b=x", "x" * 101])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a label"):
        parse_label(text)


@pytest.mark.parametrize("value", ["x" * 257, "a\nb", "a\tb", "a\x00b", "\udce9"])
def test_label_values_are_short_and_on_one_line(value: str) -> None:
    with pytest.raises(InputError, match="team"):
        parse_label(f"team={value}")


def test_a_label_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="team is given twice"):
        parse_labels(["team=a", "team=b"])
