"""From the metric that falls to the record of it, with everything real (R173).

A served metric falls; Prometheus sees it, Alertmanager tells the watcher, the watcher
waits whether it stays so, rolls back and pushes, the model's own check passes, people
are told, and the log on the remote has it all.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.prometheus import (
    INSTALLED,
    alertmanager,
    gauge,
    prometheus,
    until,
)
from tests.support.remotes import clone
from tests.support.sink import Sink, sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.prometheus import Gauge
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(
    not INSTALLED, reason="apt-get install prometheus prometheus-alertmanager"
)

RULES = """\
groups:
  - name: gitmodel
    rules:
      - alert: ModelAccuracyLow
        expr: model_accuracy < 0.9
        for: 1s
        labels:
          gitmodel_model: "{{ $labels.model }}"
          gitmodel_stage: "{{ $labels.stage }}"
      - alert: GitmodelHeartbeat
        expr: vector(1)
"""
TRIGGER = """\
apiVersion: gitmodel.dev/v1
kind: RollbackTrigger
spec:
  model: fraud
  stage: production
  metrics:
    - name: accuracy-alert
      severity: critical
      interval: 1s
      failureLimit: 2
      flag: true
      provider:
        alertmanager:
          alertname: ModelAccuracyLow
          labels: {{gitmodel_model: fraud, gitmodel_stage: production}}
    - name: accuracy
      severity: low
      interval: 1s
      drop: {{metric: test.accuracy, by: 0.05}}
      provider:
        prometheus:
          address: {prometheus}
          query: 'model_accuracy{{model="fraud",stage="production"}}'
"""
CHECK = """\
validation:
  postRollback:
    - name: answers
      http: {{url: "{url}", requests: 3, p95: 5000ms}}
