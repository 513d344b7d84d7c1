"""The record of incidents, and their evidence.

>>> import gitmodel
>>> registry = gitmodel.open_registry(".")
>>> registry.open_incident("recall fell", incident_id="INC-42").is_open
True
>>> registry.note_incident("INC-42", "the labels of March are broken").number
2
>>> [task.name for task in registry.incident("INC-42").tasks if not task.done]
['root cause', 'fix']
>>> registry.close_incident("INC-42", root_cause="a wrong join",
...                         fixed_in="https://git.example.com/etl/pull/7").is_open
False
>>> [row.state for row in registry.incidents()]
['closed']
>>> packed = registry.bundle_incident("INC-42", "INC-42.tar")
>>> gitmodel.verify_incident_bundle("INC-42.tar", root=registry.root).ok
True
>>> registry.reopen_incident("INC-42", "it came back").is_open
True
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.api.opened import Opened
from gitmodel.operations import (
    incident,
    incident_bundle,
    incident_report,
)
from gitmodel.operations.evidence import evidence_of
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.api.opened import PathLike
    from gitmodel.domain.attestation import Evidence
    from gitmodel.domain.incident import Severity


class Incidents(Opened):
    """Keeps the record of incidents."""

    def open_incident(
        self,
        title: str,
        *,
        incident_id: str | None = None,
        severity: Severity = "high",
        models: Sequence[str] = (),
        stages: Sequence[str] = (),
        text: str = "",
        evidence: Sequence[PathLike] = (),
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Open an incident; see ``gitmodel incident open``."""
        words = incident.Words(
            title=title,
            severity=severity,
            models=tuple(models),
            stages=tuple(stages),
            text=text,
            evidence=_evidence(evidence),
        )
        mode = Mode(dry_run=dry_run, push=push)
        return incident.open_incident(
            self._handle, words, incident=incident_id, mode=mode
        )

    def note_incident(
        self,
        incident_id: str,
        text: str,
        *,
        evidence: Sequence[PathLike] = (),
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Add a note to an incident."""
        words = incident.Words(text=text, evidence=_evidence(evidence))
        mode = Mode(dry_run=dry_run, push=push)
        return incident.note_incident(self._handle, incident_id, words, mode=mode)

    def close_incident(
        self,
        incident_id: str,
        *,
        root_cause: str,
        fixed_in: str,
        text: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Close an incident; see ``gitmodel incident close``."""
        words = incident.Words(text=text, root_cause=root_cause, fixed_in=fixed_in)
        mode = Mode(dry_run=dry_run, push=push)
        return incident.close_incident(self._handle, incident_id, words, mode=mode)

    def reopen_incident(
        self,
        incident_id: str,
        reason: str,
        *,
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Open a closed incident again."""
        words = incident.Words(text=reason)
        mode = Mode(dry_run=dry_run, push=push)
        return incident.reopen_incident(self._handle, incident_id, words, mode=mode)

    def incidents(
        self, *, only_open: bool = False
    ) -> tuple[incident_report.IncidentRow, ...]:
        """Return the incidents that were opened."""
        return incident_report.list_incidents(self._handle.view(), only_open=only_open)

    def incident(self, incident_id: str) -> incident_report.IncidentReport:
        """Return what happened in an incident, and what is still to do."""
        return incident_report.show_incident(self._handle, incident_id)

    def bundle_incident(
        self, incident_id: str, output: PathLike, *, with_artifacts: bool = False
    ) -> incident_bundle.BundleResult:
        """Write the evidence of an incident to a new file."""
        return incident_bundle.make_bundle(
            self._handle, incident_id, Path(output), with_artifacts=with_artifacts
        )


def _evidence(texts: Sequence[PathLike]) -> tuple[Evidence, ...]:
    return tuple(evidence_of(str(text)) for text in texts)
