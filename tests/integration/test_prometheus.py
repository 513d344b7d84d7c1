"""The real Prometheus and Alertmanager: numbers asked for, and alerts heard."""

from __future__ import annotations

import math
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.clock import SystemClock
from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.metrics.alertmanager import Inbox
from gitmodel.adapters.metrics.listener import Address, listening
from gitmodel.domain.sources import source_from_dict
from gitmodel.operations.measuring import measure
from tests.support.prometheus import (
    INSTALLED,
    Gauge,
    Prometheus,
    alertmanager,
    gauge,
    prometheus,
    until,
)
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.measurement import Measurement

pytestmark = pytest.mark.skipif(
    not INSTALLED, reason="apt-get install prometheus prometheus-alertmanager"
)
TEMPLATES = Path(__file__).parents[2] / "templates/prometheus"
ACCURACY = 'model_accuracy{model="fraud",stage="production"}'
RULES = """\
groups:
  - name: gitmodel
    rules:
      - alert: ModelAccuracyLow
        expr: model_accuracy < 0.9
        labels:
          severity: high
          gitmodel_model: "{{ $labels.model }}"
          gitmodel_stage: "{{ $labels.stage }}"
        annotations: {summary: "it is {{ $value }}"}
"""
LOW = {
    "alertmanager": {
        "alertname": "ModelAccuracyLow",
        "labels": {"gitmodel_model": "fraud", "gitmodel_stage": "production"},
    }
}
TOKEN = "0123456789abcdef" * 2


@pytest.fixture
def here(tmp_path: Path) -> Repository:
    git(tmp_path, "init", "-q", "r")
    return Repository.discover(tmp_path / "r")


@dataclass(frozen=True)
class Stack:
    """A metric, who scrapes it, and the inbox that alerts end in."""

    accuracy: Gauge
    prometheus: Prometheus
    inbox: Inbox


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run everything, once: Prometheus takes 5 s to find its first target."""
    place = tmp_path_factory.mktemp("stack")
    inbox = Inbox()
    with (
        gauge(0.93) as accuracy,
        listening(Address("127.0.0.1", 0), inbox, token=TOKEN) as url,
        alertmanager(place / "am", f"{url}/alerts", TOKEN) as sender,
        prometheus(
            place / "p", accuracy.target, rules=RULES, alertmanager=sender
        ) as running,
    ):
        yield Stack(accuracy, running, inbox)


def asked(here: Repository, stack: Stack, query: str) -> Measurement:
    provider = {"address": stack.prometheus.url, "query": query, "timeout": "5s"}
    git(here.git_dir, "config", "gitmodel.allow", stack.prometheus.url)
    source = source_from_dict({"prometheus": provider})
    return measure(here, source, SystemClock())


def test_a_value_that_is_set_is_measured(here: Repository, stack: Stack) -> None:
    for value in (0.93, 0.97):
        stack.accuracy.set(value)
        stack.prometheus.wait_for(ACCURACY, value)

        found = asked(here, stack, ACCURACY)

        assert (found.status, found.value) == ("value", [value])


def test_what_nobody_measures_is_no_data(here: Repository, stack: Stack) -> None:
    assert asked(here, stack, "no_such_metric").status == "no_data"


def test_nothing_divided_by_nothing(here: Repository, stack: Stack) -> None:
    found = asked(here, stack, "vector(0) / 0")

    assert found.status == "value"
    assert math.isnan(found.value[0])
    assert asked(here, stack, "scalar(vector(4)) / 8").value == [0.5]
    assert asked(here, stack, "vector(1) / 0").value == [math.inf]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("model_accuracy{", "parse error"),
        ("model_accuracy[5m]", "gives a matrix"),
        ('"text"', "gives a string"),
    ],
)
def test_a_query_that_is_none(
    here: Repository, stack: Stack, query: str, said: str
) -> None:
    found = asked(here, stack, query)

    assert found.status == "error"
    assert said in found.detail


def test_an_alert_is_heard_once_and_its_end_too(here: Repository, stack: Stack) -> None:
    inbox = stack.inbox

    def now() -> Measurement:
        return measure(here, source_from_dict(LOW), SystemClock(), inbox=inbox)

    stack.accuracy.set(0.7)

    [fired] = inbox.take(20)
    assert fired.status == "firing"
    assert fired.labels["severity"] == "high"
    assert fired.annotations == {"summary": "it is 0.7"}
    assert [each["fingerprint"] for each in now().value] == [fired.fingerprint]

    stack.accuracy.set(0.99)

    # Meanwhile it was told again and again; the next that is new is its end.
    [ended] = inbox.take(20)
    assert ended.status == "resolved"
    assert ended.identity == fired.identity
    assert (now().status, now().value) == ("value", [])


def test_alertmanager_with_another_token_is_not_heard(tmp_path: Path) -> None:
    inbox = Inbox()
    alert = "alert=ModelAccuracyLow"

    with (
        listening(Address("127.0.0.1", 0), inbox, token=TOKEN) as url,
        alertmanager(tmp_path / "am", f"{url}/alerts", TOKEN[::-1]) as sender,
    ):
        run("amtool", f"--alertmanager.url={sender}", "alert", "add", alert)
        log = tmp_path / "am/log"
        until(lambda: "unexpected status code 401" in log.read_text(), "a refusal")

    assert not inbox.has_heard


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_of_the_template_fire_with_their_labels(tmp_path: Path) -> None:
    run("promtool", "check", "rules", "--lint-fatal", TEMPLATES / "rules.yml")
    series = 'model="fraud", stage="production"'
    seconds = f"model_request_seconds_bucket{{{series}"
    (tmp_path / "tests.yml").write_text(f"""\