"""


@dataclass
class Night:
    """Who and what is awake.

    Attributes:
        ada: A person's clone.
        robot: The watcher's clone, with a key that may roll back and no more.
        key: That key.
    """

    team: Team
    robot: Workbench
    key: Path
    metric: Gauge
    people: Sink
    port: int
    prometheus: str
    alertmanager: str

    @property
    def ada(self) -> Workbench:
        return self.team.ours

    def rollbacks(self) -> list[str]:
        """Return the subjects of the rollbacks that the remote has, newest first."""
        hub = ("-C", str(self.team.hub), "log", "--format=%s", "main")
        subjects = subprocess.run(
            ["git", *hub], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        return [subject for subject in subjects if subject.startswith("rollback(")]

    def rounds(self) -> str:
        """Return what changes with every round of the watcher."""
        path = self.robot.path / ".git/gitmodel/watch/heartbeat.json"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def night(team: Team, tmp_path: Path) -> Iterator[Night]:
    ada = team.ours
    _two_versions_in_production(ada)
    key = ada.outside / "robot"
    ada.do("key", "new", "--out", key)
    who = ("robot", "--key", f"{key}.pub", "--role", "responder")
    ada.do("policy", "add-principal", *who)
    with ExitStack() as stack:
        port = _free_port()
        metric = stack.enter_context(gauge(0.96))
        people = stack.enter_context(sink())
        told = stack.enter_context(
            alertmanager(tmp_path / "am", f"http://127.0.0.1:{port}/alerts")
        )
        server = stack.enter_context(
            prometheus(tmp_path / "prom", metric.target, rules=RULES, alertmanager=told)
        )
        ada.commit_file(
            "triggers/fraud.yaml",
            TRIGGER.format(prometheus=server.url).encode(),
            "watch",
        )
        model = ada.path / "models/fraud/model.yaml"
        check = CHECK.format(url=people.url)
        ada.commit_file(
            "models/fraud/model.yaml", model.read_bytes() + check.encode(), "check"
        )
        ada.do("sync")
        robot = clone(team.hub, tmp_path / "robot", ada.outside)
        (robot.path / ".git/gitmodel").mkdir(exist_ok=True)
        (robot.path / ".git/gitmodel/notifications.yaml").write_text(
            "apiVersion: gitmodel.dev/v1\nkind: Notifications\nnotifications:\n"
            f"  - {{name: people, on: [info], webhook: {{url: '{people.url}'}}}}\n"
        )
        for address in (server.url, people.url):
            robot.git("config", "--add", "gitmodel.allow", address)
        server.wait_for("model_accuracy", 0.96)
        yield Night(
            team, robot, key, metric, people, port, server.url, alertmanager=told
        )


def _two_versions_in_production(bench: Workbench) -> None:
    for version in ("2.0.0", "2.1.0"):
        file = bench.file(f"{version}.bin", version.encode())
        bench.do(
            "register", "fraud", file, "--version", version, "--no-capture",
            "--metric", "test.accuracy=0.95",
        )  # fmt: skip
        bench.promote(f"fraud@{version}", "dev", "staging", "production")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextmanager
def _watching(night: Night) -> Iterator[SimpleQueue[str]]:
    """Run the watcher until the context ends; yield what it prints."""
    command = [
        sys.executable, "-m", "gitmodel", "--key", str(night.key),
        "-C", str(night.robot.path), "watch", "--json", "--fetch", "--push",
        "--interval", "1s", "--listen", f"127.0.0.1:{night.port}",
    ]  # fmt: skip
    lines: SimpleQueue[str] = SimpleQueue()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:

        def listen() -> None:
            for line in process.stdout or ():
                lines.put(line)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield lines
        finally:
            process.terminate()
            thread.join()


def _pass_rounds(night: Night, number: int) -> None:
    for _ in range(number):
        seen = night.rounds()
        until(partial(_has_changed, night, seen), "another round")


def _has_changed(night: Night, seen: str) -> bool:
    return night.rounds() != seen


def test_a_metric_falls_and_the_registry_goes_back(night: Night) -> None:
    with _watching(night) as said:
        until(night.rounds, "the first round")
        _pass_rounds(night, 2)
        assert night.rollbacks() == [], "all is well"

        night.metric.set(0.6)
        until(night.rollbacks, "a rollback on the remote")
        until(lambda: night.people.of("rollback.validation.passed"), "the check passed")

        # The alert goes on: what it is about is no longer live. It changes nothing.
        tip = night.team.tip()
        _pass_rounds(night, 3)
        _alert_again(night)
        _pass_rounds(night, 2)
        assert night.team.tip() == tip
        assert night.rollbacks() == ["rollback(fraud): production 2.1.0 -> 2.0.0"]
    printed = [said.get() for _ in range(said.qsize())]
    assert not any("Traceback" in line for line in printed), printed
    _people_know(night.people)
    _the_log_tells_it(night)


def _alert_again(night: Night) -> None:
    """Say once more, word for word, what Alertmanager has said all the time."""
    [alert] = [
        each
        for each in json.load(_get(f"{night.alertmanager}/api/v2/alerts"))
        if each["labels"]["alertname"] == "ModelAccuracyLow"
    ]
    body = {
        "version": "4", "status": "firing", "receiver": "gitmodel", "groupLabels": {},
        "commonLabels": {}, "commonAnnotations": {}, "groupKey": "x",
        "externalURL": "", "truncatedAlerts": 0,
        "alerts": [
            {
                "status": "firing", "labels": alert["labels"], "annotations": {},
                "startsAt": alert["startsAt"], "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "", "fingerprint": alert["fingerprint"],
            }
        ],
    }  # fmt: skip
    request = urllib.request.Request(
        f"http://127.0.0.1:{night.port}/alerts",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        assert answer.status in {200, 202, 204}


def _get(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=5)  # noqa: S310


def _people_know(people: Sink) -> None:
    [done] = people.of("rollback.completed")
    assert (done["data"]["from"], done["data"]["to"]) == ("2.1.0", "2.0.0")
    assert len(people.of("rollback.validation.passed")) == 1
    ids = [each["id"] for each in people.told]
    assert len(ids) == len(set(ids)), "nothing is told twice"


def _the_log_tells_it(night: Night) -> None:
    """Who was not there reads it all in a clone: what, who, why, and that it helped."""
    night.ada.git("pull", "-q", "--ff-only")
    events = night.ada.do("log", "fraud", "--stage", "production")["events"]
    newest = events[0]
    assert (newest["action"], newest["actor"]) == ("rollback", "robot")
    assert "accuracy-alert" in newest["reason"]
    assert newest["signature"] == "good"
    shown = night.ada.do("show", "fraud#production")
    assert shown["version"] == "2.0.0"
    assert [(each["type"], each["result"]) for each in shown["attestations"]] == [
        ("postrollback", "passed")
    ]
    [hold] = night.ada.do("hold", "list", "fraud")["holds"]
    assert (hold["version"], hold["by"]) == ("2.1.0", "robot")
    assert night.ada.verify("--history", "--full") == (0, [])
