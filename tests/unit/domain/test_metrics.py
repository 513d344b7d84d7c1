from __future__ import annotations

from typing import Any

import pytest

from gitmodel.domain.metrics import (
    Delta,
    Metric,
    compare,
    direction_of,
    parse_metric,
    parse_metrics,
    read_metrics,
)
from gitmodel.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy=0.97", ("validation", "accuracy", 0.97)),
        ("test.accuracy=0.97", ("test", "accuracy", 0.97)),
        ("out-of-time.ks=1e-3", ("out-of-time", "ks", 0.001)),
        ("test.f1.macro=.5", ("test", "f1.macro", 0.5)),
        ("recall@0.5=+1.", ("validation", "recall@0.5", 1.0)),
        ("top-5/accuracy=-0", ("validation", "top-5/accuracy", 0)),
        ("1nn=3", ("validation", "1nn", 3)),
        ("parameters=175000000000", ("validation", "parameters", 175_000_000_000)),
        ("big=12345678901234567890", ("validation", "big", 12345678901234567890.0)),
    ],
)
def test_metrics_are_read(text: str, expected: tuple[str, str, float]) -> None:
    found = parse_metric(text)
    assert found == expected
    assert type(found[2]) is type(expected[2])


@pytest.mark.parametrize(
    "value",
    [
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1e999",
        "-1e999",
        "true",
        "True",
        "",
        "97%",
        "0,97",
        "1_000",
        " 1",
        "1\n",
        "0x10",
        "½",
        "\N{ARABIC-INDIC DIGIT ONE}",
        ".",
        "e5",
        "[1]",
    ],
)
def test_what_is_no_finite_number_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="accuracy is not a"):
        parse_metric(f"accuracy={value}")


@pytest.mark.parametrize("text", ["accuracy", "=1", ".a=1", "a b=1", "a\n=1", "é=1"])
def test_what_is_no_metric_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a metric") as caught:
        parse_metric(text)
    assert "--metric accuracy=0.97" in caught.value.hints[0]


def test_sets_keep_their_metrics_apart() -> None:
    assert parse_metrics(["f1=0.9", "test.f1=0.8", "loss=1", "test.loss=2"]) == {
        "validation": {"f1": 0.9, "loss": 1},
        "test": {"f1": 0.8, "loss": 2},
    }
    assert parse_metrics([]) == {}


def test_a_metric_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"validation\.f1 is given twice"):
        parse_metrics(["f1=0.9", "validation.f1=0.9"])


LOWER = [
    "loss",
    "log_loss",
    "logLoss",
    "val-loss",
    "error",
    "error_rate",
    "mean_absolute_error",
    "rmse",
    "RMSE",
    "mae",
    "MAPE",
    "mse",
    "latency",
    "latency_p99",
    "p99_latency_ms",
    "perplexity",
    "wer",
    "cer",
    "fpr",
    "fnr",
    "brier",
    "brier_score",
    "ece",
    "nll",
    "false_positive_rate",
    "false-negative-rate",
    "cross_entropy",
    "CrossEntropy",
    "negative_log_likelihood",
    "neg_log_likelihood",
    "eer",
    "inference_time",
    "loss@0.5",
    "validation/loss",
    "training.loss",
]
HIGHER = [
    "accuracy",
    "f1",
    "f1_macro",
    "auc",
    "roc_auc",
    "r2",
    "precision",
    "recall",
    "bleu",
    "map",
    "ndcg@10",
    "iou",
    "recall_at_fpr",
    "tpr@fpr=0.01",
    "neg_log_loss",
    "neg_mean_squared_error",
    "true_positive_rate",
    "flossing",
    "terse",
    "maestro",
    "lossless",
    "worst_recall",
    "atlas",
    "neg_mean_absolute_error",
]


@pytest.mark.parametrize("name", LOWER)
def test_lower_is_better(name: str) -> None:
    assert direction_of(name) == "lower"
    assert direction_of(name, "higher") == "higher"


@pytest.mark.parametrize("name", HIGHER)
def test_higher_is_better(name: str) -> None:
    assert direction_of(name) == "higher"
    assert direction_of(name, "lower") == "lower"


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(InputError, match="'up', not higher or lower"):
        direction_of("accuracy", "up")


