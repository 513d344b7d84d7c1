"""Rollback triggers: what is watched while a version is live, and what comes of it.

``triggers/<model>.yaml`` as a value (R162 to R172). Anybody who can push may write one,
so it is a wish: what it may lead to is bounded here, by the policy, and by what the
machine that watches allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from gitmodel.domain.conditions import Judge
    from gitmodel.domain.gates import Freeze
    from gitmodel.domain.sources import Source

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
#: What is done; each does more than the one before.
Action: TypeAlias = Literal["alert", "propose", "rollback", "emergency"]
OnNoData: TypeAlias = Literal["ignore", "alert", "fail"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the mildest first
ACTIONS: tuple[Action, ...] = get_args(Action)
DEFAULT_ACTIONS: Mapping[Severity, Action] = {
    "low": "alert",
    "medium": "alert",
    "high": "propose",
    "critical": "rollback",
}


@dataclass(frozen=True, slots=True)
class Samples:
    """How much must have been seen for a result to count.

    Attributes:
        query: PromQL for their number; None if it is in the answer itself.
        json_path: Where in the answer; None if it is asked for.
    """

    query: str | None
    json_path: str | None
    minimum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedMetric:
    """One thing to watch.

    Attributes:
        failure_limit: How many failures in a row it takes.
        success_limit: How many successes in a row end a row of failures.
        error_limit: After how many errors in a row, or measurements without data,
            people are told.
        inconclusive_limit: The same for what decides nothing.
    """

    name: str
    stage: str
    severity: Severity
    source: Source
    judge: Judge
    initial_delay: timedelta
    interval: timedelta
    failure_limit: int
    success_limit: int
    error_limit: int
    inconclusive_limit: int
    samples: Samples | None
    on_no_data: OnNoData
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """Limits on what happens without a person (R171).

    Attributes:
        cooldown: Time after a rollback or a proposal in which there is no other.
        max_rollbacks: How many there may be in ``window``.
        hysteresis: By how much a bound must be met for a failure to be over.
        freeze: Times in which nothing but alerts comes of a failure.
    """

    cooldown: timedelta
    max_rollbacks: int
    window: timedelta
    hysteresis: float
    dry_run: bool
    freeze: tuple[Freeze, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackTrigger:
    """All that is watched of one model."""

    model: str
    metrics: tuple[WatchedMetric, ...]
    actions: Mapping[Severity, Action]
    safety: Safety

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that it watches, each once."""
        return tuple(dict.fromkeys(metric.stage for metric in self.metrics))

    def of_stage(self, stage: str) -> tuple[WatchedMetric, ...]:
        """Return the metrics that watch a stage."""
        return tuple(metric for metric in self.metrics if metric.stage == stage)

    def action_of(self, metric: WatchedMetric) -> Action:
        """Return what is done when a metric fails."""
        return self.actions[metric.severity]
