from __future__ import annotations

import math
from typing import Any

import pytest

from gitmodel.domain.expression import Truth, parse_expression
from gitmodel.errors import InputError

NAMES = frozenset({"result", "baseline"})
NAN, INF = math.nan, math.inf


def decide(text: str, result: Any = None, **baseline: Any) -> Truth:
    given = {"result": result, "baseline": baseline}
    return parse_expression(text, NAMES).decide(given)


@pytest.mark.parametrize(
    ("text", "result", "value"),
    [
        ("result[0] >= 0.95", [0.95], True),
        ("result[0] >= 0.95", [0.9], False),
        ("len(result) > 0 && result[0] < 0.9", [], False),
        ("len(result) == 0 || result[0] < 0.9", [], True),
        ("result == true", True, True),
        ("result != true", False, True),
        ("!result", False, True),
        ("!!result", False, False),
        ("result == null", None, True),
        ("result == null", 3, False),
        ("result.a.b[1] == 'x'", {"a": {"b": [0, "x"]}}, True),
        ("result['a b'] == \"it's\"", {"a b": "it's"}, True),
        (r"result == 'it\'s \\ \"'", "it's \\ \"", True),
        ("1 + 2 * 3 == 7", None, True),
        ("(1 + 2) * 3 == 9", None, True),
        ("8 / 2 / 2 == 2 && 8 - 2 - 2 == 4", None, True),
        ("-result < -1", 2, True),
        ("- - result == 2", 2, True),
        ("abs(result) == 2", -2, True),
        ("1e3 == 1000 && .5 == 0.5 && 1. == 1", None, True),
        ("true || false && false", None, True),
        ("(true || false) && false", None, False),
        ("!true || true", None, True),
        ("isInf(result)", INF, True),
        ("result > 1", INF, True),
        ("len('abc') == 3 && len(result) == 2", {"a": 1, "b": 2}, True),
        ("result[1 - 1] == 4", [4], True),
        ("baseline.accuracy - result[0] > 0.05", [0.8], True),
        ("baseline.test['recall@0.5'] == 1", None, True),
    ],
)
def test_what_can_be_decided_is(text: str, result: Any, value: bool) -> None:
    found = decide(text, result, accuracy=0.9, test={"recall@0.5": 1})
    assert found == Truth(value)


@pytest.mark.parametrize(
    ("text", "result", "problem"),
    [
        ("result[0] < 1", [], "there is no [0] in a list of 0"),
        ("result[1] < 1", [1], "there is no [1] in a list of 1"),
        ("result[0 - 1] < 1", [1], "there is no [-1] in a list of 1"),
        ("result[0.5] < 1", [1], "there is no [0.5] in a list of 1"),
        ("result.a < 1", {}, "there is no 'a'"),
        ("result.a < 1", [1], "a list has numbers for its parts, not names"),
        ("result[0] < 1", {"0": 1}, "the fields of a mapping have names"),
        ("result.a < 1", 1, "a number has no parts"),
        ("result.a == 1", None, "null has no parts"),
        ("result < 1", NAN, "NaN cannot be compared"),
        ("result == result", NAN, "NaN cannot be compared"),
        ("result != 1", NAN, "NaN cannot be compared"),
        ("result - result < 1", INF, "NaN cannot be compared"),
        ("result < 1", "0", "text is not a number"),
        ("result < 1", True, "true is not a number"),
        ("result + 1 == 2", True, "true is not a number"),
        ("result == 1", True, "true and a number cannot be compared"),
        ("result == 'a'", ["a"], "a list and text cannot be compared"),
        ("result == result", [1], "a list is not a number"),
        ("result / 0 > 1", 1, "it divides by zero"),
        ("result > 1", 10**400, "a number is too large to compare"),
        ("result", 1, "a number is neither true nor false"),
        ("result", None, "null is neither true nor false"),
        ("result", "true", "text is neither true nor false"),
        ("result && true", 1, "a number is neither true nor false"),
        ("true && result", [], "a list is neither true nor false"),
        ("!result", 0, "a number is neither true nor false"),
        ("len(result) > 0", 3, "a number has no length"),
        ("isNaN(result)", "x", "text is not a number"),
    ],
)
def test_what_makes_no_sense_is_undecided(text: str, result: Any, problem: str) -> None:
    assert decide(text, result) == Truth(None, problem)


