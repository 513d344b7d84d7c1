"""``gitmodel show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import SELECTOR, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.show import ShowResult


@click.command("show", cls=Command)
@click.argument("selector", type=SELECTOR)
@click.option(
    "--at",
    metavar="DATE",
    help="As of this date, such as 2026-03-01 or 2026-03-01T12:00Z.",
)
@json_option
@click.pass_obj
def command(session: Session, selector: str, at: str | None) -> None:
    """Show one version, and what became of it.

    SELECTOR names it: by version, by stage, by digest. With --at, stages are read as
    they were then.

    Examples:
      gitmodel show fraud@1.2.0
      gitmodel show fraud#production
      gitmodel show fraud#production --at 2026-03-01
    """
    from gitmodel.cli.dates import parse_date
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.show import show, view_at

    wanted = Selector.parse(selector)
    with session.open_closing() as handle:
        view = view_at(handle, parse_date(at, end=True)) if at else handle.view()
        result = show(view, wanted)
    session.answer(_to_json(result), _to_text(session, result))


def _to_json(result: ShowResult) -> dict[str, object]:
    from gitmodel.cli.rendering import attestation_json

    version = result.version
    return {
        "model": version.model,
        "version": str(version.version),
        "id": version.id,
        "manifest": str(version.digest),
        "status": result.status,
        "stages": list(result.stages),
        "createdAt": version.created_at,
        "createdBy": version.created_by,
        "metrics": dict(version.metrics),
        "training": dict(version.training),
        "environment": dict(result.document.get("environment", {})),
        "lineage": dict(result.document.get("lineage", {})),
        "architecture": result.document.get("architecture"),
        "labels": dict(version.labels),
        "previous": result.document.get("previous"),
        "change": result.document.get("change"),
        "description": result.document.get("description"),
        "artifacts": [artifact.to_dict() for artifact in version.artifacts],
        "attestations": [attestation_json(row) for row in result.attestations],
        "signatures": [
            {"principal": seal.principal, "keyid": seal.keyid, "role": seal.role}
            for seal in result.seals
        ],
        "signatureProblems": list(result.signature_problems),
        "logProblems": list(result.log_problems),
        "history": [
            {
                "stage": stay.stage,
                "since": stay.since,
                "until": stay.until,
                "leftBy": stay.left_by,
                "reason": stay.reason,
            }
            for stay in result.stays
        ],
        "commit": result.commit,
        "quarantine": result.quarantine,
    }


def _to_text(session: Session, result: ShowResult) -> str:
    from gitmodel.cli.output import columns, counted, first_line, number, size
    from gitmodel.cli.rendering import artifact_lines, attestation_lines
    from gitmodel.domain.metrics import read_metrics

    version = result.version
    signed = ", ".join(f"{seal.principal} as {seal.role}" for seal in result.seals)
    status = result.status + (
        f" in {', '.join(result.stages)}" if result.stages else ""
    )
    lines = [
        session.style(f"{version.model}@{version.version}", bold=True) + f"  {status}",
        f"id         {version.id}",
        f"manifest   {version.digest}",
        f"created    {version.created_at} by {version.created_by}",
        f"signed     {signed or 'by nobody entitled'}",
    ]
    if result.quarantine is not None:
        lines.append(f"QUARANTINE {first_line(result.quarantine)}")
    lines += [f"  PROBLEM  {problem}" for problem in result.signature_problems]
    lines += [f"  PROBLEM  {problem}" for problem in result.log_problems]
    if description := result.document.get("description"):
        lines.append(f"about      {first_line(description)}")
    if code := version.training.get("code"):
        dirty = " (with uncommitted changes)" if code.get("dirty") else ""
        repo = f"{code['repo']} " if code.get("repo") else ""
        lines.append(f"code       {repo}{code['commit'][:12]}{dirty}")
    for data in version.training.get("data", []):
        lines.append(
            f"data       {data['name']}  {data.get('digest', data.get('uri', ''))}"
        )
    for group, metrics in read_metrics(version.metrics).items():
        lines.append(f"{group}")
        lines += columns(
            [(name, number(metric.value)) for name, metric in metrics.items()]
        )
    count = len(version.artifacts)
    lines.append(f"artifacts  {counted(count, 'file')}, {size(version.size)}")
    lines += artifact_lines(version.artifacts)
    if result.attestations:
        lines.append("attested")
        lines += attestation_lines(result.attestations)
    if result.stays:
        lines.append("history")
        lines += columns(
            [
                (
                    stay.stage,
                    f"from {stay.since}",
                    f"until {stay.until}" if stay.until else "until now",
                    f"({stay.left_by})" if stay.left_by else "",
                    first_line(stay.reason),
                )
                for stay in result.stays
            ]
        )
    return "\n".join(lines)
