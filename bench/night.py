"""From a metric that falls to the commit on the remote, with real servers.

The watcher looks once a second and believes what it sees the first time: what is
measured is the way, not the patience that a trigger asks for on purpose.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench import place
from bench.timing import command
from tests.support.prometheus import (
    INSTALLED,
    alertmanager,
    gauge,
    prometheus,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.prometheus import Gauge

_RULES = """\
groups:
  - name: gitmodel
    rules:
      - alert: ModelAccuracyLow
        expr: model_accuracy < 0.9
        labels: {gitmodel_model: fraud, gitmodel_stage: production}
      - alert: GitmodelHeartbeat
        expr: vector(1)
"""
_TRIGGER = """\
apiVersion: gitmodel.dev/v1
kind: RollbackTrigger
spec:
  model: fraud
  stage: production
  metrics:
    - name: accuracy
      severity: critical
      interval: 1s
      failureLimit: 1
      PROVIDER
  safety: {cooldown: 1s, maxRollbacks: 100, window: 1h}
"""
_QUERY = """\
thresholdRange: {{min: 0.9}}
      provider:
        prometheus: {{address: "{url}", query: model_accuracy}}"""
_ALERT = """\
flag: true
      provider:
        alertmanager: {alertname: ModelAccuracyLow}"""


def run(rounds: int) -> None:
    """Measure both ways, each ``rounds`` times."""
    print("\n## From a metric that falls to the rollback on the remote\n")
    if not INSTALLED:
        print("Not measured: Prometheus and Alertmanager are not installed.")
        return
    print("| the watcher hears of it from | median | fastest | slowest |")
    print("|---|---|---|---|")
    for name, by_alert in (("Prometheus", False), ("Alertmanager", True)):
        with place.place(None) as root:
            times = _measure(root, rounds, by_alert=by_alert)
        middle = statistics.median(times)
        print(f"| {name} | {middle:.2f} s | {min(times):.2f} s | {max(times):.2f} s |")


def _measure(root: Path, rounds: int, *, by_alert: bool) -> list[float]:
    environment = place.environment(root)
    ada = [sys.executable, "-m", "gitmodel", "-q", "-C", str(root / "ada")]
    port = _free_port()
    with contextlib.ExitStack() as stack:
        metric = stack.enter_context(gauge(0.95))
        told = stack.enter_context(
            alertmanager(root / "am", f"http://127.0.0.1:{port}/alerts")
        )
        server = stack.enter_context(
            prometheus(root / "prom", metric.target, rules=_RULES, alertmanager=told)
        )
        provider = _ALERT if by_alert else _QUERY.format(url=server.url)
        _found(root, ada, environment, _TRIGGER.replace("PROVIDER", provider))
        server.wait_for("model_accuracy", 0.95)
        allow = ["git", "config", "gitmodel.allow", server.url]
        command(allow, root / "robot", environment)
        stack.enter_context(_watching(root / "robot", environment, port))
        return [
            _once(root, ada, environment, metric, number) for number in range(rounds)
        ]


def _found(
    root: Path, ada: list[str], environment: Mapping[str, str], trigger: str
) -> None:
    """Make a registry, its remote, and the clone of the watcher."""
    home = root / "ada"
    command([*ada[:4], "init", str(home), "--principal", "ada"], root, environment)
    command(["git", "init", "-q", "--bare", "-b", "main", "hub.git"], root, environment)
    command(["git", "remote", "add", "origin", str(root / "hub.git")], home, {})
    (home / "triggers").mkdir()
    (home / "triggers/fraud.yaml").write_text(trigger)
    _promoted(root, ada, environment, "1.0.0")
    command(["git", "add", "triggers"], home, environment)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    command(["git", *who, "commit", "-qm", "watch"], home, environment)
    command([*ada, "sync"], root, environment)
    command(["git", "clone", "-q", "hub.git", "robot"], root, environment)


def _promoted(
    root: Path, ada: list[str], environment: Mapping[str, str], version: str
) -> None:
    file = root / f"{version}.bin"
    file.write_text(version)
    register = ("register", "fraud", str(file), "--version", version, "--no-capture")
    command([*ada, *register], root, environment)
    for stage in ("dev", "staging", "production"):
        command([*ada, "promote", f"fraud@{version}", stage], root, environment)


def _once(
    root: Path,
    ada: list[str],
    environment: Mapping[str, str],
    metric: Gauge,
    number: int,
) -> float:
    """Return the seconds from the breach to the commit, once the watcher is at ease."""
    command([*ada, "sync"], root, environment)
    _promoted(root, ada, environment, f"1.{number + 1}.0")
    command([*ada, "sync"], root, environment)
    tip = _tip(root)
    state = root / "robot/.git/gitmodel/watch/state.json"
    until(lambda: _is_healthy(state, root), "the watcher has seen that all is well")
    time.sleep(random.random())  # noqa: S311 (a breach waits for no round to begin)
    began = time.perf_counter()
    metric.set(0.5)
    until(lambda: _tip(root) != tip, "the rollback is on the remote")
    seconds = time.perf_counter() - began
    metric.set(0.95)
    return seconds


def _is_healthy(state: Path, root: Path) -> bool:
    here = command(["git", "rev-parse", "HEAD"], root / "robot", {}).strip()
    if here != _tip(root) or not state.exists():
        return False
    stage = json.loads(state.read_text())["stages"].get("production/fraud")
    pin = (root / "robot/stages/production/fraud.yaml").read_text()
    return (
        stage is not None
        and stage["manifest"] in pin
        and stage["metrics"].get("accuracy", {}).get("phase") == "healthy"
    )


def _tip(root: Path) -> str:
    return (root / "hub.git/refs/heads/main").read_text()[:40]


@contextlib.contextmanager
def _watching(clone: Path, environment: Mapping[str, str], port: int) -> Iterator[None]:
    watch = (
        "watch", "--json", "--fetch", "--push", "--interval", "1s",
        "--listen", f"127.0.0.1:{port}",
    )  # fmt: skip
    with (clone.parent / "watch.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gitmodel", "-C", str(clone), *watch],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
