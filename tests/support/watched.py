"""A registry with triggers, and the reports that they read."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gitmodel.formats import yaml_writer
from gitmodel.operations.watch import Watcher
from gitmodel.operations.watch_round import Options, RoundResult
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from gitmodel.adapters.metrics.alertmanager import Inbox
    from tests.support.cli import Answer
    from tests.support.workbench import Workbench


@dataclass
class TestClock:
    """A clock that goes on when it is told to."""

    __test__ = False
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.moment


@dataclass
class Watched:
    """A registry, and what its watcher sees."""

    bench: Workbench
    clock: TestClock = field(default_factory=TestClock)
    inbox: Inbox | None = None

    def report(self, name: str, value: Any) -> None:
        """Let a report say something; its file is allowed from then on."""
        file = self.bench.file(f"reports/{name}.json", json.dumps(value).encode())
        allowed = self.bench.git("config", "--get-all", "gitmodel.allow", ok=False)
        if str(file) not in allowed.splitlines():
            self.bench.git("config", "--add", "gitmodel.allow", str(file))

    def metric(self, name: str = "accuracy", **fields: Any) -> dict[str, Any]:
        """Return a metric that reads a report, and is bad below 0.9 at once."""
        found = {
            "name": name,
            "severity": "critical",
            "failureLimit": 1,
            "thresholdRange": {"min": 0.9},
            "provider": {
                "file": {"path": str(self.bench.outside / f"reports/{name}.json")}
            },
            **fields,
        }
        if {"failureCondition", "drop", "flag"} & fields.keys():
            del found["thresholdRange"]
        return found

    def watch(
        self, *metrics: dict[str, Any], model: str = "fraud", **spec: Any
    ) -> Watched:
        """Commit triggers."""
        document = {
            "apiVersion": "gitmodel.dev/v1",
            "kind": "RollbackTrigger",
            "spec": {
                "model": model,
                "stage": "staging",
                "metrics": list(metrics) or [self.metric()],
                **spec,
            },
        }
        data = yaml_writer.dump(document)
        self.bench.commit_file(f"triggers/{model}.yaml", data, "watch")
        return self

    def once(self, *args: str) -> Answer:
        """Go one round from the command line."""
        return self.bench.run("--json", "watch", "--once", *args)

    def round(
        self,
        stop: threading.Event,
        wait: timedelta = timedelta(minutes=1),
        **options: Any,
    ) -> RoundResult:
        """Go one round in this process, after some time on the watcher's clock."""
        self.clock.moment += wait
        with self.opened() as handle:
            return Watcher(Options(**options), self.inbox).once(handle, stop)

    @contextmanager
    def opened(self) -> Iterator[RegistryHandle]:
        """Open the registry by the watcher's clock."""
        context = Context(clock=self.clock, keys=KeyChoice(ask=lambda _: None))
        handle = RegistryHandle.open(self.bench.path, context)
        try:
            yield handle
        finally:
            handle.close()

    @property
    def place(self) -> Path:
        """Where the watcher keeps what is its own."""
        return self.bench.path / ".git/gitmodel/watch"

    @property
    def told(self) -> list[str]:
        """The types of events that the clone keeps a record of, oldest first."""
        path = self.bench.path / ".git/gitmodel/events.jsonl"
        if not path.exists():
            return []
        lines = path.read_text().splitlines()
        return [json.loads(line)["data"]["event"] for line in lines]
