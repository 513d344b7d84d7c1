"""Tables that more than one command shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import columns, number, size, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.metrics import Delta
    from gitmodel.registry.attestations import AttestationRow

_COLORS = {"better": "green", "worse": "red"}
_ARTIFACTS = 20


def artifact_lines(artifacts: Sequence[Artifact]) -> list[str]:
    """Return what a version's files are, the first of them one by one."""
    shown = columns(
        [
            (artifact.path, size(artifact.size), f"{artifact.role}, {artifact.format}")
            for artifact in artifacts[:_ARTIFACTS]
        ]
    )
    if len(artifacts) > _ARTIFACTS:
        shown.append(f"  … and {len(artifacts) - _ARTIFACTS:,} more")
    return shown


def metric_table(session: Session, deltas: Sequence[Delta]) -> str:
    """Return how metrics change, with the verdict in words and in colour."""
    rows = [
        (
            f"{delta.set}.{delta.name}",
            number(delta.before) if delta.before is not None else "-",
            number(delta.after) if delta.after is not None else "-",
            f"{delta.change:+.6g}" if delta.change is not None else "",
            delta.verdict,
        )
        for delta in deltas
    ]
    head, *lines = table(("metric", "before", "after", "change", ""), rows).split("\n")
    colored = [
        session.style(line, fg=_COLORS[delta.verdict])
        if delta.verdict in _COLORS
        else line
        for line, delta in zip(lines, deltas, strict=True)
    ]
    return "\n".join([head, *colored])


def attestation_json(row: AttestationRow) -> dict[str, object]:
    """Return one attestation for ``--json``; what does not count has a problem."""
    said = row.attestation
    return {
        "type": said.type if said else None,
        "number": row.number,
        "result": said.result if said else None,
        "by": said.created_by if said else None,
        "role": row.role or None,
        "at": said.created_at if said else None,
        "summary": said.summary if said else "",
        "metrics": dict(said.metrics) if said else {},
        "findings": [each.to_dict() for each in said.findings] if said else [],
        "stage": said.report.stage if said and said.report else None,
        "checks": [each.to_dict() for each in said.report.checks]
        if said and said.report
        else [],
        "tool": said.tool.name if said and said.tool else None,
        "path": row.path,
        "problem": row.problem or None,
    }


def attestation_lines(rows: Sequence[AttestationRow]) -> list[str]:
    """Return attestations for people, the newest of each type last."""
    return columns(
        [
            (
                f"{row.attestation.type} {row.number}",
                row.attestation.result,
                f"by {row.attestation.created_by}",
                f"as {row.role}" if row.role else f"PROBLEM {row.problem}",
                row.attestation.created_at,
            )
            if row.attestation
            else (row.path, "", "", f"PROBLEM {row.problem}", "")
            for row in rows
        ]
    )
