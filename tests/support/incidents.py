"""Incidents as people keep them, and as somebody with a key could forge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.registry import layout
from tests.support.forgery import (
    Forged,
    commit_files,
    digest_at,
    document_at,
    registry_id,
    signed,
)

if TYPE_CHECKING:
    from gitmodel.adapters.signing.keys import FileSigner
    from tests.support.workbench import Workbench


def opened(bench: Workbench, incident: str = "INC-1") -> Any:
    """Open an incident."""
    return bench.do("incident", "open", incident, "-m", "recall fell")


def closed(bench: Workbench, incident: str = "INC-1", fix: str = "fraud@1.0.0") -> Any:
    """Close an incident."""
    cause = ("--root-cause", "a join on the wrong day")
    return bench.do("incident", "close", incident, *cause, "--fixed-in", fix)


def forge_entry(
    bench: Workbench,
    entry: str,
    *,
    said: Forged | None = None,
    signer: FileSigner | None = None,
    place: tuple[str, int] | None = None,
    sign: bool = True,
    **fields: Any,
) -> str:
    """Commit the next entry of INC-1, honest but for ``fields``.

    Args:
        bench: The registry.
        entry: What kind of entry.
        said: What its signature says besides the truth.
        signer: Whose key signs; ada's by default.
        place: Incident and number of its path; by default what comes next.
        sign: Whether to sign at all.
        fields: Of the document; the text "dropped" leaves one out.
    """
    directory = bench.path / layout.incident_dir("INC-1")
    done = len(list(directory.glob("*.yaml"))) if directory.exists() else 0
    where = layout.incident_path(*(place or ("INC-1", done + 1)))
    last = layout.incident_path("INC-1", done)
    document: dict[str, Any] = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "IncidentEntry",
        "incident": "INC-1",
        "number": done + 1,
        "prior": str(digest_at(bench, last)) if done else None,
        "entry": entry,
    }
    if entry == "opened":
        document |= {"severity": "high", "title": "x", "models": [], "stages": []}
    document["text"] = "as I say"
    if entry == "closed":
        document |= {"rootCause": "a join", "fixedIn": "fraud@1.0.0"}
    document |= {
        "policy": str(registry_id(bench)),
        "createdAt": "2026-01-01T00:00:00Z",
        "createdBy": "ada",
    }
    document |= fields
    document = {k: v for k, v in document.items() if v != "dropped"}
    said = said or Forged(kind="incident", role="responder")
    files = signed(bench, where, document, said, signer)
    return commit_files(bench, files if sign else {where: files[where]})


def entry_at(bench: Workbench, number: int, incident: str = "INC-1") -> dict[str, Any]:
    """Return an entry as its document has it."""
    return document_at(bench, layout.incident_path(incident, number))
