"""The chains of incidents, as a commit has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.incident import AUTHORS, Course, IncidentEntry, fixed_version
from gitmodel.errors import GitmodelError, IntegrityError, NotFoundError
from gitmodel.formats import schema
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found, parse
from gitmodel.registry.records import read_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.domain.incident import Severity
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View

#: The kind of statement that signs an entry.
KIND = "incident"
SCHEMA = "IncidentEntry"


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident whose every entry counts; there is at least one.

    Attributes:
        course: How far it has come, and what its next entry has to follow.
    """

    entries: tuple[IncidentEntry, ...]
    course: Course

    @property
    def id(self) -> str:
        """Its id."""
        return self.opening.incident

    @property
    def opening(self) -> IncidentEntry:
        """The entry that opened it."""
        return self.entries[0]

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.opening.severity or "critical"

    @property
    def is_open(self) -> bool:
        """Whether it was not closed, or was opened again since."""
        return self.course.is_open

    @property
    def closing(self) -> IncidentEntry | None:
        """The entry that closed it for now; None while it is open."""
        if self.is_open:
            return None
        return [each for each in self.entries if each.entry == "closed"][-1]


def incident_ids(view: View) -> tuple[str, ...]:
    """Return the ids of the incidents that have entries, in order."""
    return tuple(
        sorted(
            name
            for name, found in view.names(layout.INCIDENTS).items()
            if found.is_tree
        )
    )


def entry_numbers(view: View, incident: str) -> tuple[int, ...]:
    """Return the numbers of an incident's entries, ascending."""
    directory = layout.incident_dir(incident)
    return tuple(
        sorted(
            place.seq
            for name in view.names(directory)
            if (place := layout.classify(f"{directory}/{name}")).kind == "incident"
        )
    )


def read_course(view: View, incident: str) -> Course:
    """Return how far an incident has come, with no look at signatures.

    For a commit that was verified before, or is being verified beside this.
    """
    course = Course()
    for number in entry_numbers(view, incident):
        path = layout.incident_path(incident, number)
        data = view.blob(path)
        if data is not None:
            entry = parse(SCHEMA, data, path, IncidentEntry.from_document)
            course = course.after(entry, Digest.of(data))
    return course


def read_incident(view: View, incident: str) -> Incident | None:
    """Return an incident, whose entries must all count; None if it has none.

    Raises:
        IntegrityError: One is malformed, missing, out of place, or not signed by its
            author in a role that may.
    """
    course = Course()
    entries: list[IncidentEntry] = []
    for number in entry_numbers(view, incident):
        path = layout.incident_path(incident, number)
        record = read_record(view, path, KIND)
        if record is None:
            raise _broken(path, "it is no plain file.")
        with as_found():
            schema.require(SCHEMA, record.document, path)
            entry = IncidentEntry.from_document(record.document)
        if flaws := course.flaws(entry, incident, number):
            raise _broken(path, flaws[0])
        if record.problems:
            raise _broken(path, record.problems[0].message)
        if not author_roles(record, entry):
            raise _broken(path, unsigned(entry))
        if flaw := unfixed(entry, registered_in(view)):
            raise _broken(path, flaw)
        entries.append(entry)
        course = course.after(entry, record.digest)
    return Incident(tuple(entries), course) if entries else None


def require_incident(view: View, incident: str) -> Incident:
    """Return an incident that was opened.

    Raises:
        NotFoundError: It was not.
        IntegrityError: One of its entries does not count.
    """
    found = read_incident(view, incident)
    if found is None:
        raise NotFoundError(
            f"There is no incident {incident} here.", *hints_instead(view, incident)
        )
    return found


def hints_instead(view: View, incident: str) -> tuple[str, str]:
    """Return what to run where there is no such incident, or none so written."""
    listed = "gitmodel incident list  shows all that were opened"
    for known in incident_ids(view):
        if known.casefold() == incident.casefold():
            return f"gitmodel incident show {known}  is meant, perhaps;", f"{listed}."
    return f"{listed};", f"gitmodel incident open {incident} -m TITLE  opens it."


def author_roles(record: Record, entry: IncidentEntry) -> tuple[str, ...]:
    """Return the roles in which its author has signed an entry, of those that may."""
    return tuple(
        seal.role
        for seal in record.seals
        if seal.principal == entry.created_by
        and seal.decision == "approve"
        and seal.role in AUTHORS[entry.entry]
    )


def unsigned(entry: IncidentEntry) -> str:
    """Return what to say of an entry that its author has not signed as one who may."""
    roles = " or ".join(AUTHORS[entry.entry])
    return f"its author {entry.created_by} has not signed it as {roles}."


def registered_in(view: View) -> Callable[[str, str], bool]:
    """Return what says whether a version is registered."""

    def known(model: str, version: str) -> bool:
        return view.entry(layout.manifest_path(model, version)) is not None

    return known


def unfixed(entry: IncidentEntry, known: Callable[[str, str], bool]) -> str:
    """Say why what an entry says to mend its incident mends nothing; "" if it may.

    Args:
        entry: Of any kind; only closing says so.
        known: Says whether a version is registered.
    """
    if entry.entry != "closed":
        return ""
    try:
        fix = fixed_version(entry.fixed_in)
    except GitmodelError as error:
        return error.message
    if fix is not None and not known(*fix):
        return f"it is said to be fixed in {entry.fixed_in}, which is not registered."
    return ""


def _broken(path: str, message: str) -> IntegrityError:
    return IntegrityError(
        f"{path} does not count: {message}",
        "gitmodel verify  shows everything that is wrong.",
        code="E_INCIDENT",
    )
