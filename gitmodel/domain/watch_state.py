"""What watching remembers of a stage and of each metric, as values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.trigger import Action

#: How much is remembered of what automation did.
MOST = 1000

#: ``unknown``: nothing valid was measured lately. ``firing``: it failed often enough,
#: and what it asks for may not be done now. ``acted``: done, until it recovers or
#: something else is live. ``cooldown``: recovered, and not armed again yet.
Phase: TypeAlias = Literal[
    "warmup", "unknown", "healthy", "suspect", "firing", "acted", "cooldown"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricState:
    """One metric, for what is live.

    Attributes:
        of: Stands for the metric as it was defined.
        failures: In a row.
        gaps: Failures in the same row that were no data (``onNoData: fail``).
        successes: In a row.
        errors: In a row.
        missing: Measurements without data in a row.
        undecided: Measurements that decided nothing in a row.
        measured_at: When the last one that counted was taken.
        acted: What was done last; None while it is armed.
        acted_at: When.
        told: What people have heard already, so that they hear it once.
    """

    of: str = ""
    phase: Phase = "warmup"
    failures: int = 0
    gaps: int = 0
    successes: int = 0
    errors: int = 0
    missing: int = 0
    undecided: int = 0
    measured_at: datetime | None = None
    acted: Action | None = None
    acted_at: datetime | None = None
    told: frozenset[str] = frozenset()

    def anew(self) -> MetricState:
        """Return it with nothing counted; what was done stays done."""
        phase = self.phase if self.phase in {"acted", "cooldown"} else "unknown"
        return MetricState(
            of=self.of,
            phase=phase,
            measured_at=self.measured_at,
            acted=self.acted,
            acted_at=self.acted_at,
            told=self.told,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What automation has done to a stage.

    Attributes:
        rollbacks: When it rolled back, oldest first.
        proposed_at: When it last proposed to.
        frozen: It may not, until a person has moved the stage.
        condemned: Manifests that it rolled back from.
    """

    rollbacks: tuple[datetime, ...] = ()
    proposed_at: datetime | None = None
    frozen: bool = False
    condemned: tuple[Digest, ...] = ()

    def with_rollback(self, at: datetime, manifest: Digest) -> Ledger:
        """Return it after a rollback."""
        kept = [one for one in self.condemned if one != manifest]
        return replace(
            self,
            rollbacks=(*self.rollbacks, at)[-MOST:],
            condemned=(*kept, manifest)[-MOST:],
        )

    def released(self, manifest: Digest) -> Ledger:
        """Return it after a person has put ``manifest`` there."""
        kept = tuple(one for one in self.condemned if one != manifest)
        return replace(self, frozen=False, condemned=kept)

    def without(self, at: datetime, manifest: Digest) -> Ledger:
        """Return it without what was decided then, and did not come about."""
        rolled_back = at in self.rollbacks
        return replace(
            self,
            rollbacks=tuple(one for one in self.rollbacks if one != at),
            proposed_at=None if self.proposed_at == at else self.proposed_at,
            condemned=tuple(
                one for one in self.condemned if not rolled_back or one != manifest
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """One model in one stage.

    Attributes:
        manifest: What is live; None for nothing.
        since: Since when, by whoever put it there.
        began: Since when, by this machine's clock.
        stepped: When this was last looked at.
        metrics: By name.
        real: What was done.
        rehearsal: What would have been done, in dry runs.
    """

    manifest: Digest | None
    since: datetime | None
    began: datetime
    stepped: datetime
    metrics: Mapping[str, MetricState] = field(default_factory=dict)
    real: Ledger = field(default_factory=Ledger)
    rehearsal: Ledger = field(default_factory=Ledger)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether anything was ever live here, as far as this remembers."""
        blank = Ledger()
        return self.manifest is not None or (self.real, self.rehearsal) != (
            blank,
            blank,
        )

    def moved(self, by: timedelta) -> StageState:
        """Return it with every time moved, as when the clock was set."""
        return StageState(
            manifest=self.manifest,
            since=self.since,
            began=_moved(self.began, by),
            stepped=_moved(self.stepped, by),
            metrics={
                name: replace(
                    metric.anew(),
                    measured_at=_moved_or_none(metric.measured_at, by),
                    acted_at=_moved_or_none(metric.acted_at, by),
                )
                for name, metric in self.metrics.items()
            },
            real=_moved_ledger(self.real, by),
            rehearsal=_moved_ledger(self.rehearsal, by),
        )


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at


def _moved_or_none(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else _moved(at, by)


def _moved_ledger(ledger: Ledger, by: timedelta) -> Ledger:
    return replace(
        ledger,
        rollbacks=tuple(_moved(at, by) for at in ledger.rollbacks),
        proposed_at=_moved_or_none(ledger.proposed_at, by),
    )