def test_the_rest_of_a_junction_is_not_looked_at() -> None:
    assert decide("false && result[9] > 0", []).value is False
    assert decide("true || result[9] > 0", []).value is True
    assert decide("result[9] > 0 && false", []).value is None


def test_a_condition_says_that_it_met_nan() -> None:
    assert decide("isNaN(result[0]) || result[0] < 1", [NAN]) == Truth(True, nan=True)
    assert decide("!isNaN(result) && result < 1", NAN) == Truth(False, nan=True)
    assert decide("isNaN(result) || result < 1", 2) == Truth(False)


@pytest.mark.parametrize(
    ("text", "result", "truth"),
    [
        ("default(result.a, 0) < 1", {}, Truth(True, absent=True)),
        ("default(result.a.b, 0) < 1", {}, Truth(True, absent=True)),
        ("default(result.a, 0) < 1", {"a": None}, Truth(True, absent=True)),
        ("default(result[0], 5) < 1", [0], Truth(True)),
        ("default(result.a, 0) < 1", 3, Truth(None, "a number has no parts")),
    ],
)
def test_default_stands_in_for_what_is_not_there(
    text: str, result: Any, truth: Truth
) -> None:
    assert decide(text, result) == truth


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ("", 1, "it is empty"),
        ("  ", 3, "it is empty"),
        ("result = 1", 8, "there is no '='; == may be meant"),
        ("result & true", 8, "there is no '&'; && may be meant"),
        ("result ≥ 1", 8, "there is no '\\u2265'; >= may be meant"),
        ("'abc", 1, "this text does not end"),
        ("result $ 1", 8, "there is no '$'"),
        ("(result", 8, "')' is expected"),
        ("result[0", 9, "']' is expected"),
        ("result)", 7, "')' is not expected here"),
        ("result result", 8, "'result' is not expected here"),
        ("1 +", 4, "it ends where a value is expected"),
        ("&& true", 1, "'&&' stands where a value is expected"),
        ("1 < 2 < 3", 7, "compare two values at a time, and join them by &&"),
        ("os", 1, "there is no os, only result and baseline"),
        ("f('x')", 1, "there is no function f, only len, isNaN, isInf, abs, default"),
        ("len()", 5, "')' stands where a value is expected"),
        ("len(1, 2)", 1, "len takes 1, not 2"),
        ("default(1)", 1, "default takes 2, not 1"),
        ("result.", 8, "the name of a field is expected, or write ['name']"),
        ("result.'a'", 8, "the name of a field is expected, or write ['name']"),
        ("(" * 33 + "1", 33, "it is nested more than 32 deep"),
        ("!" * 33 + "true", 33, "it is nested more than 32 deep"),
        ("len(" * 33, 129, "it is nested more than 32 deep"),
        ("result" + "[result" * 33, 231, "it is nested more than 32 deep"),
        ("1" * 1001, 1, "it is longer than 1000 characters"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_is_refused_with_its_column(
    text: str, column: int, why: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse_expression(text, NAMES)
    assert refused.value.code == "E_EXPRESSION"
    assert refused.value.message.endswith(f"cannot be read at column {column}: {why}.")
    assert len(refused.value.message) < 250


@pytest.mark.parametrize(
    "text", ["result.__class__", "result.items", "result['__class__']", "result.keys"]
)
def test_nothing_of_python_can_be_reached(text: str) -> None:
    values: list[Any] = [{}, [], "", 0, None]
    for result in values:
        assert decide(f"{text} != null", result).value is None


def test_long_chains_are_no_deep_ones() -> None:
    assert decide("+".join(["1"] * 490) + " == 490").value is True
    assert decide("&&".join(["true"] * 160)).value is True
    nested: Any = 7
    for _ in range(300):
        nested = [nested]
    assert decide("result" + "[0]" * 300 + " == 7", nested).value is True


def test_what_it_mentions_is_known() -> None:
    found = parse_expression("result[0] < 1 || baseline.a > 2", NAMES)
    assert found.names == {"result", "baseline"}
    assert parse_expression("true", NAMES).names == set()
