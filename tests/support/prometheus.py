"""The real Prometheus and Alertmanager on loopback, and a metric that a test sets.

Both choose their ports, keep their data in a directory of the test, and are killed at
the end. Times are short: a value that is set is scraped within a tenth of a second.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
PATIENCE = 60.0  # seconds, of which a quiet machine needs two
_ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
#: Whether the two are there; ``make system`` brings them.
INSTALLED = bool(
    shutil.which("prometheus") and shutil.which("amtool") and _ALERTMANAGER
)
_LISTENING = re.compile(r'msg="Listening on" address=(\S+)')

_PROMETHEUS = """\
global: {{scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}}
scrape_configs:
  - job_name: model
    static_configs: [{{targets: {targets}}}]
rule_files: {rules}
alerting:
  alertmanagers:
    - static_configs: [{{targets: {alertmanagers}}}]
"""
_ROUTES = """\
route:
  receiver: gitmodel
  group_by: ["..."]
  group_wait: 0s
  group_interval: 100ms
  repeat_interval: 500ms
receivers:
  - name: gitmodel
    webhook_configs:
      - {webhook}
"""


def until(look: Callable[[], T | None], what: str) -> T:
    """Return what ``look`` finds, as soon as it finds something true."""
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE:g} s"
        pause.wait(0.02)
    return found


@dataclass
class Gauge:
    """The metric ``model_accuracy{model="fraud",stage="production"}``.

    Attributes:
        value: What it is; None while nobody measures it.
    """

    target: str
    value: float | None = None

    def set(self, value: float | None) -> None:
        """Change it, from the next scrape on."""
        self.value = value

    @property
    def text(self) -> str:
        labels = 'model="fraud",stage="production"'
        line = f"model_accuracy{{{labels}}} {self.value}\n"
        return "" if self.value is None else line


@contextmanager
def gauge(value: float | None = None) -> Iterator[Gauge]:
    """Serve a metric to Prometheus."""
    shown = Gauge("", value)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            with suppress(BrokenPipeError):  # it may be killed while it asks
                self.wfile.write(shown.text.encode())

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shown.target = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield shown
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Prometheus:
    """One that runs, and answers."""

    url: str

    def query(self, text: str) -> list[float]:
        """Return what an instant query gives."""
        address = f"{self.url}/api/v1/query?{urlencode({'query': text})}"
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
            result = json.load(answer)["data"]["result"]
        return [float(each["value"][1]) for each in result]

    def wait_for(self, query: str, *wanted: float) -> None:
        """Wait until a query gives exactly these numbers."""
        until(lambda: self.query(query) == list(wanted), f"{query} is {wanted}")


@contextmanager
def prometheus(
    directory: Path,
    *targets: str,
    rules: str | None = None,
    alertmanager: str | None = None,
) -> Iterator[Prometheus]:
    """Run Prometheus.

    Args:
        directory: For its configuration, data and log.
        targets: What it scrapes, such as ``Gauge.target``.
        rules: Alert rules, as YAML.
        alertmanager: The URL of the one that hears of alerts.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if rules is not None:
        (directory / "rules.yml").write_text(rules)
    config = _PROMETHEUS.format(
        targets=json.dumps(targets),
        rules=json.dumps([] if rules is None else ["rules.yml"]),
        alertmanagers=json.dumps(
            [] if alertmanager is None else [alertmanager.removeprefix("http://")]
        ),
    )
    (directory / "prometheus.yml").write_text(config)
    command = (
        "prometheus",
        f"--config.file={directory}/prometheus.yml",
        f"--storage.tsdb.path={directory}/data",
        "--web.listen-address=127.0.0.1:0",
        # It finds its Alertmanager after five seconds, and tells again what it told
        # nobody after a minute.
        "--rules.alert.resend-delay=500ms",
    )
    with _running(command, directory / "log") as url:
        yield Prometheus(url)


@contextmanager
def alertmanager(
    directory: Path, webhook: str, token: str | None = None
) -> Iterator[str]:
    """Run Alertmanager, which tells ``webhook`` of every alert; yield its URL.

    It says again what still fires after half a second.
    """
    directory.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"url": webhook, "send_resolved": True}
    if token is not None:
        told["http_config"] = {"authorization": {"credentials": token}}
    config = _ROUTES.format(webhook=json.dumps(told))
    (directory / "alertmanager.yml").write_text(config)
    command = (
        str(_ALERTMANAGER),
        f"--config.file={directory}/alertmanager.yml",
        f"--storage.path={directory}/data",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",  # alone
    )
    with _running(command, directory / "log") as url:
        yield url


@contextmanager
def _running(command: tuple[str, ...], log: Path) -> Iterator[str]:
    """Run a server until the context ends; yield its URL once it is ready."""
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        try:
            yield until(lambda: _ready(process, log), f"{command[0]} is ready")
        finally:
            process.kill()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str | None:
    said = log.read_text()
    assert process.poll() is None, said
    found = _LISTENING.search(said)
    if found is None:
        return None
    url = f"http://{found[1]}"
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5):  # noqa: S310
            return url
    except urllib.error.URLError:
        return None
