"""The watcher as a process: rounds, signals, signs of life, alerts that come in."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.operations.doctor import doctor
from gitmodel.registry.handle import Context
from gitmodel.registry.keys import KeyChoice
from tests.support import prometheus
from tests.support.prometheus import PATIENCE, until
from tests.support.watched import TestClock, Watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

TOKEN = "0123456789" * 4


@pytest.fixture
def fraud(stocked: Workbench) -> Watched:
    """Return a registry whose staging holds fraud@1.1.0, and 1.0.0 before."""
    found = Watched(stocked)
    found.report("accuracy", 0.95)
    return found


@dataclass
class Running:
    """A watcher that runs; ``lines`` are what it has printed."""

    process: subprocess.Popen[str]
    lines: SimpleQueue[str] = field(default_factory=SimpleQueue)
    said: list[str] = field(default_factory=list)

    def wait_for(self, what: str) -> str:
        """Wait for a line that has some words in it; return it."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            self.said.append(line)
            assert line, f"it ended: {self.said}"
            if what in line:
                return line

    def end(self, number: int) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(bench: Workbench, *args: str | Path) -> Iterator[Running]:
    """Run a watcher until the context ends."""
    command = [sys.executable, "-m", "gitmodel", "-C", bench.path, "watch", *args]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        found = Running(process)

        def listen() -> None:
            assert process.stdout
            for line in process.stdout:
                found.lines.put(line)
            found.lines.put("")

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield found
        finally:
            process.kill()
            thread.join()


def watcher_check(bench: Workbench, later: timedelta) -> Any:
    context = Context(
        clock=TestClock(datetime.now(UTC) + later), keys=KeyChoice(ask=lambda _: None)
    )
    checks = doctor(bench.path, context, offline=True)
    return next((check for check in checks if check.name == "watcher"), None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_goes_on_until_a_signal_comes(fraud: Watched, number: int) -> None:
    fraud.watch(fraud.metric(interval="1s"))
    with running(fraud.bench, "--interval", "1s", "--json") as watcher:
        until((fraud.place / "state.json").exists, "the first round")
        fraud.report("accuracy", 0.5)
        event = json.loads(watcher.wait_for('"event"'))
        assert event["event"]["kind"] == "rollback"
        action = json.loads(watcher.wait_for('"action"'))
        assert action["action"]["status"] == "done"
        assert watcher.end(number) == 0
    assert fraud.bench.live("fraud", "staging") == "1.0.0"
    assert fraud.bench.verify() == (0, [])
    assert not (fraud.place / "heartbeat.json").exists()
    assert watcher_check(fraud.bench, timedelta()) is None
    assert fraud.once().code == 0  # nothing is left locked


def test_doctor_misses_a_watcher_that_was_killed(fraud: Watched) -> None:
    fraud.watch()
    with running(fraud.bench, "--interval", "1s") as watcher:
        until((fraud.place / "heartbeat.json").exists, "a sign of life")
        watcher.process.kill()
        watcher.process.wait(PATIENCE)
    assert watcher_check(fraud.bench, timedelta()).ok
    late = watcher_check(fraud.bench, timedelta(minutes=10))
    assert not late.ok
    assert "gitmodel watch" in late.hint
    assert fraud.once().code == 0


def test_a_source_that_hangs_does_not_keep_it_from_its_end(fraud: Watched) -> None:
    with _hanging() as (url, asked):
        hangs = {"web": {"url": url, "timeout": "5m"}}
        fraud.watch(fraud.metric("hangs", provider=hangs))
        fraud.bench.git("config", "--add", "gitmodel.allow", url)
        with running(fraud.bench) as watcher:
            assert asked.wait(PATIENCE)
            assert watcher.end(signal.SIGTERM) == 0


@contextmanager
def _hanging() -> Iterator[tuple[str, threading.Event]]:
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked.set()
                connection.recv(1 << 16)
                ended.wait(PATIENCE)

        ended = threading.Event()
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            ended.set()
            server.close()
            thread.join()


def notification(starts_at: datetime, status: str = "firing") -> bytes:
    alert = {
        "status": status,
        "labels": {"alertname": "FraudErrors", "gitmodel_model": "fraud"},
        "annotations": {},
        "startsAt": starts_at.isoformat(),
        "fingerprint": "abc",
    }
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


def post(url: str, data: bytes, token: str = "") -> int:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_an_alert_begins_a_round_at_once(fraud: Watched) -> None:
    provider = {"alertmanager": {"alertname": "FraudErrors"}}
    fraud.watch(fraud.metric("errors", flag=True, provider=provider, interval="1s"))
    token = fraud.bench.file("token", f"{TOKEN}\n".encode())
    token.chmod(0o600)
    listen = ("--listen", "127.0.0.1:0", "--token-file", token, "--interval", "1h")
    with running(fraud.bench, *listen) as watcher:
        [url] = re.findall(r"http://\S+", watcher.wait_for("Alertmanager may come"))
        until((fraud.place / "heartbeat.json").exists, "the first round")
        assert post(url, notification(datetime.now(UTC)), "wrong") == 401
        with urllib.request.urlopen(  # noqa: S310
            url.replace("/alerts", "/healthz"), timeout=PATIENCE
        ) as answer:
            assert answer.status == 200
        assert post(url, notification(datetime.now(UTC)), TOKEN) == 200
        watcher.wait_for("rollback of fraud#staging: done: 1.1.0 -> 1.0.0")
        assert watcher.end(signal.SIGTERM) == 0


def test_a_token_that_others_can_read_is_refused(fraud: Watched) -> None:
    token = fraud.bench.file("token", TOKEN.encode())
    token.chmod(0o644)
    answer = fraud.once("--listen", "127.0.0.1:0", "--token-file", str(token))
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_LISTEN")
    answer = fraud.once("--listen", "0.0.0.0:0")
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_LISTEN")
    assert fraud.once("--token-file", str(token)).code == 2


@pytest.mark.skipif(not prometheus.INSTALLED, reason="there is no Prometheus")
def test_from_a_metric_that_drops_to_a_rollback_with_the_real_prometheus(
    fraud: Watched, tmp_path: Path
) -> None:
    with (
        prometheus.gauge(0.97) as gauge,
        prometheus.prometheus(tmp_path / "prometheus", gauge.target) as server,
    ):
        server.wait_for("model_accuracy", 0.97)
        query = 'model_accuracy{model="fraud"}'
        provider = {"prometheus": {"address": server.url, "query": query}}
        fraud.watch(fraud.metric(provider=provider, interval="1s", failureLimit=2))
        fraud.bench.git("config", "--add", "gitmodel.allow", server.url)
        with running(fraud.bench, "--interval", "1s") as watcher:
            until((fraud.place / "state.json").exists, "the first round")
            gauge.set(0.5)
            watcher.wait_for("rollback of fraud#staging: done: 1.1.0 -> 1.0.0")
            assert watcher.end(signal.SIGTERM) == 0
    assert fraud.bench.verify("--history") == (0, [])