rule_files: [{TEMPLATES}/rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'model_accuracy{{{series}}}', values: 0.95x2 0.8x20}}
      - {{series: 'model_requests_total{{{series}, status="200"}}', values: 0+100x22}}
      - {{series: 'model_requests_total{{{series}, status="500"}}', values: 0+10x22}}
      - {{series: '{seconds}, le="0.1"}}', values: 0+1x22}}
      - {{series: '{seconds}, le="1"}}', values: 0+9x22}}
      - {{series: '{seconds}, le="+Inf"}}', values: 0+9x22}}
    alert_rule_test:
      - {{eval_time: 2m, alertname: ModelAccuracyLow, exp_alerts: []}}
      - eval_time: 9m
        alertname: ModelAccuracyLow
        exp_alerts:
          - exp_labels: {{model: fraud, stage: production, severity: high,
              gitmodel_model: fraud, gitmodel_stage: production}}
            exp_annotations:
              summary: fraud in production has an accuracy of 0.8
      - eval_time: 20m
        alertname: ModelErrors
        exp_alerts:
          - exp_labels: {{model: fraud, stage: production, severity: high,
              gitmodel_model: fraud, gitmodel_stage: production}}
            exp_annotations:
              summary: fraud in production fails 9.091% of requests
      - eval_time: 20m
        alertname: ModelLatencyHigh
        exp_alerts:
          - exp_labels: {{model: fraud, stage: production, severity: medium,
              gitmodel_model: fraud, gitmodel_stage: production}}
            exp_annotations:
              summary: fraud in production takes 0.949375 s (95 %)
      - {{eval_time: 20m, alertname: ModelNotMeasured, exp_alerts: []}}
      - eval_time: 0s
        alertname: GitmodelHeartbeat
        exp_alerts: [{{exp_labels: {{severity: none}},
          exp_annotations: {{summary: Alerts arrive}}}}]
  - interval: 1m
    alert_rule_test:
      - eval_time: 16m
        alertname: ModelNotMeasured
        exp_alerts: [{{exp_labels: {{severity: low}},
          exp_annotations: {{summary: No model reports its accuracy}}}}]
""")

    assert "SUCCESS" in run("promtool", "test", "rules", tmp_path / "tests.yml")


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("alertname=ModelErrors", "gitmodel_model=fraud"), "gitmodel"),
        (("alertname=GitmodelHeartbeat",), "gitmodel"),
        (("alertname=DiskFull",), "nobody"),
    ],
)
def test_the_template_leads_alerts_about_models_here(
    labels: Any, receivers: str
) -> None:
    config = TEMPLATES / "alertmanager.yml"
    run("amtool", "check-config", config)

    found = run(
        "amtool", "config", "routes", "test", f"--config.file={config}", *labels
    )

    assert found.strip() == receivers
