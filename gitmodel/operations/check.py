"""Would this be allowed? Asks the gates without changing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.selector import Selector
from gitmodel.operations.gates import (
    Decision,
    Refusal,
    approvals_needed,
    decide_completeness,
    decide_promotion,
    overdue_reviews,
)
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One version that was checked, against one stage or for completeness alone."""

    model: str
    version: str
    stage: str | None
    refusals: tuple[Refusal, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.refusals


def check(
    view: View, selector: Selector | None, stage: str | None, *, now: datetime
) -> tuple[Checked, ...]:
    """Check one version, or the latest of every model.

    Args:
        view: The registry.
        selector: Which version; None for the highest version of each model.
        stage: The stage to promote to; None checks completeness alone.
        now: The time by which freezes and soak times are judged.

    Raises:
        NotFoundError: There is no such version or stage.
    """
    if stage is not None:
        view.settings.require_stage(stage)
    selectors = [selector] if selector is not None else _latest(view)
    return tuple(_check_one(view, one, stage, now) for one in selectors)


def _latest(view: View) -> list[Selector]:
    return [
        Selector(model=model, kind="version", version=versions[-1])
        for model in view.models()
        if (versions := view.versions(model))
    ]


def _check_one(
    view: View, selector: Selector, stage: str | None, now: datetime
) -> Checked:
    found = resolve(view, selector)
    if stage is None:
        decision = decide_completeness(view, found)
        late = overdue_reviews(view, found.version.model, view.settings.stages, now)
        decision = Decision((*decision.refusals, *late))
    else:
        require_sound_history(view, stage, found.version.model)
        decision = decide_promotion(view, found, stage, now=now)
        needed = approvals_needed(view, stage, found.version.model)
        decision = Decision((*decision.refusals, *needed))
    return Checked(
        model=found.version.model,
        version=str(found.version.version),
        stage=stage,
        refusals=decision.refusals,
    )
