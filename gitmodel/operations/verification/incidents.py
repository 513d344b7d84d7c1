"""Incidents: each entry follows the one before, signed by its author."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.incident import Course, IncidentEntry, fixed_version
from gitmodel.domain.names import incident_id
from gitmodel.errors import GitmodelError
from gitmodel.formats import schema
from gitmodel.operations.verification.documents import verify_signed
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry import layout
from gitmodel.registry.incidents import (
    KIND,
    SCHEMA,
    author_roles,
    entry_numbers,
    incident_ids,
    registered_in,
    unfixed,
    unsigned,
)
from gitmodel.registry.stage_log import unopened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.operations.verification.findings import Findings
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View

#: Code and message.
Flaw = tuple[str, str]


def judge_incidents(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every entry of an incident that a step added."""
    added = [
        (place.name, place.seq, path)
        for path, place in places.items()
        if place.kind == "incident" and path in step.blobs
    ]
    for incident, number, path in sorted(added):
        record = added_record(ledger, step, path, KIND, (edition,))
        if record is None:
            continue
        problems = schema.problems(SCHEMA, record.document, path)
        ledger.findings.problems.extend(problems)
        if problems:
            continue
        entry = IncidentEntry.from_document(record.document)
        course = ledger.course(incident)
        for code, message in _flaws(course, entry, incident, number):
            ledger.findings.add(code, message, path, step.commit)
        if record.seals and not author_roles(record, entry):
            ledger.findings.add("E_UNSIGNED", unsigned(entry), path, step.commit)
        if message := unfixed(entry, lambda m, v: ledger.manifest(m, v) is not None):
            ledger.findings.add("E_INCIDENT", message, path, step.commit)
        if entry.entry == "closed":
            for message in _unfinished(ledger, incident, entry):
                code = "E_INCIDENT_UNFINISHED"
                ledger.findings.add(code, message, path, step.commit)
        if entry.policy != edition.digest:
            message = "it names a policy that was not in force."
            ledger.findings.add("E_OTHER_POLICY", message, path, step.commit)
        ledger.incidents[incident] = course.after(entry, record.digest)


def judge_emergencies(
    ledger: Ledger, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge whether the incidents of emergencies were opened, at the latest with them.

    Once the entries of the step are taken in.
    """
    for path, place in places.items():
        if place.kind != "transition":
            continue
        done = ledger.chain(place.stage, place.model).transitions
        if place.seq > len(done):
            continue  # what is malformed has been told
        move = done[place.seq - 1]
        if move.emergency and not ledger.course(move.incident or "").count:
            ledger.findings.add("E_INCIDENT", unopened(move), path, step.commit)


def verify_incidents(view: View, findings: Findings) -> None:
    """Verify every entry of every incident in a tree."""
    for incident in incident_ids(view):
        course = Course()
        for number in entry_numbers(view, incident):
            path = layout.incident_path(incident, number)
            record = verify_signed(view, findings, path, SCHEMA, KIND)
            if record is None or schema.problems(SCHEMA, record.document):
                break  # what follows it cannot be judged
            entry = IncidentEntry.from_document(record.document)
            for code, message in _flaws(course, entry, incident, number):
                findings.add(code, message, path)
            if not record.problems and not author_roles(record, entry):
                findings.add("E_UNSIGNED", unsigned(entry), path)
            if message := unfixed(entry, registered_in(view)):
                findings.add("E_INCIDENT", message, path)
            course = course.after(entry, record.digest)


def _unfinished(ledger: Ledger, incident: str, closing: IncidentEntry) -> Iterator[str]:
    """Yield why an incident could not be closed yet (R182).

    What its rollbacks took out, and nobody let return, is live somewhere, or is said to
    be what mends it; or what it put into quarantine is live.
    """
    chains = {place: ledger.chain(*place) for place in _places(ledger)}
    suspects = {
        (model, move.origin.manifest)
        for (_, model), chain in chains.items()
        for move in chain.transitions
        if move.action == "rollback"
        and move.incident == incident
        and move.origin is not None
        and move.seq not in chain.released
    }
    for (stage, model), chain in sorted(chains.items()):
        live = chain.current
        if live is None:
            continue
        if (model, live.manifest) in suspects or _put_away_by(
            ledger, incident, model, live.version
        ):
            yield f"{model}@{live.version} is still live in {stage}."
    try:
        fix = fixed_version(closing.fixed_in)
    except GitmodelError:
        return  # told already
    if fix is not None and (fix[0], ledger.manifest(*fix)) in suspects:
        yield f"{closing.fixed_in} was taken out by it."


def _put_away_by(ledger: Ledger, incident: str, model: str, version: str) -> bool:
    try:
        reason = ledger.quarantine.marks(ledger).reason(model, version)
    except GitmodelError:
        return False  # told where it moves
    return reason is not None and reason.by.incident == incident


def _places(ledger: Ledger) -> set[tuple[str, str]]:
    """Return stage and model of every log so far."""
    found = set(ledger.chains)
    if ledger.base is not None:
        for stage in ledger.base.names("log"):
            found |= {(stage, model) for model in ledger.base.names(f"log/{stage}")}
    return found


def _flaws(
    course: Course, entry: IncidentEntry, incident: str, number: int
) -> Iterator[Flaw]:
    try:
        incident_id(incident)
    except GitmodelError as error:
        yield error.code, error.message
    for message in course.flaws(entry, incident, number):
        yield "E_INCIDENT", message
