"""Tell those who must know that something went into quarantine, or came out (R151)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.operations.notify import notify
from gitmodel.operations.quarantine_drafting import in_words

if TYPE_CHECKING:
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.quarantine import QuarantineResult
    from gitmodel.registry.handle import RegistryHandle

_MOST = 100


def report(handle: RegistryHandle, done: QuarantineResult) -> tuple[Delivery, ...]:
    """Tell of what a command has done; of a lift, only once it takes effect.

    Nothing is raised: whoever could not be told is in the answer.
    """
    if done.commit is None or done.status not in {"quarantined", "lifted"}:
        return ()
    only = done.version
    reached = [f"{one.model}@{one.version}" for one in done.reached[:_MOST]]
    live = {
        f"{stage}/{one.model}": one.version
        for one in done.reached[:_MOST]
        for stage in one.stages
    }
    event = Event(
        type="quarantined" if done.status == "quarantined" else "quarantine_lifted",
        time=to_text(handle.context.clock.now()),
        reason=f"{in_words(done.subjects)}: {done.reason}",
        actor=handle.principal(handle.view()),
        model=only.model if only else None,
        target=only.version if only else None,
        incident=done.incident,
        commit=done.commit,
        details={"number": done.number, "reached": reached, "live": live},
    )
    return notify(handle, event)
