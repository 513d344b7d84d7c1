"""A late fact about a version, which somebody signs: a test, a scan, a review.

The attestations of one type of one version are numbered from 1, and none is ever
changed; a later one does not undo an earlier one, it supersedes it. An attestation
is bound to the manifest's digest, so it never speaks for other bytes. In which role
its author speaks is in the signature, not here.

A ``postrollback`` says what the checks of a model made of a rollback (R187). A
responder may sign it, so it is kept apart: no gate asks for it, and it has no metrics.
Nor does a ``drill``, which says how the rehearsal of an emergency went (R183).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from gitmodel.domain.aftermath import Aftermath
from gitmodel.domain.digest import Digest
from gitmodel.domain.drill import Drilled
from gitmodel.domain.metrics import read_metrics
from gitmodel.domain.pin import API_VERSION
from gitmodel.domain.semver import Version
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.metrics import Metric

Type = Literal[
    "validation", "test", "scan", "bias", "risk", "review", "postrollback", "drill"
]
Result = Literal["passed", "failed"]

TYPES: tuple[Type, ...] = get_args(Type)
POST_ROLLBACK: Type = "postrollback"
DRILL: Type = "drill"
#: They tell of what was done with a version, not of how good it is: no gate hears them.
REPORTS: frozenset[Type] = frozenset({POST_ROLLBACK, DRILL})
#: Who may attest; whoever holds several speaks in the first, unless told otherwise.
ATTESTORS = ("approver", "auditor", "publisher")
_VALIDATORS = ("responder", *ATTESTORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that somebody, or some tool, found wrong.

    Attributes:
        path: The artifact, and the member of it, that it is about; "" for none.
        severity: low, medium, high or critical; "" where nobody said.
    """

    message: str
    path: str = ""
    severity: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """Read the form that documents have."""
        return cls(
            message=data["message"],
            path=data.get("path", ""),
            severity=data.get("severity", ""),
        )

    def to_dict(self) -> dict[str, str]:
        """Return the form that documents have, without empty parts."""
        parts = {
            "message": self.message,
            "path": self.path,
            "severity": self.severity,
        }
        return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True, slots=True)
class Tool:
    """What did the work."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something to look at, kept elsewhere."""

    uri: str
    digest: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One signed late fact.

    Attributes:
        manifest: Digest of the manifest that it speaks about.
        created_at: RFC 3339, UTC, as written.
        created_by: The principal who signs it.
        metrics: What was measured, by set and name, as in manifests.
        aftermath: Of a ``postrollback``, and of no other type.
        drill: Of a ``drill``, and of no other type.
    """

    model: str
    version: str
    manifest: Digest
    type: Type
    result: Result
    created_at: str
    created_by: str
    metrics: Mapping[str, Mapping[str, Any]]
    tool: Tool | None = None
    findings: tuple[Finding, ...] = ()
    evidence: Evidence | None = None
    summary: str = ""
    aftermath: Aftermath | None = None
    drill: Drilled | None = None

    @property
    def report(self) -> Aftermath | Drilled | None:
        """The stage that it tells of, and what was done there step by step."""
        return self.aftermath or self.drill

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Attestation:
        """Read a schema-valid ``Attestation`` document.

        Raises:
            InputError: A metric or the version is impossible.
        """
        tool, evidence = document.get("tool"), document.get("evidence")
        metrics = document.get("metrics", {})
        read_metrics(metrics)
        return cls(
            model=document["model"],
            version=str(Version.parse(document["version"])),
            manifest=Digest.parse(document["manifest"]),
            type=attestation_type(document["type"]),
            result=_result(document["result"]),
            created_at=document["createdAt"],
            created_by=document["createdBy"],
            metrics=metrics,
            tool=Tool(tool["name"], tool.get("version", "")) if tool else None,
            findings=tuple(map(Finding.from_dict, document.get("findings", ()))),
            evidence=_evidence(evidence) if evidence else None,
            summary=document.get("summary", ""),
            aftermath=Aftermath.from_document(document),
            drill=Drilled.from_document(document),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order, without empty parts."""
        document: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": "Attestation",
            "model": self.model,
            "version": self.version,
            "manifest": str(self.manifest),
            "type": self.type,
            "result": self.result,
            "createdAt": self.created_at,
            "createdBy": self.created_by,
        }
        if self.summary:
            document["summary"] = self.summary
        if self.report is not None:
            document |= self.report.to_dict()
        if self.metrics:
            document["metrics"] = {
                name: dict(measured) for name, measured in self.metrics.items()
            }
        if self.tool is not None:
            document["tool"] = {"name": self.tool.name}
            if self.tool.version:
                document["tool"]["version"] = self.tool.version
        if self.findings:
            document["findings"] = [finding.to_dict() for finding in self.findings]
        if self.evidence is not None:
            document["evidence"] = {"uri": self.evidence.uri}
            if self.evidence.digest is not None:
                document["evidence"]["digest"] = str(self.evidence.digest)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """An attestation that counts, reduced to what gates ask about.

    Attributes:
        number: Among those of its type; the highest is the newest.
        role: In which its author signed it.
    """

    type: Type
    number: int
    result: Result
    by: str
    role: str
    metrics: Mapping[str, Mapping[str, Metric]]


def attestation_type(text: str) -> Type:
    """Return a type of attestation.

    Raises:
        InputError: There is none of that name.
    """
    for known in TYPES:
        if text == known:
            return known
    raise InputError(
        f"{text[:40]!a} is no type of attestation.", f"Types: {', '.join(TYPES)}"
    )


def gate_type(text: str) -> Type:
    """Return a type of attestation that a gate may ask for.

    Raises:
        InputError: There is none of that name, or it is no word about quality that
            those who attest have given.
    """
    found = attestation_type(text)
    if found in REPORTS:
        raise InputError(
            f"No gate asks for a {found} attestation: it tells of a rollback.",
            f"Types: {', '.join(each for each in TYPES if each not in REPORTS)}",
        )
    return found


def attestors(kind: Type) -> tuple[str, ...]:
    """Return the roles that may sign a type; the first that one has is spoken in."""
    return _VALIDATORS if kind in REPORTS else ATTESTORS


def _result(text: str) -> Result:
    if text == "passed":
        return "passed"
    if text == "failed":
        return "failed"
    raise InputError(f"The result is {text[:40]!a}, not passed or failed.")


def _evidence(data: Mapping[str, Any]) -> Evidence:
    digest = data.get("digest")
    return Evidence(data["uri"], Digest.parse(digest) if digest else None)
