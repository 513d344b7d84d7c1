from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel import resources
from gitmodel.domain.conditions import Conditions, Drop, Flag, ThresholdRange
from gitmodel.domain.trigger_reading import read_trigger
from gitmodel.errors import InputError
from gitmodel.formats import schema, yaml_reader
from tests.support.examples import examples, name

if TYPE_CHECKING:
    from gitmodel.domain.trigger import RollbackTrigger

PROMETHEUS = {"prometheus": {"address": "http://127.0.0.1:9090", "query": "up"}}
WEB = {"web": {"url": "https://example.com/x.json"}}


def document(*metrics: dict[str, Any], **spec: Any) -> dict[str, Any]:
    found = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "RollbackTrigger",
        "spec": {
            "model": "fraud",
            "stage": "production",
            "metrics": list(metrics),
            **spec,
        },
    }
    assert schema.problems("RollbackTrigger", found) == ()
    return found


def metric(**fields: Any) -> dict[str, Any]:
    found = {"name": "m", "severity": "high", "provider": PROMETHEUS, **fields}
    return found if _judged(found) else {**found, "flag": True}


def _judged(body: dict[str, Any]) -> bool:
    return any(key.endswith(("Condition", "Range")) or key in {"drop", "flag"}
               for key in body)  # fmt: skip


def read(*metrics: dict[str, Any], **spec: Any) -> RollbackTrigger:
    return read_trigger(document(*metrics, **spec))


def refusal(*metrics: dict[str, Any], **spec: Any) -> InputError:
    with pytest.raises(InputError) as refused:
        read(*metrics, **spec)
    return refused.value


@pytest.mark.parametrize("file", examples("rollbacktrigger", "valid"), ids=name)
def test_every_valid_example_can_be_read(file: Any) -> None:
    found = read_trigger(yaml_reader.read(file.read_bytes(), file.name).value)
    assert found.model == "fraud"
    assert "production" in found.stages


def test_the_example_of_the_schema_is_read_in_full() -> None:
    [example] = resources.schema("rollbacktrigger-v1")["examples"]
    found = read_trigger(example)
    judges = [type(metric.judge) for metric in found.metrics]
    assert judges == [Drop, ThresholdRange, Conditions, Flag]
    accuracy = found.metrics[0]
    assert accuracy.initial_delay == timedelta(minutes=10)
    assert accuracy.samples
    assert accuracy.samples.minimum == 200
    assert found.safety.max_rollbacks == 2
    assert [freeze.reason for freeze in found.safety.freeze] == ["nobody is there"]


def test_nothing_is_drastic_unless_it_is_asked_for() -> None:
    found = read(metric())
    assert found.actions == {
        "low": "alert",
        "medium": "alert",
        "high": "propose",
        "critical": "rollback",
    }
    [one] = found.metrics
    assert (one.failure_limit, one.error_limit, one.on_no_data) == (3, 4, "alert")
    assert one.interval == timedelta(minutes=1)
    assert found.safety.cooldown == timedelta(minutes=30)
    assert found.safety.window == timedelta(hours=24)
    assert (found.safety.max_rollbacks, found.safety.hysteresis) == (2, 0)


def test_one_severity_may_be_raised_alone() -> None:
    found = read(metric(severity="critical"), action={"critical": "emergency"})
    assert found.action_of(found.metrics[0]) == "emergency"
    assert found.actions["high"] == "propose"


def test_a_metric_may_watch_another_stage() -> None:
    found = read(metric(), metric(name="n", stage="staging"))
    assert found.stages == ("production", "staging")
    assert [one.name for one in found.of_stage("staging")] == ["n"]


@pytest.mark.parametrize(
    "provider",
    [
        {"integrity": {"path": "/srv/model"}},
        {"alertmanager": {"alertname": "Bad"}},
        {"file": {"path": "/r.json", "preset": "evidently"}},
    ],
)
def test_what_lists_problems_needs_no_condition(provider: dict[str, Any]) -> None:
    body = {"name": "m", "severity": "high", "provider": provider}
    assert read(body).metrics[0].judge == Flag()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (
            {"name": "m", "severity": "low", "provider": WEB},
            "does not say when it fail",
        ),
        (metric(flag=True, drop={"metric": "f1", "by": 1}), "drop and flag are given"),
        (metric(flag=True, failureCondition="true"), "one must decide"),
        (metric(thresholdRange={"min": 2, "max": 1}), "it can never pass"),
        (metric(minSamples={"jsonPath": "$.n", "min": 1}), "the web, file and exec"),
        (metric(provider=WEB, minSamples={"query": "x", "min": 1}), "the prometheus"),
        (metric(thresholdRange={"min": 10**400}), "larger than any measurement"),
        (metric(drop={"metric": "f1", "by": 10**400}), "larger than any measurement"),
    ],
)
def test_contradictions_are_refused(body: dict[str, Any], what: str) -> None:
    error = refusal(body)
    assert error.code == "E_TRIGGER"
    assert error.message.startswith("The metric m: ")
    assert what in error.message


def test_a_condition_that_cannot_be_read_names_metric_and_column() -> None:
    error = refusal(metric(failureCondition="result = 1"))
    assert error.code == "E_EXPRESSION"
    assert error.message.startswith("The metric m: The condition 'result = 1'")
    assert "column 8" in error.message


def test_a_provider_that_cannot_be_asked_is_a_problem_of_the_trigger() -> None:
    file = {"file": {"path": "/r.json", "jsonPath": "$.a", "preset": "evidently"}}
    error = refusal(metric(provider=file))
    assert error.code == "E_TRIGGER"
    assert "one of jsonPath and preset" in error.message


def test_two_metrics_of_one_name_are_refused() -> None:
    assert "another metric has this name" in refusal(metric(), metric()).message


def test_hysteresis_must_leave_room() -> None:
    bounds = {"min": 0.9, "max": 1.0}
    error = refusal(metric(thresholdRange=bounds), safety={"hysteresis": 0.06})
    assert "could never recover" in error.message
    read(metric(thresholdRange=bounds), safety={"hysteresis": 0.04})
    read(metric(thresholdRange={"min": 0.9}), safety={"hysteresis": 5})


def test_a_freeze_must_end_after_it_begins() -> None:
    freeze = {"from": "2026-02-02T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
    error = refusal(metric(), safety={"freeze": [freeze]})
    assert (error.code, "before it begins" in error.message) == ("E_TRIGGER", True)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    error = refusal(
        metric(failureCondition="1 +"),
        metric(name="n", thresholdRange={"min": 2, "max": 1}),
        metric(name="n"),
        safety={"hysteresis": 10**400},
    )
    assert [problem["code"] for problem in error.problems] == [
        "E_TRIGGER",
        "E_EXPRESSION",
        "E_TRIGGER",
        "E_TRIGGER",
    ]
    assert error.message.startswith("The trigger has 4 problems: ")
