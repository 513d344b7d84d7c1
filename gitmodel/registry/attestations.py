"""The attestations of a version: read, and told from what only looks like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.attestation import Attestation, Attested, attestors
from gitmodel.domain.digest import Digest
from gitmodel.domain.metrics import read_metrics
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.registry import layout
from gitmodel.registry.records import Record, read_record
from gitmodel.registry.stage_log import read_records, transition_of

if TYPE_CHECKING:
    from gitmodel.registry.view import View

UNFOUNDED = "it is about a rollback to this version that is not in the log."


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRow:
    """One attestation as it was found.

    Attributes:
        number: Among those of its type.
        role: In which its author signed it; "" if it does not count.
        problem: Why it does not count; "" if it does.
    """

    number: int
    path: str
    attestation: Attestation | None
    role: str
    problem: str


def places_of(view: View, model: str, version: str) -> list[layout.Place]:
    """Return the places of a version's attestations, by type and number."""
    directory = layout.attestations_dir(model, version)
    places = (layout.classify(f"{directory}/{name}") for name in view.names(directory))
    return sorted(
        (place for place in places if place.kind == "attestation"),
        key=lambda place: (place.name, place.seq),
    )


def next_number(view: View, model: str, version: str, kind: str) -> int:
    """Return the number of the next attestation of a type."""
    numbers = [p.seq for p in places_of(view, model, version) if p.name == kind]
    return 1 + max(numbers, default=0)


def read_rows(view: View, model: str, version: str) -> tuple[AttestationRow, ...]:
    """Return every attestation of a version, by type and number, good or bad."""
    return tuple(_row(view, place) for place in places_of(view, model, version))


def read_attested(view: View, model: str, version: str) -> tuple[Attested, ...]:
    """Return what counts, for a commit that was verified before."""
    return tuple(
        attested(row.attestation, row.number, row.role)
        for row in read_rows(view, model, version)
        if row.attestation is not None and not row.problem
    )


def require_attested(view: View, model: str, version: str) -> tuple[Attested, ...]:
    """Return a version's attestations, if every single one counts.

    One that was tampered with could be the one that says no, so it cannot be passed
    over.

    Raises:
        IntegrityError: One does not count, or one is missing.
    """
    rows = read_rows(view, model, version)
    found: list[Attested] = []
    numbers: dict[str, int] = {}
    for row in rows:
        if row.problem or row.attestation is None:
            raise IntegrityError(
                f"{row.path} does not count: {row.problem}",
                "gitmodel verify  shows everything that is wrong.",
                code="E_ATTESTATION",
            )
        kind = row.attestation.type
        numbers[kind] = numbers.get(kind, 0) + 1
        if row.number != numbers[kind]:
            raise IntegrityError(
                f"The {kind} attestation {numbers[kind]} of {model}@{version} is gone.",
                code="E_ATTESTATION",
            )
        found.append(attested(row.attestation, row.number, row.role))
    return tuple(found)


def misplaced(attestation: Attestation, place: layout.Place) -> str | None:
    """Say why an attestation does not belong where it is; None if it does."""
    said = (attestation.model, attestation.version, attestation.type)
    if said == (place.model, place.version, place.name):
        return None
    model, version, kind = said
    return f"it is a {kind} of {model}@{version}, not of its place."


def unfounded(view: View, attestation: Attestation) -> str | None:
    """Say why one is about no rollback of this registry; None if it is, or need not."""
    said = attestation.aftermath
    if said is None:
        return None
    for record in read_records(view, said.stage, attestation.model):
        if said.is_of(transition_of(record), record.digest, attestation.manifest):
            return None
    return UNFOUNDED


def author_roles(record: Record, attestation: Attestation) -> tuple[str, ...]:
    """Return the roles in which its author has signed it, of those that may."""
    return tuple(
        seal.role
        for seal in record.seals
        if seal.principal == attestation.created_by
        and seal.decision == "approve"
        and seal.role in attestors(attestation.type)
    )


def attested(attestation: Attestation, number: int, role: str) -> Attested:
    """Reduce an attestation to what gates ask about."""
    return Attested(
        type=attestation.type,
        number=number,
        result=attestation.result,
        by=attestation.created_by,
        role=role,
        metrics=read_metrics(attestation.metrics),
    )


def _row(view: View, place: layout.Place) -> AttestationRow:
    path = layout.attestation_path(place.model, place.version, place.name, place.seq)
    attestation, roles = None, tuple[str, ...]()
    try:
        record = read_record(view, path, "attestation")
        if record is None:
            raise IntegrityError("it is no plain file.")
        attestation = Attestation.from_document(record.document)
        roles = author_roles(record, attestation)
        problem = _problem(view, place, record, attestation, roles)
    except GitmodelError as error:
        problem = error.message
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem = f"it is malformed: {error}"
    return AttestationRow(
        number=place.seq,
        path=path,
        attestation=attestation,
        role="" if problem else roles[0],
        problem=problem,
    )


def _problem(
    view: View,
    place: layout.Place,
    record: Record,
    attestation: Attestation,
    roles: tuple[str, ...],
) -> str:
    if record.problems:
        return record.problems[0].message
    if not roles:
        return f"its author {attestation.created_by} has not signed it as attestor."
    data = view.blob(layout.manifest_path(place.model, place.version))
    if data is None or Digest.of(data) != attestation.manifest:
        return "it is about another manifest than this version has."
    return misplaced(attestation, place) or unfounded(view, attestation) or ""
