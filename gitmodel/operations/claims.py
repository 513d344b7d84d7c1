"""What somebody wants to attest, before it is about a version: from files and words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import Evidence, Finding, Result, Tool
from gitmodel.domain.metrics import parse_metric, read_metrics
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.domain.digest import Digest

_FIELDS = {"result", "metrics", "tool", "findings", "evidence", "summary"}
_HEADER = {"apiVersion", "kind", "type"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The content of an attestation.

    Attributes:
        result: None to conclude it: failed if there are findings, else passed.
    """

    result: Result | None = None
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tool: Tool | None = None
    findings: tuple[Finding, ...] = ()
    evidence: Evidence | None = None
    summary: str = ""

    @property
    def concluded(self) -> Result:
        """The result, as said or as it follows."""
        return self.result or ("failed" if self.findings else "passed")

    def measuring(self, kind: str, texts: Sequence[str]) -> Claim:
        """Add metrics such as ``accuracy=0.97``; of a test they belong to ``test``.

        Raises:
            InputError: One is malformed or given twice.
        """
        metrics = {of: dict(values) for of, values in self.metrics.items()}
        for text in texts:
            of, name, number = parse_metric(text)
            if kind == "test" and text.startswith(f"{name}="):
                of = "test"
            if name in metrics.setdefault(of, {}):
                raise InputError(f"The metric {of}.{name} is given twice.")
            metrics[of][name] = number
        return replace(self, metrics=metrics)


def claim_from_report(data: Mapping[str, Any], kind: str, source: Source) -> Claim:
    """Read a report: gitmodel's own form, or modelscan's.

    Raises:
        InputError: It is neither, or malformed.
    """
    if "issues" in data and "summary" in data and "result" not in data:
        return _from_modelscan(data, source)
    if strange := sorted(data.keys() - _FIELDS - _HEADER):
        raise InputError(
            f"{source.name} has a field that no attestation has: {strange[0]}",
            f"Fields are: {', '.join(sorted(_FIELDS))}",
        )
    if data.get("type", kind) != kind:
        raise InputError(f"{source.name} is of type {data['type']}, not {kind}.")
    metrics = data.get("metrics", {})
    read_metrics(metrics)
    try:
        tool, evidence = data.get("tool"), data.get("evidence")
        return Claim(
            result=data.get("result"),
            metrics=metrics,
            tool=Tool(tool["name"], tool.get("version", "")) if tool else None,
            findings=tuple(map(Finding.from_dict, data.get("findings", ()))),
            evidence=Evidence(evidence["uri"], source.digest_of(evidence))
            if evidence
            else source.evidence,
            summary=data.get("summary", ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{source.name} is malformed: {error}") from error


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a report came from."""

    name: str
    digest: Digest

    @property
    def evidence(self) -> Evidence:
        """The file itself, as evidence."""
        return Evidence(self.name, self.digest)

    def digest_of(self, evidence: Mapping[str, Any]) -> Digest | None:
        """Return the digest that a report's own evidence states."""
        stated = evidence.get("digest")
        return type(self.digest).parse(stated) if stated else None


def _from_modelscan(data: Mapping[str, Any], source: Source) -> Claim:
    """Read modelscan's JSON; whatever it could not look at counts as a finding."""
    try:
        findings = [
            Finding(
                message=str(issue["description"]),
                path=str(issue.get("source", "")),
                severity=str(issue.get("severity", "")).lower(),
            )
            for issue in data["issues"]
        ]
        unread = [*data.get("errors", ()), *data["summary"].get("skipped", {}).get(
            "skipped_files", ())]  # fmt: skip
        findings += [
            Finding(
                message=str(each.get("description") or "it was skipped"),
                path=str(each.get("source", "")),
            )
            for each in unread
        ]
        version = str(data["summary"].get("modelscan_version", ""))
    except (KeyError, TypeError, AttributeError) as error:
        message = f"{source.name} is no report of modelscan: {error}"
        raise InputError(message) from error
    return Claim(
        tool=Tool("modelscan", version),
        findings=tuple(findings),
        evidence=source.evidence,
    )
