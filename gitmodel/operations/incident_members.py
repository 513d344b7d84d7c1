"""What an evidence bundle says about an incident: all of it follows from the history.

So whoever has the history can make the same files again, and does, to find out whether
those in a bundle are true (R179).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.git.history import first_parent_line
from gitmodel.domain.quarantine import VersionSubject
from gitmodel.domain.selector import Selector
from gitmodel.domain.semver import Version
from gitmodel.errors import GitmodelError
from gitmodel.operations.diff import diff
from gitmodel.operations.incident_report import event_to_json, timeline
from gitmodel.registry import layout
from gitmodel.registry.incident_links import transitions_of
from gitmodel.registry.incidents import read_incident
from gitmodel.registry.quarantine_chain import read_chain
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.domain.transition import Transition
    from gitmodel.operations.diff import DiffResult
    from gitmodel.registry.handle import RegistryHandle

TIMELINE = "timeline.json"


def members_of(handle: RegistryHandle, view: View, incident: str) -> dict[str, bytes]:
    """Return the files about an incident that follow from the history, by name.

    Raises:
        IntegrityError: A document that they rest on does not count.
    """
    found = {TIMELINE: to_bytes(_timeline(handle, view, incident))}
    for model, version in versions_of(view, incident):
        found |= _documents(view, model, version)
    for move, _ in transitions_of(view, incident):
        found |= _pins(handle, view, move)
        if move.action == "rollback" and move.origin and move.target:
            good, bad = move.target.version, move.origin.version
            name = f"diff-{move.model}-{good}-{bad}.json"
            found[name] = to_bytes(_difference(view, move.model, good, bad))
    return found


def versions_of(view: View, incident: str) -> tuple[tuple[str, str], ...]:
    """Return model and version of all that an incident concerns, in order."""
    found: set[tuple[str, str]] = set()
    for move, _ in transitions_of(view, incident):
        for release in (move.origin, move.target):
            if release is not None:
                found.add((move.model, release.version))
    for entry, _ in read_chain(view):
        if entry.document.incident == incident:
            found |= {
                (subject.model, subject.version)
                for subject in entry.document.subjects
                if isinstance(subject, VersionSubject)
            }
    return tuple(
        sorted(
            pair
            for pair in found
            if view.entry(layout.manifest_path(*pair)) is not None
        )
    )


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """Return JSON for people to read, the same for the same content."""
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    return (text + "\n").encode()


def _timeline(handle: RegistryHandle, view: View, incident: str) -> dict[str, Any]:
    found = read_incident(view, incident)
    return {
        "incident": incident,
        "entries": [entry.to_document() for entry in found.entries] if found else [],
        "events": [event_to_json(each) for each in timeline(handle, view, incident)],
    }


def _documents(view: View, model: str, version: str) -> dict[str, bytes]:
    """Return everything that is signed about a version, but for its artifacts."""
    directory = layout.version_dir(model, version)
    found = {}
    for path in view.files_below(directory):
        if layout.classify(f"{directory}/{path}").kind == "artifact":
            continue
        data = view.blob(f"{directory}/{path}")
        if data is not None:
            found[f"manifests/{model}/{version}/{path}"] = data
    return found


def _pins(handle: RegistryHandle, view: View, move: Transition) -> dict[str, bytes]:
    """Return the pin just before a move and just after it."""
    path = layout.transition_path(move.stage, move.model, move.seq)
    line = first_parent_line(handle.repository, str(view.commit), paths=(path,))
    if not line:
        return {}
    commit, parent = line[-1]
    found = {}
    for word, where in (("before", parent), ("after", commit)):
        pin = layout.pin_path(move.stage, move.model)
        data = View(handle.reader, where).blob(pin) if where else None
        if data is not None:
            name = f"pins/{move.stage}/{move.model}/{move.seq}-{word}.yaml"
            found[name] = data
    return found


def _difference(view: View, model: str, good: str, bad: str) -> dict[str, Any]:
    a, b = (
        Selector(model=model, kind="version", version=Version.parse(version))
        for version in (good, bad)
    )
    try:
        return _difference_json(diff(view, a, b))
    except GitmodelError as error:
        return {"a": str(a), "b": str(b), "problem": error.message}


def _difference_json(result: DiffResult) -> dict[str, Any]:
    return {
        "a": f"{result.before.model}@{result.before.version}",
        "b": f"{result.after.model}@{result.after.version}",
        "fields": [
            {"path": field.path, "a": field.before, "b": field.after}
            for field in result.fields
        ],
        "metrics": [delta.to_dict() for delta in result.metrics],
        "artifacts": list(_artifacts(result)),
    }


def _artifacts(result: DiffResult) -> Iterator[dict[str, Any]]:
    for artifact in result.artifacts:
        yield {
            "path": artifact.path,
            "change": artifact.change,
            "a": artifact.before,
            "b": artifact.after,
            "sizeA": artifact.size_before,
            "sizeB": artifact.size_after,
        }
