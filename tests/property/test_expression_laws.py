"""Laws of conditions: whatever is written and whatever is measured."""

from __future__ import annotations

import ast
import contextlib
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.expression import parse_expression
from gitmodel.errors import InputError

NAMES = frozenset({"result", "baseline"})

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(10**400), math.nan, math.inf])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "items"]), inner, max_size=3)
    ),
    max_leaves=6,
)
words = st.sampled_from(
    [
        *("&&", "||", "!", "<", "<=", "==", "!=", ">", ">=", "+", "-", "*", "/"),
        *("(", ")", "[", "]", ".", ",", "result", "baseline", "len(", "isNaN("),
        *("isInf(", "abs(", "default(", "0", "1.5", "1e999", "'a'", "true", "null"),
        *("a", "items", " ", "\n", "@", "é", "\x00"),
    ]
)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(["len", "isNaN", "isInf", "abs", "!", "-"])
    signs = st.sampled_from(["&&", "||", "<", "==", "!=", ">=", "+", "-", "*", "/"])
    return (
        st.builds("{}({})".format, names, inner)
        | st.builds("default({}, {})".format, inner, inner)
        | st.builds("({}) {} ({})".format, inner, signs, inner)
    )


#: Conditions that can be read, and come to a value of any kind.
conditions = st.recursive(
    st.sampled_from(
        ["result", "result[0]", "result.a", "baseline.a", "0", "1.5", "true", "'a'"]
    ),
    _joined,
    max_leaves=8,
)


@given(st.lists(words, max_size=30).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        parse_expression(text, NAMES)


@given(conditions, json_values, json_values)
def test_any_value_is_decided_or_not(text: str, result: Any, baseline: Any) -> None:
    found = parse_expression(text, NAMES).decide(
        {"result": result, "baseline": baseline}
    )
    assert found.value in {True, False, None}
    assert bool(found.problem) == (found.value is None)


@given(conditions, json_values)
def test_negation_decides_the_opposite(text: str, result: Any) -> None:
    given_names = {"result": result, "baseline": {}}
    plain = parse_expression(text, NAMES).decide(given_names)
    turned = parse_expression(f"!({text})", NAMES).decide(given_names)
    assert turned.value is (None if plain.value is None else not plain.value)


#: Arithmetic that means the same in Python.
sums = st.recursive(
    st.integers(-9, 9).map(str),
    lambda inner: (
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*"), inner)
        | inner.map("({})".format)
    ),
    max_leaves=10,
)


@given(sums, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), sums)
def test_arithmetic_binds_as_in_other_languages(one: str, sign: str, two: str) -> None:
    text = f"{one} {sign} {two}"
    expected = eval(compile(ast.parse(text, mode="eval"), "", "eval"))  # noqa: S307
    assert parse_expression(text, NAMES).decide({}).value is expected


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_order_is_total_without_nan(one: float, two: float) -> None:
    given_names = {"result": [one, two], "baseline": {}}
    less, equal, more = (
        parse_expression(f"result[0] {sign} result[1]", NAMES).decide(given_names).value
        for sign in ("<", "==", ">")
    )
    assert [less, equal, more].count(True) == 1
