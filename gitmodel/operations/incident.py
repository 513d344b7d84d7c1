"""Incidents: open one, note something, close it, open it again (R144, R179 to R182).

Each of these is one more signed entry in the incident's chain, in one commit. What an
incident has led to is nowhere written twice: ``operations.incident_report`` reads it
off the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.incident import AUTHORS, Course, IncidentEntry, fixed_version
from gitmodel.domain.moment import to_text
from gitmodel.domain.names import incident_id, model_name
from gitmodel.errors import ConflictError, InputError, RefusedError
from gitmodel.formats import schema
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.incident_tasks import unfinished
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.incidents import (
    KIND,
    SCHEMA,
    incident_ids,
    read_incident,
    require_incident,
)
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.domain.attestation import Evidence
    from gitmodel.domain.incident import Kind, Severity
    from gitmodel.registry.change import SignedFiles
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResult:
    """An entry that was made, or would be.

    Attributes:
        number: Of the entry in its incident.
        digest: Of the entry.
        is_open: Whether the incident is open afterwards.
        role: In which its author signed it.
        commit: None for a dry run.
    """

    incident: str
    entry: Kind
    number: int
    is_open: bool
    severity: Severity
    title: str
    digest: str
    path: str
    by: str
    role: str
    commit: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody has to say in an entry; the fields of its kind count."""

    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    severity: Severity = "high"
    title: str = ""
    models: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    root_cause: str = ""
    fixed_in: str = ""


def open_incident(
    handle: RegistryHandle,
    words: Words,
    *,
    incident: str | None = None,
    mode: Mode | None = None,
) -> IncidentResult:
    """Open an incident.

    Args:
        handle: The registry.
        words: Its title, severity, models and stages.
        incident: Its id; None for ``INC-DATE-N``.
        mode: Dry run, push.

    Raises:
        ConflictError: There is such an incident already.
        NotFoundError: There is no such model or stage.
        RefusedError: The signer may not.
        InputError: The id is none, or what is said cannot be written.
    """
    if incident is not None:
        incident_id(incident)

    def build(view: View) -> Plan[IncidentResult]:
        name = incident or _next_id(handle, view)
        _require_new(view, name)
        for model in words.models:
            view.versions(model_name(model))
        for stage in words.stages:
            view.settings.require_stage(stage)
        return _plan(handle, view, name, "opened", words)

    return _carried_out(handle, build, mode)


def note_incident(
    handle: RegistryHandle, incident: str, words: Words, *, mode: Mode | None = None
) -> IncidentResult:
    """Add a note to an incident, open or closed.

    Raises:
        NotFoundError: It was never opened.
        RefusedError: The signer may not.
        IntegrityError: An entry of it does not count.
    """
    incident_id(incident)
    return _carried_out(
        handle, lambda view: _plan(handle, view, incident, "note", words), mode
    )


def close_incident(
    handle: RegistryHandle, incident: str, words: Words, *, mode: Mode | None = None
) -> IncidentResult:
    """Close an incident: say what caused it, and what mends it (R182).

    Raises:
        NotFoundError: It was never opened; or the version that mends it is not here.
        ConflictError: It is closed already.
        RefusedError: The signer may not; or what must have happened before has not
            (``E_INCIDENT_UNFINISHED``): ``problems`` lists it.
        InputError: ``fixed_in`` names neither a version nor a commit or URI.
    """
    incident_id(incident)
    fix = fixed_version(words.fixed_in)

    def build(view: View) -> Plan[IncidentResult]:
        found = require_incident(view, incident)
        if not found.is_open:
            raise ConflictError(
                f"The incident {incident} is closed already.",
                f"gitmodel incident show {incident}  shows it.",
            )
        if fix is not None:
            load(view, *fix)
        tasks = unfinished(view, incident, fix)
        if tasks:
            raise RefusedError(
                f"The incident {incident} cannot be closed yet: {tasks[0].detail}.",
                *dict.fromkeys(task.command for task in tasks if task.command),
                code="E_INCIDENT_UNFINISHED",
                problems=[
                    {
                        "code": "E_INCIDENT_UNFINISHED",
                        "message": task.detail,
                        "task": task.name,
                    }
                    for task in tasks
                ],
            )
        return _plan(handle, view, incident, "closed", words)

    return _carried_out(handle, build, mode)


def reopen_incident(
    handle: RegistryHandle, incident: str, words: Words, *, mode: Mode | None = None
) -> IncidentResult:
    """Open a closed incident again.

    Raises:
        NotFoundError: It was never opened.
        ConflictError: It is open.
        RefusedError: The signer may not.
    """
    incident_id(incident)

    def build(view: View) -> Plan[IncidentResult]:
        if require_incident(view, incident).is_open:
            raise ConflictError(
                f"The incident {incident} is open already.",
                f"gitmodel incident note {incident} -m TEXT  adds to it.",
            )
        return _plan(handle, view, incident, "reopened", words)

    return _carried_out(handle, build, mode)