def test_manifest_metrics_are_read() -> None:
    rich = {
        "value": 0.9,
        "direction": "higher",
        "dataset": "clicks@3",
        "interval": [0.88, 0.92],
    }
    found = read_metrics({"test": {"auc": rich, "loss": 1}})
    assert found["test"]["auc"] == Metric(
        value=0.9, direction="higher", dataset="clicks@3", interval=(0.88, 0.92)
    )
    assert found["test"]["loss"] == Metric(value=1)
    assert read_metrics({}) == {}


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (None, "metrics is not a mapping"),
        ([], "metrics is not a mapping"),
        ({"test": 1}, r"metrics\.test is not a mapping"),
        ({"te st": {}}, "impossible name: 'te st'"),
        ({"test": {1: 1}}, "impossible name: 1"),
        ({"test": {"a": True}}, r"metrics\.test\.a is not a number: True"),
        ({"test": {"a": "1"}}, "is not a number"),
        ({"test": {"a": None}}, "is not a number"),
        ({"test": {"a": float("nan")}}, r"metrics\.test\.a is not a finite number"),
        ({"test": {"a": float("inf")}}, "is not a finite number"),
        ({"test": {"a": 10**400}}, "is not a finite number"),
        ({"test": {"a": {}}}, "has no value"),
        ({"test": {"a": {"value": 1, "unit": "s"}}}, "no metric has: unit"),
        ({"test": {"a": {"value": False}}}, r"a\.value is not a number"),
        ({"test": {"a": {"value": 1, "direction": "up"}}}, "'up'"),
        ({"test": {"a": {"value": 1, "direction": True}}}, "True"),
        ({"test": {"a": {"value": 1, "dataset": 3}}}, "dataset is not text"),
        ({"test": {"a": {"value": 1, "interval": 3}}}, "list of two numbers"),
        ({"test": {"a": {"value": 1, "interval": "12"}}}, "list of two numbers"),
        ({"test": {"a": {"value": 1, "interval": [1]}}}, r"not \[lower, upper\]"),
        ({"test": {"a": {"value": 1, "interval": [2, 1]}}}, r"not \[lower, upper\]"),
        (
            {"test": {"a": {"value": 1, "interval": [1, float("nan")]}}},
            "interval is not a finite number",
        ),
    ],
)
def test_other_metrics_are_refused(metrics: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_metrics(metrics)


def only(before: Any, after: Any, name: str = "m") -> Delta:
    (delta,) = compare(
        {} if before is None else {"test": {name: before}},
        {} if after is None else {"test": {name: after}},
    )
    return delta


def test_a_delta() -> None:
    assert only(0.5, 0.75, "accuracy") == Delta(
        name="accuracy",
        set="test",
        before=0.5,
        after=0.75,
        change=0.25,
        direction="higher",
        verdict="better",
    )


@pytest.mark.parametrize(
    ("name", "before", "after", "verdict"),
    [
        ("accuracy", 0.9, 0.8, "worse"),
        ("loss", 0.9, 0.8, "better"),
        ("loss", 0.8, 0.9, "worse"),
        ("loss", 1, 1.0, "same"),
        ("accuracy", 0.1 + 0.2, 0.3, "same"),
        ("accuracy", 0.0, 1e-15, "better"),
        ("accuracy", None, 0.9, "unknown"),
        ("accuracy", 0.9, None, "unknown"),
        ("points", {"value": 3, "direction": "lower"}, 2, "better"),
        ("points", 3, {"value": 2, "direction": "lower"}, "better"),
        (
            "points",
            {"value": 3, "direction": "lower"},
            {"value": 2, "direction": "higher"},
            "unknown",
        ),
        ("auc", {"value": 3, "dataset": "a"}, {"value": 4, "dataset": "b"}, "unknown"),
        ("auc", {"value": 3, "dataset": "a"}, {"value": 4, "dataset": "a"}, "better"),
        ("auc", {"value": 3, "dataset": "a"}, 4, "better"),
    ],
)
def test_verdicts(name: str, before: Any, after: Any, verdict: str) -> None:
    assert only(before, after, name).verdict == verdict


def test_missing_values_have_no_change() -> None:
    assert only(None, 1).change is None
    assert only(1, None).change is None
    assert only(None, 1).before is None
    assert only(1.7e308, -1.7e308).change is None


def test_deltas_are_ordered_by_set_and_name() -> None:
    before = {"validation": {"b": 1, "a": 1}, "test": {"z": 1}}
    after = {"validation": {"c": 1, "a": 1}}
    assert [(delta.set, delta.name) for delta in compare(before, after)] == [
        ("test", "z"),
        ("validation", "a"),
        ("validation", "b"),
        ("validation", "c"),
    ]
