"""What belongs to an incident, as the log of a commit tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitmodel.domain.digest import Digest
from gitmodel.domain.transition import Transition
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.hold_releases import release_numbers
from gitmodel.registry.parsing import as_found
from gitmodel.registry.quarantines import marks_of
from gitmodel.registry.stage_log import logged_stages, sequence_numbers

if TYPE_CHECKING:
    from gitmodel.domain.pin import Release
    from gitmodel.registry.view import View


class Linked(NamedTuple):
    """A transition that names an incident, and its digest."""

    transition: Transition
    digest: Digest


class Suspect(NamedTuple):
    """A version that an incident is about."""

    model: str
    release: Release


def transitions_of(view: View, incident: str) -> tuple[Linked, ...]:
    """Return the transitions that name an incident, by stage, model and number.

    With no look at signatures; most documents are told from their bytes alone.

    Raises:
        IntegrityError: One is malformed.
    """
    return view.once(("incident moves", incident), lambda: _moves(view, incident))


def _moves(view: View, incident: str) -> tuple[Linked, ...]:
    paths = [
        layout.transition_path(stage, model, seq)
        for stage in sorted(view.names("log"))
        for model in sorted(view.names(f"log/{stage}"))
        for seq in sequence_numbers(view, stage, model)
    ]
    entries = [(path, entry.oid) for path in paths if (entry := view.entry(path))]
    found = []
    read = view.reader.read_many([oid for _, oid in entries])
    for (path, _), (_, data) in zip(entries, read, strict=True):
        if not may_name(data, incident):
            continue
        with as_found():
            document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
            schema.require("Transition", document, path)
        if document["incident"] == incident:
            move = Transition.from_document(document)
            found.append(Linked(move, Digest.of(data)))
    return tuple(found)


def may_name(data: bytes, incident: str) -> bool:
    """Say whether a document can name an incident, without reading it as YAML.

    An id can be written with escapes, too.
    """
    return incident.encode() in data or b"\\" in data


def suspects_of(view: View, incident: str) -> tuple[Suspect, ...]:
    """Return what an incident's rollbacks took out, and may not come back yet."""
    found = dict.fromkeys(
        Suspect(move.model, move.origin)
        for move, _ in transitions_of(view, incident)
        if move.action == "rollback"
        and move.origin is not None
        and move.seq not in release_numbers(view, move.stage, move.model)
    )
    return tuple(found)


def live_suspects(view: View, incident: str) -> tuple[tuple[str, str, str], ...]:
    """Return model, version and stage of each suspect that is live all the same.

    So is whatever this incident has put into quarantine, by whatever it named there.

    Raises:
        IntegrityError: What is in quarantine cannot be relied on.
    """
    suspects = set(suspects_of(view, incident))
    marks = marks_of(view)
    quarantines = any(by.incident == incident for by in marks.subjects.values())
    if not suspects and not quarantines:
        return ()
    models = view.models() if quarantines else sorted({each.model for each in suspects})
    found = []
    for model in models:
        for stage in logged_stages(view):
            pin = view.pin(stage, model)
            if pin is None:
                continue
            reason = marks.reason(model, pin.release.version) if quarantines else None
            if Suspect(model, pin.release) in suspects or (
                reason is not None and reason.by.incident == incident
            ):
                found.append((model, pin.release.version, stage))
    return tuple(found)
