from __future__ import annotations

import math
from typing import Any

import pytest

from gitmodel.domain.conditions import (
    NAMES,
    Conditions,
    Drop,
    Flag,
    Judge,
    ThresholdRange,
    judge_value,
    shown,
)
from gitmodel.domain.expression import parse_expression
from gitmodel.domain.metrics import read_metrics

NAN = math.nan
BASELINE = read_metrics(
    {
        "validation": {"accuracy": 0.95},
        "test": {
            "accuracy": 0.92,
            "p95": {"value": 100, "direction": "lower"},
            "loss": 0.2,
        },
    }
)


def conditions(success: str = "", failure: str = "") -> Conditions:
    return Conditions(
        parse_expression(success, NAMES) if success else None,
        parse_expression(failure, NAMES) if failure else None,
    )


def outcome(judge: Judge, value: Any, slack: float = 0.0) -> str:
    return judge_value(judge, value, BASELINE, slack).outcome


BOTH = conditions(success="result[0] >= 0.95", failure="result[0] < 0.9")


@pytest.mark.parametrize(
    ("judge", "value", "expected"),
    [
        (conditions(failure="result < 1"), 0, "failed"),
        (conditions(failure="result < 1"), 1, "passed"),
        (conditions(success="result < 1"), 0, "passed"),
        (conditions(success="result < 1"), 1, "failed"),
        (BOTH, [0.97], "passed"),
        (BOTH, [0.92], "inconclusive"),
        (BOTH, [0.8], "failed"),
        (BOTH, [], "error"),
        (BOTH, {}, "error"),
        (BOTH, ["0.97"], "error"),
        (BOTH, [0.97, NAN], "passed"),
        (BOTH, [NAN, 0.97], "error"),
        (BOTH, [NAN], "no_data"),
        (BOTH, NAN, "no_data"),
        # Both at once: what is bad wins.
        (conditions(success="true", failure="true"), 1, "failed"),
        (conditions(failure="baseline.accuracy - result > 0.05"), 0.8, "failed"),
        (conditions(failure="baseline.test.accuracy - result > 0.1"), 0.85, "passed"),
        (conditions(failure="baseline.f1 - result > 0.05"), 0.8, "error"),
    ],
)
def test_expressions_decide_as_in_an_analysis_template(
    judge: Judge, value: Any, expected: str
) -> None:
    assert outcome(judge, value) == expected


@pytest.mark.parametrize(
    "text",
    [
        "isNaN(result.a)",
        "isNaN(result.a) || result.a < 1",
        "!isNaN(result.a) && result.a < 1",
        "!(!isNaN(result.a))",
    ],
)
@pytest.mark.parametrize("side", ["success", "failure"])
def test_nan_is_never_bad_and_never_good(text: str, side: str) -> None:
    assert outcome(conditions(**{side: text}), {"a": NAN}) == "no_data"


def test_what_is_not_there_is_never_bad() -> None:
    bad = conditions(failure="default(result.accuracy, 0) < 0.9")
    assert outcome(bad, {}) == "no_data"
    assert outcome(bad, {"accuracy": 0.5}) == "failed"
    # A counter that does not exist yet is what people mean by 0.
    assert outcome(conditions(failure="default(result.errors, 0) > 5"), {}) == "passed"
    assert outcome(conditions(success="default(result.ok, 0) > 5"), {}) == "no_data"


@pytest.mark.parametrize(
    ("value", "slack", "expected"),
    [
        (0.9, 0, "passed"),
        (1.0, 0, "passed"),
        (0.89, 0, "failed"),
        (1.1, 0, "failed"),
        ([0.95, 0.89], 0, "failed"),
        ([0.95, NAN], 0, "passed"),
        ([0.89, NAN], 0, "failed"),
        ([NAN, NAN], 0, "no_data"),
        ([], 0, "no_data"),
        (NAN, 0, "no_data"),
        (math.inf, 0, "failed"),
        (0.905, 0.01, "within"),
        (0.995, 0.01, "within"),
        (0.95, 0.01, "passed"),
        (0.89, 0.01, "failed"),
        ("0.95", 0, "error"),
        (True, 0, "error"),
        (None, 0, "error"),
        ({"a": 1}, 0, "error"),
        (10**400, 0, "error"),
    ],
)
def test_a_range_takes_its_bounds_and_every_number(
    value: Any, slack: float, expected: str
) -> None:
    assert outcome(ThresholdRange(0.9, 1.0), value, slack) == expected


@pytest.mark.parametrize(
    ("judge", "value", "slack", "expected"),
    [
        (Drop("validation", "accuracy", 0.05), 0.90, 0, "passed"),  # just at the bound
        (Drop("validation", "accuracy", 0.05), 0.899, 0, "failed"),
        (Drop("validation", "accuracy", 0.05), 0.99, 0, "passed"),
        (Drop("validation", "accuracy", 0.05), [0.99, 0.8], 0, "failed"),
        (Drop("validation", "accuracy", 0.05), 0.905, 0.01, "within"),
        (Drop("validation", "accuracy", 0.05), 0.92, 0.01, "passed"),
        (Drop("test", "p95", 20), 121, 0, "failed"),  # lower is better, as it says
        (Drop("test", "p95", 20), 120, 0, "passed"),
        (Drop("test", "p95", 20), [50, 121], 0, "failed"),
        (Drop("test", "loss", 0.1), 0.31, 0, "failed"),  # lower is better, by its name
        (Drop("test", "loss", 0.1), 0.1, 0, "passed"),
        (Drop("test", "f1", 0.1), 0.0, 0, "error"),  # the manifest has none
        (Drop("test", "accuracy", 0.1), None, 0, "error"),  # missing is not 0
        (Drop("test", "accuracy", 0.1), [], 0, "no_data"),
        (Drop("test", "accuracy", 0.1), NAN, 0, "no_data"),
    ],
)
def test_a_drop_is_measured_against_the_manifest(
    judge: Drop, value: Any, slack: float, expected: str
) -> None:
    assert outcome(judge, value, slack) == expected


@pytest.mark.parametrize("by", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("was", [0.9, 0.95, 0.97, 1.0])
def test_a_drop_by_exactly_what_is_allowed_is_allowed(was: float, by: float) -> None:
    baseline = read_metrics({"test": {"accuracy": was}})
    for result in (was - by, round(was - by, 9)):
        found = judge_value(Drop("test", "accuracy", by), result, baseline)
        assert found.outcome == "passed", found.reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "failed"),
        (False, "passed"),
        (0, "passed"),
        (2, "failed"),
        ([], "passed"),
        ({}, "passed"),
        (["drift of age"], "failed"),
        ([{"path": "a", "problem": "changed"}], "failed"),
        ({"a": 1}, "failed"),
        ([0.0], "passed"),  # a series of Prometheus that is 0
        ([0.0, 1.0], "failed"),
        ([0.0, NAN], "passed"),
        ([NAN], "no_data"),
        (None, "no_data"),
        ("true", "error"),
        ("", "error"),
    ],
)
def test_a_flag_is_bad_if_there_is_something(value: Any, expected: str) -> None:
    assert outcome(Flag(), value) == expected


def test_values_are_shown_on_one_short_line() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in ("a\nb\x1b[31m\u202e", ["x" * 10_000], deep, NAN, {"a": None}, {1, 2}):
        text = shown(value)
        assert len(text) <= 120
        assert text.isprintable()
        assert text.isascii()
