"""The audit trail: who registered, promoted and rolled back what, when and why.

Events come from the documents that commits added, not from what commit messages
say; who acted comes from their signatures (R055, R116, R229).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.adapters.git.history import changes, commit_infos, first_parent_line
from gitmodel.domain.moment import to_text
from gitmodel.domain.names import model_name
from gitmodel.errors import GitmodelError
from gitmodel.operations.log_words import KINDS, tell, versions_of
from gitmodel.registry import layout
from gitmodel.registry.forge_approvals import hear
from gitmodel.registry.incident_links import may_name
from gitmodel.registry.records import Record, read_record
from gitmodel.registry.stage_log import transition_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitmodel.adapters.git.history import CommitInfo
    from gitmodel.registry.handle import RegistryHandle

#: What belongs to an incident if it names it.
_NAMING = frozenset({"transition", "quarantine"})

Signature = Literal["good", "bad", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the audit trail.

    Attributes:
        time: Of the commit, RFC 3339 UTC.
        actor: The principal who signed; else the commit's author.
        signature: Whether someone entitled has signed the document.
    """

    time: str
    action: str
    model: str | None
    stage: str | None
    origin: str | None
    target: str | None
    actor: str
    approvers: tuple[str, ...]
    reason: str
    incident: str | None
    commit: str
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which events to keep; None keeps all."""

    model: str | None = None
    stage: str | None = None
    actor: str | None = None
    incident: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


def log(handle: RegistryHandle, wanted: LogFilter) -> tuple[Event, ...]:
    """Return the events of the first-parent line, newest first.

    Raises:
        NotFoundError: The model or the stage does not exist.
    """
    view = handle.view()
    if wanted.model is not None:
        view.versions(model_name(wanted.model))
    if wanted.stage is not None:
        view.settings.require_stage(wanted.stage)
    found: list[Event] = []
    for event in _events(handle, view, wanted):
        found.append(event)
        if wanted.limit is not None and len(found) == wanted.limit:
            break
    return tuple(found)


def _paths(wanted: LogFilter) -> tuple[str, ...]:
    """Return the paths that hold every wanted event, so that git skips the rest."""
    stage, model = wanted.stage, wanted.model
    if stage is not None:
        return (f"log/{stage}/{model}",) if model else (f"log/{stage}",)
    if model is not None:
        return (f"models/{model}/versions", "log", layout.QUARANTINE)
    if wanted.incident is not None:
        here = layout.incident_dir(wanted.incident)
        return ("models", "log", layout.QUARANTINE, here)
    return (".gitmodel/policy", "models", "log", layout.QUARANTINE, layout.INCIDENTS)


def _events(handle: RegistryHandle, view: View, wanted: LogFilter) -> Iterator[Event]:
    paths = _paths(wanted)
    line = first_parent_line(handle.repository, str(view.commit), paths=paths)
    infos = {
        info.oid: info
        for info in commit_infos(handle.reader, [commit for commit, _ in line])
    }
    for commit, added in changes(handle.repository, line, paths=paths):
        info = infos[commit]
        if wanted.since is not None and info.committed_at < wanted.since:
            continue
        if wanted.until is not None and info.committed_at > wanted.until:
            continue
        for change in added:
            if change.status != "A" or not _may_match(change.path, wanted):
                continue
            # What was added is still there: reading one tree spares thousands.
            at = view if view.entry(change.path) else View(handle.reader, commit)
            if not _may_match_within(at, change.path, wanted):
                continue
            for event in _told(at, info, change.path):
                if _matches(event, wanted):
                    yield event


def _may_match(path: str, wanted: LogFilter) -> bool:
    """Say whether an event of a document can be wanted, before that is read."""
    place = layout.classify(path)
    if wanted.incident is None:
        return place.kind in KINDS
    if place.kind == "attestation":
        return place.name == "postrollback"
    return place.kind in KINDS and place.kind not in {"manifest", "policy"}


def _may_match_within(view: View, path: str, wanted: LogFilter) -> bool:
    """Say whether an event of a document can be wanted, before it is verified."""
    if wanted.incident is None or layout.classify(path).kind not in _NAMING:
        return True
    try:
        return may_name(view.blob(path) or b"", wanted.incident)
    except GitmodelError:
        return True  # what is wrong with it is told below


def _matches(event: Event, wanted: LogFilter) -> bool:
    return (
        (wanted.model is None or event.model == wanted.model)
        and (wanted.stage is None or event.stage == wanted.stage)
        and (
            wanted.actor is None
            or wanted.actor == event.actor
            or wanted.actor in event.approvers
        )
        and (wanted.incident is None or event.incident == wanted.incident)
    )


def _told(view: View, info: CommitInfo, path: str) -> Iterator[Event]:
    """Yield what a document tells: one event, or one for each version it is about."""
    place = layout.classify(path)
    kind = KINDS.get(place.kind)
    if kind is None:
        return
    try:
        record = read_record(view, path, kind)
    except GitmodelError:
        record = None
    signature: Signature = "none"
    if record is not None and record.seals and not record.problems:
        signature = "good"
    elif record is None or record.problems:
        signature = "bad"
    document = record.document if record is not None else {}
    told = tell(view, place, document)
    if place.kind == "manifest":
        told = replace(told, reason=_reason(info.message))
    actor, approvers = _people(view, record, info, document)
    event = Event(
        time=to_text(info.committed_at),
        action=told.action,
        model=place.model or None,
        stage=place.stage or None,
        origin=told.origin,
        target=told.target,
        actor=actor,
        approvers=approvers,
        reason=told.reason,
        incident=told.incident,
        commit=info.oid,
        signature=signature,
    )
    versions = tuple(versions_of(place, document))
    for model, version in versions:
        yield replace(event, model=model, target=version)
    if not versions:
        yield event


def _people(
    view: View, record: Record | None, info: CommitInfo, document: object
) -> tuple[str, tuple[str, ...]]:
    seals = record.seals if record is not None else ()
    signers = [seal.principal for seal in seals if seal.decision == "approve"]
    if not signers:
        return info.author, ()
    said = document if isinstance(document, dict) else {}
    requester = said.get("requester")
    author = requester or said.get("createdBy")
    actor = author if author in signers else signers[0]
    reviewers = _reviewers(view, record) if requester and record is not None else ()
    return actor, tuple(sorted({*signers, *reviewers} - {actor}))


def _reviewers(view: View, record: Record) -> tuple[str, ...]:
    """Return whose reviews at a forge counted for a transition."""
    try:
        transition = transition_of(record)
        edition = view.edition_of(transition.policy)
        if edition is None:
            return ()
        return hear(view, transition, record, edition.policy).weighed.approvals
    except GitmodelError:
        return ()  # verify says what is wrong


def _reason(message: str) -> str:
    """Return the free text of a message that ``formats.commit_message`` wrote."""
    return "\n\n".join(
        paragraph
        for paragraph in message.strip().split("\n\n")[1:]
        if not paragraph.startswith(("Gitmodel-", "This reverts commit"))
    )
