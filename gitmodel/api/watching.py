"""Watching, rehearsing, and what is made ready for the night.

    >>> import gitmodel
    >>> registry = gitmodel.open_registry(".")
    >>> drill = registry.drill("fraud", "staging")
    >>> drill.version, drill.target
    ('1.1.0', '1.0.0')
    >>> registry.runbook("fraud").splitlines()[0]
    '# Runbook: fraud'
    >>> registry.watch_once(dry_run=True).stages
    ()

What is watched stands in ``triggers/fraud.yaml``; :meth:`Watching.triggers` reads it,
and :meth:`Watching.rehearse` plays recorded measurements to it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.api.opened import Opened
from gitmodel.formats.series import read_series
from gitmodel.operations import (
    drill,
    drill_record,
    runbook,
    watch,
    watch_round,
)
from gitmodel.operations import (
    triggers as triggering,
)
from gitmodel.operations.drill_result import DrillResult, Wishes
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from gitmodel.api.opened import PathLike
    from gitmodel.domain.trigger import RollbackTrigger
    from gitmodel.operations.delivery import Delivery


class Watching(Opened):
    """Watches what is live, and rehearses what would come of it."""

    def watch_once(
        self, *, dry_run: bool = False, fetch: bool = False, push: bool = False
    ) -> watch_round.RoundResult:
        """Look once at what is live, and act; see ``gitmodel watch --once``."""
        options = watch_round.Options(fetch=fetch, push=push, dry_run=dry_run)
        return watch.Watcher(options).once(self._handle, threading.Event())

    def triggers(self, model: str | None = None) -> tuple[RollbackTrigger, ...]:
        """Return what is watched, as ``gitmodel triggers explain`` shows it."""
        return triggering.explain(self._handle.view(), model)

    def rehearse(
        self, model: str, series: PathLike, *, metric: str | None = None
    ) -> triggering.Rehearsal:
        """Play recorded measurements to a metric; see ``gitmodel triggers test``."""
        path = Path(series)
        samples = read_series(path.read_bytes(), path.name)
        return triggering.rehearse(self._handle, model, samples, metric=metric)

    def drill(
        self,
        model: str,
        stage: str,
        *,
        full: bool = False,
        max_seconds: float | None = None,
        record: bool = False,
        dry_run: bool = False,
        push: bool = False,
    ) -> DrillResult:
        """Rehearse an emergency; see ``gitmodel drill``.

        Raises:
            NotFoundError, IntegrityError, OutsideError: As the command. What stood in
                the way is in the result.
        """
        wishes = Wishes(full=full, max_seconds=max_seconds)
        done = drill.drill(self._handle, model, stage, wishes)
        if not record:
            return done
        mode = Mode(dry_run=dry_run, push=push)
        return drill_record.record_drill(self._handle, done, mode)

    def runbook(self, model: str) -> str:
        """Return what to do at night about a model, as Markdown."""
        return runbook.runbook(self._handle.view(), model)

    def try_notifications(self, name: str | None = None) -> tuple[Delivery, ...]:
        """Send a test event to all who hear of events, or to one of them."""
        from gitmodel.operations.notify import try_out  # noqa: PLC0415 (rarely used)

        return try_out(self._handle, name)
