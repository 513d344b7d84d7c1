"""Which moves of a stage no person decided, as the registry's log tells it (R171).

By what their reasons begin with: so that every clone, and one that forgot everything,
counts the same. Who writes such a reason by hand leaves automation less to do, not
more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.domain.transition import Transition

TRIGGERED = "Trigger "
FURTHER_BACK = " failed its validation after the rollback: "


def is_automated(transition: Transition) -> bool:
    """Say whether automation rolled back: a trigger, or a validation that failed."""
    reason = transition.reason
    return transition.action == "rollback" and (
        reason.startswith(TRIGGERED) or FURTHER_BACK in reason
    )