def entry_files(
    handle: RegistryHandle, view: View, incident: str, words: Words
) -> SignedFiles:
    """Return the entry that says of an incident what is being done, to go in a commit.

    It opens the incident if that was never opened, opens it again if it is closed,
    and else is a note. What a note has to say is the text, or else the title.

    Raises:
        RefusedError: The signer may not.
        InputError: The id is none, or what is said cannot be written.
        IntegrityError: An entry of the incident does not count.
    """
    incident_id(incident)
    found = read_incident(view, incident)
    if found is None:
        _require_new(view, incident)
        return _signed(handle, view, incident, "opened", words)[0]
    kind: Kind = "note" if found.is_open else "reopened"
    said = replace(words, text=words.text or words.title)
    return _signed(handle, view, incident, kind, said)[0]


def _carried_out(
    handle: RegistryHandle,
    build: Callable[[View], Plan[IncidentResult]],
    mode: Mode | None,
) -> IncidentResult:
    mode = mode or Mode()
    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit, dry_run=mode.dry_run)


def _require_new(view: View, incident: str) -> None:
    """Insist that no incident has this id, or one that some file systems take for it.

    Raises:
        ConflictError: One has.
    """
    for known in incident_ids(view):
        if known.casefold() == incident.casefold():
            found = read_incident(view, known)
            state = "is open" if found is None or found.is_open else "was closed"
            verb = "note" if found is None or found.is_open else "reopen"
            raise ConflictError(
                f"There is an incident {known} already; it {state}.",
                f"gitmodel incident show {known}  shows it;",
                f"gitmodel incident {verb} {known} -m TEXT  adds to it.",
                code="E_EXISTS",
            )


def _next_id(handle: RegistryHandle, view: View) -> str:
    today = f"INC-{handle.context.clock.now():%Y%m%d}-"
    numbers = [
        int(match[1])
        for known in incident_ids(view)
        if (match := re.fullmatch(re.escape(today) + r"([1-9][0-9]{0,5})", known))
    ]
    return f"{today}{1 + max(numbers, default=0)}"


def _role(handle: RegistryHandle, view: View, kind: Kind) -> tuple[str, str]:
    """Return who signs, and in which role.

    Raises:
        RefusedError: The signer has no role that may write such an entry.
    """
    principal = handle.principal(view)
    for role in AUTHORS[kind]:
        if view.policy.has_role(principal, role):
            return principal, role
    raise RefusedError(
        f"{principal} has no role that may do this to an incident.",
        f"Roles that may: {', '.join(AUTHORS[kind])}",
        code="E_ROLE",
    )


def _signed(
    handle: RegistryHandle, view: View, incident: str, kind: Kind, words: Words
) -> tuple[SignedFiles, IncidentEntry, str]:
    """Return an entry, signed, what it says, and in which role."""
    principal, role = _role(handle, view, kind)
    found = read_incident(view, incident)
    course = found.course if found else Course()
    entry = IncidentEntry(
        incident=incident,
        number=course.count + 1,
        prior=course.last,
        entry=kind,
        policy=view.policy_digest,
        created_at=to_text(handle.context.clock.now()),
        created_by=principal,
        text=words.text,
        severity=words.severity,
        title=words.title,
        models=words.models,
        stages=words.stages,
        evidence=words.evidence,
        root_cause=words.root_cause,
        fixed_in=words.fixed_in,
    )
    path = layout.incident_path(incident, entry.number)
    document = entry.to_document()
    schema.require(SCHEMA, document, path)
    if flaws := course.flaws(entry, incident, entry.number):
        raise InputError(f"The entry cannot be made: {flaws[0]}")
    signed = sign_document(
        handle.signer,
        path,
        document,
        kind=KIND,
        role=role,
        authority=Authority(view.registry_id, view.policy_digest),
    )
    return signed, entry, role


def _plan(
    handle: RegistryHandle, view: View, incident: str, kind: Kind, words: Words
) -> Plan[IncidentResult]:
    before = None if kind == "opened" else require_incident(view, incident)
    signed, entry, role = _signed(handle, view, incident, kind, words)
    course = (before.course if before else Course()).after(entry, signed.digest)
    title = before.opening.title if before else words.title
    change = Change(
        message=CommitMessage(
            subject=f"incident({incident}): {kind}"
            + (f": {title}" if kind == "opened" else ""),
            body=words.root_cause or words.text,
            trailers=(
                ("Gitmodel-Action", "incident"),
                ("Gitmodel-Incident", incident),
                ("Gitmodel-Entry", str(signed.digest)),
                ("Gitmodel-Principal", entry.created_by),
            ),
        ),
        principal=entry.created_by,
        files=dict(signed.files),
    )
    answer = IncidentResult(
        incident=incident,
        entry=kind,
        number=entry.number,
        is_open=course.is_open,
        severity=before.severity if before else words.severity,
        title=title,
        digest=str(signed.digest),
        path=signed.path,
        by=entry.created_by,
        role=role,
    )
    return Plan(change, answer)
