"""An incident: a chain of entries, each signed by its author (R174, R179 to R182).

The entries of one incident are numbered from 1, and each names the one before by its
digest. The first one opens it; notes may come at any time; closing says what caused it
and what mends it, since a rollback is a recovery and no remedy (R182). Whether an
incident is open is never stored: it follows from its entries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from gitmodel.domain.attestation import Evidence
from gitmodel.domain.digest import Digest
from gitmodel.domain.names import model_name
from gitmodel.domain.pin import API_VERSION
from gitmodel.domain.semver import Version
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["opened", "note", "closed", "reopened"]
Severity = Literal["low", "medium", "high", "critical"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_WITNESSES = ("responder", "approver", "auditor", "promoter", "publisher")
_JUDGES = ("responder", "auditor")
#: Who may write what; the first role that a signer has is used.
AUTHORS: Mapping[Kind, tuple[str, ...]] = {
    "opened": _WITNESSES,
    "note": _WITNESSES,
    "closed": _JUDGES,
    "reopened": _JUDGES,
}
#: A commit by its id, or anything with a scheme.
_OUTSIDE = re.compile(r"[0-9a-f]{7,64}|[A-Za-z][A-Za-z0-9+.-]*://[^\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEntry:
    """One entry of an incident.

    Attributes:
        number: 1, 2, 3 … in its incident.
        prior: Digest of the entry before; None for the first.
        severity: None but where it is opened.
        title: As ``severity``; then "".
        models: Names of the models concerned, where it is opened.
        root_cause: What caused it, where it is closed; else "".
        fixed_in: ``MODEL@VERSION``, or a commit or URI elsewhere, where it is closed.
        policy: Digest of the policy in force.
        created_at: RFC 3339, as written.
        created_by: The principal who signs it.
    """

    incident: str
    number: int
    prior: Digest | None
    entry: Kind
    policy: Digest
    created_at: str
    created_by: str
    text: str = ""
    severity: Severity | None = None
    title: str = ""
    models: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    root_cause: str = ""
    fixed_in: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> IncidentEntry:
        """Read a validated ``IncidentEntry`` document."""
        prior = document["prior"]
        return cls(
            incident=document["incident"],
            number=document["number"],
            prior=Digest.parse(prior) if prior is not None else None,
            entry=document["entry"],
            policy=Digest.parse(document["policy"]),
            created_at=document["createdAt"],
            created_by=document["createdBy"],
            text=document["text"],
            severity=document.get("severity"),
            title=document.get("title", ""),
            models=tuple(document.get("models", ())),
            stages=tuple(document.get("stages", ())),
            evidence=tuple(map(_evidence, document.get("evidence", ()))),
            root_cause=document.get("rootCause", ""),
            fixed_in=document.get("fixedIn", ""),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order, with what its kind has."""
        document: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": "IncidentEntry",
            "incident": self.incident,
            "number": self.number,
            "prior": str(self.prior) if self.prior else None,
            "entry": self.entry,
        }
        if self.entry == "opened":
            document |= {
                "severity": self.severity,
                "title": self.title,
                "models": list(self.models),
                "stages": list(self.stages),
            }
        document["text"] = self.text
        if self.evidence:
            document["evidence"] = [
                {"uri": each.uri}
                | ({"digest": str(each.digest)} if each.digest else {})
                for each in self.evidence
            ]
        if self.entry == "closed":
            document |= {"rootCause": self.root_cause, "fixedIn": self.fixed_in}
        return document | {
            "policy": str(self.policy),
            "createdAt": self.created_at,
            "createdBy": self.created_by,
        }


@dataclass(frozen=True, slots=True)
class Course:
    """How far an incident has come: what its next entry has to follow.

    Attributes:
        count: How many entries it has.
        last: Digest of the newest; None before the first.
        is_open: Whether it was opened, and not closed since.
    """

    count: int = 0
    last: Digest | None = None
    is_open: bool = False

    def flaws(
        self, entry: IncidentEntry, incident: str, number: int
    ) -> tuple[str, ...]:
        """Say why an entry cannot come next at its place; empty if it can.

        Args:
            entry: What comes.
            incident: The incident whose directory it stands in.
            number: The number that its file has.
        """
        found = []
        if entry.incident != incident:
            found.append(f"it belongs to the incident {entry.incident}.")
        wanted = self.count + 1
        if (entry.number, number, entry.prior) != (wanted, wanted, self.last):
            found.append(
                f"it does not follow entry {self.count}."
                if self.count
                else "it is not the first entry, and that is missing."
            )
        if (entry.entry == "opened") != (self.count == 0):
            found.append(
                "an incident is opened by its first entry, and by no other."
                if self.count
                else "the incident was not opened before."
            )
        elif entry.entry == "closed" and not self.is_open:
            found.append("the incident was closed already.")
        elif entry.entry == "reopened" and self.is_open:
            found.append("the incident was open already.")
        return tuple(found)

    def after(self, entry: IncidentEntry, digest: Digest) -> Course:
        """Return the course with one more entry."""
        is_open = self.is_open if entry.entry == "note" else entry.entry != "closed"
        return Course(entry.number, digest, is_open)


def fixed_version(text: str) -> tuple[str, str] | None:
    """Return model and version that ``fixedIn`` names; None for a fix elsewhere.

    Raises:
        InputError: It is neither a version nor a commit or URI.
    """
    if _OUTSIDE.fullmatch(text):
        return None
    model, at_sign, version = text.partition("@")
    if not at_sign:
        raise InputError(
            f"{text[:100]!a} does not say what mends it.",
            "Write MODEL@VERSION, or the commit or URI of a fix elsewhere.",
        )
    return model_name(model), str(Version.parse(version))


def _evidence(data: Mapping[str, Any]) -> Evidence:
    digest = data.get("digest")
    return Evidence(data["uri"], Digest.parse(digest) if digest else None)
