"""Going back, and keeping what was bad out of use.

>>> import gitmodel
>>> registry = gitmodel.open_registry(".")
>>> registry.rollback("fraud", "staging", reason="", plan=True).target
'1.0.0'
>>> done = registry.emergency([("fraud", "staging")], incident="INC-42",
...                           reason="recall fell to 0.61")
>>> done.status, done.quarantined
('rolled_back', ('fraud@1.1.0',))
>>> [held.by.reason for held in registry.list_quarantine()]
['recall fell to 0.61']
>>> registry.quarantine("fraud@1.1.0", reason="false alarm", lift=True).status
'lifted'
>>> [f"{hold.model}@{hold.version}" for hold in registry.holds()]
['fraud@1.1.0']
>>> released = registry.release_hold("fraud@1.1.0", "staging", reason="false alarm")
>>> registry.promote("fraud@1.1.0", "staging").status
'promoted'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.api.opened import Opened
from gitmodel.domain.selector import Selector
from gitmodel.operations import (
    emergency,
    post_rollback,
    quarantine,
    quarantine_lift,
    quarantine_list,
    rollback,
    rollback_plan,
)
from gitmodel.operations import (
    holds as holding,
)
from gitmodel.operations.quarantine_scope import Suspects
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitmodel.operations.emergency_plan import EmergencyResult
    from gitmodel.operations.rollback import RollbacksResult


class Recovery(Opened):
    """Takes stages back, and keeps what was live there out of use."""

    def rollback(
        self,
        model: str,
        stage: str,
        *,
        reason: str,
        to: str | None = None,
        incident: str | None = None,
        plan: bool = False,
        push: bool = False,
    ) -> rollback_plan.RollbackResult:
        """Take a stage back; see ``gitmodel rollback``.

        Nobody is told, and no checks are carried out: :meth:`validate` does that.
        """
        return rollback.rollback(
            self._handle,
            model,
            stage,
            to=to,
            reason=reason,
            incident=incident,
            mode=Mode(dry_run=plan, push=push),
        )

    def rollback_all(
        self,
        places: Sequence[tuple[str, str]],
        *,
        reason: str,
        incident: str | None = None,
        plan: bool = False,
        push: bool = False,
    ) -> RollbacksResult:
        """Take pairs of model and stage back, all in one commit or none."""
        return rollback.rollback_all(
            self._handle,
            places,
            reason=reason,
            incident=incident,
            mode=Mode(dry_run=plan, push=push),
        )

    def emergency(
        self,
        places: Sequence[tuple[str, str]],
        *,
        incident: str,
        reason: str,
        to: str | None = None,
        plan: bool = False,
        push: bool = False,
    ) -> EmergencyResult:
        """Take stages back now; see ``gitmodel rollback --emergency``.

        What could not be done is in the result, and raises nothing. Nobody is told.

        Args:
            places: Pairs of model and stage.
            incident: Its id; it is opened if it is not.
            reason: Why, for the record.
            to: Where one pin goes back to; None for the last known good.
            plan: Only say what would happen.
            push: Also push, which may fail without undoing anything here.

        Raises:
            RefusedError: The signer is no responder.
            NotFoundError: There is no such model or stage.
        """
        return emergency.emergency(
            self._handle,
            places,
            incident=incident,
            reason=reason,
            to=to,
            mode=Mode(dry_run=plan, push=push),
        )

    def validate(
        self, model: str, stage: str, *, dry_run: bool = False, push: bool = False
    ) -> post_rollback.PostRollbackResult:
        """See whether a rollback has helped; see ``gitmodel validate``."""
        return post_rollback.validate_rollback(
            self._handle, model, stage, mode=Mode(dry_run=dry_run, push=push)
        )

    def holds(self, model: str | None = None) -> tuple[holding.Hold, ...]:
        """Return what rollbacks keep from coming back."""
        return holding.list_holds(self._handle.view(), model)

    def release_hold(
        self, selector: str, stage: str, *, reason: str, push: bool = False
    ) -> holding.ReleaseResult:
        """Let a version that was rolled back be promoted to that stage again."""
        return holding.release_hold(
            self._handle,
            Selector.parse(selector),
            stage,
            reason=reason,
            mode=Mode(push=push),
        )

    def quarantine(
        self,
        *selectors: str,
        reason: str,
        data: Sequence[str] = (),
        digests: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        incident: str | None = None,
        lift: bool = False,
        dry_run: bool = False,
        push: bool = False,
    ) -> quarantine.QuarantineResult:
        """Stop the use of something, or lift that; see ``gitmodel quarantine``."""
        act = quarantine_lift.lift if lift else quarantine.quarantine
        return act(
            self._handle,
            Suspects(
                selectors=tuple(map(Selector.parse, selectors)),
                data=tuple(data),
                digests=tuple(digests),
                since=since,
                until=until,
            ),
            reason=reason,
            incident=incident,
            mode=Mode(dry_run=dry_run, push=push),
        )

    def list_quarantine(self) -> tuple[quarantine_list.Held, ...]:
        """Return what is in quarantine."""
        return quarantine_list.list_quarantine(self._handle.view())
