"""What the audit trail says of a document: what was done, to what, and why."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.errors import GitmodelError
from gitmodel.registry.stage_log import read_proved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.domain.transition import Transition
    from gitmodel.registry.layout import Kind, Place
    from gitmodel.registry.view import View

#: Kind of a path → kind of the statement that signs it, for what makes an event.
KINDS: Mapping[Kind, str] = {
    "manifest": "version",
    "transition": "transition",
    "policy": "policy",
    "attestation": "attestation",
    "incident": "incident",
    "quarantine": "quarantine",
    "hold_release": "hold-release",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The words of an event; see ``operations.log.Event``."""

    action: str
    origin: str | None = None
    target: str | None = None
    reason: str = ""
    incident: str | None = None


def tell(view: View, place: Place, document: Mapping[str, Any]) -> Told:
    """Return what a document says of an event; it may be malformed, or empty."""
    match place.kind:
        case "manifest":
            return Told(action="register", target=place.version)
        case "attestation":
            return _attestation(view, place, document)
        case "transition":
            return Told(
                action=str(document.get("action", "unknown")),
                origin=(document.get("from") or {}).get("version"),
                target=(document.get("to") or {}).get("version"),
                reason=str(document.get("reason", "")),
                incident=document.get("incident"),
            )
        case "incident":
            return Told(action="incident", reason=_entry(document), incident=place.name)
        case "quarantine":
            return Told(
                action=str(document.get("action", "unknown")),
                reason=_quarantine(document),
                incident=document.get("incident"),
            )
        case "hold_release":
            held = _rollbacks(view, place.model).get(str(document.get("transition")))
            return Told(
                action="release",
                target=held.origin.version if held and held.origin else None,
                reason=str(document.get("reason", "")),
                incident=held.incident if held else None,
            )
        case _:
            return Told(action="init" if place.seq == 1 else "policy")


def _attestation(view: View, place: Place, document: Mapping[str, Any]) -> Told:
    reason = f"{document.get('type')} {document.get('result')}"
    if document.get("summary"):
        reason += f": {document['summary']}"
    about = document.get("transition")
    rollback = _rollbacks(view, place.model).get(str(about)) if about else None
    return Told(
        action="attest",
        target=place.version,
        reason=reason,
        incident=rollback.incident if rollback else None,
    )


def versions_of(place: Place, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the versions that a quarantine names: an event is told of each."""
    for subject in _subjects(document) if place.kind == "quarantine" else ():
        if "model" in subject:
            yield str(subject["model"]), str(subject.get("version"))


def _subjects(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document.get("subjects")
    return [
        each
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
    ]


def _quarantine(document: Mapping[str, Any]) -> str:
    """Return what a quarantine names besides versions, and why."""
    said = []
    for subject in _subjects(document):
        data = subject.get("data")
        if isinstance(data, dict):
            version = f"@{data['version']}" if "version" in data else ""
            said.append(f"data {data.get('name')}{version}")
        elif "digest" in subject:
            said.append(str(subject["digest"])[:19])
    why = str(document.get("reason", ""))
    return f"{', '.join(said)}: {why}" if said else why


def _entry(document: Mapping[str, Any]) -> str:
    """Return what an entry of an incident says."""
    kind = str(document.get("entry", "unknown"))
    parts = (document.get(name) for name in ("title", "rootCause", "text"))
    said = str(next(filter(None, parts), ""))
    if document.get("fixedIn"):
        said += f"; fixed in {document['fixedIn']}"
    if seen := _names(document.get("evidence")):
        said += f"; evidence: {', '.join(seen)}"
    severity = document.get("severity")
    return f"{kind}{f', {severity}' if severity else ''}: {said}"


def _names(evidence: object) -> list[str]:
    """Return what an entry points at, by name; it may be malformed."""
    return [
        str(each.get("uri"))
        for each in (evidence if isinstance(evidence, list) else ())
        if isinstance(each, dict)
    ]


def _rollbacks(view: View, model: str) -> Mapping[str, Transition]:
    """Return the rollbacks of a model by their digests; others name them so."""

    def work() -> dict[str, Transition]:
        found: dict[str, Transition] = {}
        with suppress(GitmodelError, KeyError, TypeError):  # verify says what is wrong
            for stage in view.names("log"):
                for transition, digest in read_proved(view, stage, model):
                    if transition.action == "rollback":
                        found[str(digest)] = transition
        return found

    return view.once(("rollbacks by digest", model), work)
