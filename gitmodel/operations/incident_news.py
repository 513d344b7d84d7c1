"""Tell those who must know that an incident was opened, or closed (R147, R151)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.operations.notify import notify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain import event
    from gitmodel.domain.incident import Kind, Severity
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.incident import IncidentResult
    from gitmodel.registry.handle import RegistryHandle

_TYPES: Mapping[Kind, event.EventType] = {
    "opened": "incident_opened",
    "reopened": "incident_opened",
    "closed": "incident_closed",
}
#: How urgent it is to hear of an incident that is open.
_URGENCY: Mapping[Severity, event.Severity] = {
    "low": "info",
    "medium": "warning",
    "high": "critical",
    "critical": "critical",
}


def report(handle: RegistryHandle, done: IncidentResult) -> tuple[Delivery, ...]:
    """Tell of an entry that opened or closed an incident; notes are not news.

    Nothing is raised: whoever could not be told is in the answer.
    """
    kind = _TYPES.get(done.entry)
    if done.commit is None or kind is None:
        return ()
    said = Event(
        type=kind,
        time=to_text(handle.context.clock.now()),
        reason=done.title,
        actor=done.by,
        incident=done.incident,
        commit=done.commit,
        details={"entry": done.entry, "number": done.number, "severity": done.severity},
        severity=_URGENCY[done.severity] if done.is_open else None,
    )
    return notify(handle, said)
