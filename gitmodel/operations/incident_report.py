"""What happened in an incident, and what is still to do: read off the log (R144, R179).

Transitions, quarantines and validations name the incident that they belong to. So an
incident has a timeline even if nobody ever opened it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.adapters.git.history import changes, commit_infos, first_parent_line
from gitmodel.domain.moment import to_text
from gitmodel.domain.names import incident_id
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.operations.incident_tasks import tasks_of
from gitmodel.operations.log import Event, LogFilter, log
from gitmodel.registry import layout
from gitmodel.registry.incident_links import transitions_of
from gitmodel.registry.incidents import hints_instead, incident_ids, read_incident
from gitmodel.registry.records import read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.adapters.git.history import CommitInfo
    from gitmodel.operations.incident_tasks import Task
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.incidents import Incident
    from gitmodel.registry.seals import Seal
    from gitmodel.registry.view import View

#: ``named``: something belongs to it, but nobody opened it.
State = Literal["open", "closed", "named", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """One incident in a list.

    Attributes:
        incident: What its entries say; None if they cannot be relied on.
        problem: Why they cannot; "" if they can.
    """

    id: str
    state: State
    incident: Incident | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """One incident, from its first event to what is still to do.

    Attributes:
        incident: What its entries say; None if nobody opened it.
        events: Oldest first.
        tasks: Done, or to be done.
    """

    id: str
    state: State
    incident: Incident | None
    events: tuple[Event, ...]
    tasks: tuple[Task, ...]


def list_incidents(view: View, *, only_open: bool = False) -> tuple[IncidentRow, ...]:
    """Return the incidents that were opened, the newest last.

    One that cannot be relied on is among them, with the reason, whatever was asked for.
    """
    rows = [_row(view, name) for name in incident_ids(view)]
    rows.sort(key=lambda row: row.incident.opening.created_at if row.incident else "")
    return tuple(row for row in rows if row.state != "closed" or not only_open)


def _row(view: View, name: str) -> IncidentRow:
    try:
        found = read_incident(view, name)
    except GitmodelError as error:
        return IncidentRow(
            id=name, state="broken", incident=None, problem=error.message
        )
    if found is None:
        message = "it has no entry."
        return IncidentRow(id=name, state="broken", incident=None, problem=message)
    return IncidentRow(id=name, state=_state(found), incident=found)


def show_incident(handle: RegistryHandle, incident: str) -> IncidentReport:
    """Return what happened in an incident, and what is still to do.

    Raises:
        NotFoundError: Nobody opened it, and nothing names it.
        IntegrityError: One of its entries does not count.
    """
    incident_id(incident)
    view = handle.view()
    found = read_incident(view, incident)
    events = timeline(handle, view, incident)
    if found is None and not events:
        raise NotFoundError(
            f"There is no incident {incident} here, and nothing names it.",
            *hints_instead(view, incident),
        )
    return IncidentReport(
        id=incident,
        state=_state(found) if found else "named",
        incident=found,
        events=events,
        tasks=tasks_of(view, incident, found),
    )


def timeline(handle: RegistryHandle, view: View, incident: str) -> tuple[Event, ...]:
    """Return all that belongs to an incident, oldest first.

    With who approved its moves, or refused to, once they had landed.
    """
    events = log(handle, LogFilter(incident=incident))
    late = list(_late_voices(handle, view, incident))
    # What one commit brings stays together, in the order of its paths.
    line = first_parent_line(handle.repository, str(view.commit))
    place = {commit: number for number, (commit, _) in enumerate(line)}
    return tuple(sorted([*events, *late], key=lambda each: -place[each.commit]))


def event_to_json(event: Event) -> dict[str, Any]:
    """Return an event of a timeline as JSON."""
    return {
        "time": event.time,
        "action": event.action,
        "model": event.model,
        "stage": event.stage,
        "from": event.origin,
        "to": event.target,
        "actor": event.actor,
        "approvers": list(event.approvers),
        "reason": event.reason,
        "incident": event.incident,
        "commit": event.commit,
        "signature": event.signature,
    }


def _state(found: Incident) -> State:
    return "open" if found.is_open else "closed"


def _late_voices(handle: RegistryHandle, view: View, incident: str) -> Iterator[Event]:
    """Yield the signatures of an incident's moves that came after these had landed."""
    moves = {
        layout.transition_path(one.stage, one.model, one.seq): one
        for one, _ in transitions_of(view, incident)
    }
    if not moves:
        return
    paths = sorted({layout.log_dir(one.stage, one.model) for one in moves.values()})
    line = first_parent_line(handle.repository, str(view.commit), paths=paths)
    parents = [commit for commit, _ in line]
    infos = {info.oid: info for info in commit_infos(handle.reader, parents)}
    for commit, added in changes(handle.repository, line, paths=paths):
        new = {change.path for change in added if change.status == "A"}
        for path in sorted(new):
            document = layout.classify(path).document
            if document in moves and document not in new:
                yield from _voice(view, document, path, infos[commit], incident)


def _voice(
    view: View, document: str, signature: str, info: CommitInfo, incident: str
) -> Iterator[Event]:
    record = read_record(view, document, "transition")
    keyid = layout.classify(signature).keyid
    seals = record.seals if record is not None else ()
    seal: Seal | None = next((s for s in seals if s.keyid[:8] == keyid), None)
    place = layout.classify(document)
    yield Event(
        time=to_text(info.committed_at),
        action=seal.decision if seal else "approve",
        model=place.model,
        stage=place.stage,
        origin=None,
        target=None,
        actor=seal.principal if seal else info.author,
        approvers=(),
        reason=(seal.comment if seal else "") or f"transition {place.seq}",
        incident=incident,
        commit=info.oid,
        signature="good" if seal else "bad",
    )
