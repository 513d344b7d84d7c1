"""How incidents and their evidence look, as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.event_rendering import events_text
from gitmodel.cli.output import columns, counted, cut, first_line, size, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.incident import IncidentResult
    from gitmodel.operations.incident_bundle import BundleResult
    from gitmodel.operations.incident_bundle_check import BundleCheck
    from gitmodel.operations.incident_report import IncidentReport, IncidentRow
    from gitmodel.registry.incidents import Incident

_COLORS = {"open": "yellow", "closed": "green", "broken": "red"}
_VERBS = {
    "opened": ("Opened", "open"),
    "note": ("Noted in", "note something in"),
    "closed": ("Closed", "close"),
    "reopened": ("Reopened", "reopen"),
}


def result_to_json(done: IncidentResult, told: Sequence[Delivery]) -> dict[str, object]:
    """Return an entry that was made, and who was told of it."""
    return {
        "incident": done.incident,
        "state": "open" if done.is_open else "closed",
        "entry": done.entry,
        "number": done.number,
        "severity": done.severity,
        "title": done.title,
        "digest": done.digest,
        "path": done.path,
        "by": done.by,
        "role": done.role,
        "commit": done.commit,
        "dryRun": done.dry_run,
        "notifications": [
            {"name": each.name, "delivered": each.ok, "detail": each.detail}
            for each in told
        ],
    }


def result_to_text(done: IncidentResult) -> str:
    """Return an entry that was made, for people."""
    past, infinitive = _VERBS[done.entry]
    verb = f"Would {infinitive}" if done.dry_run else past
    lines = [
        f"{verb} incident {done.incident}: {done.title}",
        f"  entry     {done.number}, by {done.by} as {done.role}",
        f"  severity  {done.severity}",
    ]
    if done.commit:
        lines.append(f"  commit    {done.commit[:12]}")
    return "\n".join(lines)


def row_to_json(row: IncidentRow) -> dict[str, object]:
    """Return one incident of a list."""
    return {
        "incident": row.id,
        "state": row.state,
        **_facts(row.incident),
        "problem": row.problem or None,
    }


def rows_to_text(session: Session, rows: Sequence[IncidentRow]) -> str:
    """Return a list of incidents for people."""
    if not rows:
        return ""
    cells = [
        (
            row.id,
            session.style(row.state, fg=_COLORS.get(row.state)),
            row.incident.severity if row.incident else "-",
            row.incident.opening.created_at if row.incident else "-",
            " ".join(row.incident.opening.models) if row.incident else "-",
            first_line(row.incident.opening.title if row.incident else row.problem),
        )
        for row in rows
    ]
    head = ("incident", "state", "severity", "opened", "models", "title")
    lines = table(head, cells).split("\n")
    return "\n".join(cut(line, session.width) for line in lines)


def report_to_json(report: IncidentReport) -> dict[str, object]:
    """Return an incident with its timeline."""
    from gitmodel.operations.incident_report import event_to_json

    entries = report.incident.entries if report.incident else ()
    return {
        "incident": report.id,
        "state": report.state,
        **_facts(report.incident),
        "entryDocuments": [entry.to_document() for entry in entries],
        "events": [event_to_json(event) for event in report.events],
        "tasks": [
            {
                "task": task.name,
                "done": task.done,
                "required": task.required,
                "detail": task.detail,
                "command": task.command or None,
            }
            for task in report.tasks
        ],
    }


def report_to_text(session: Session, report: IncidentReport) -> str:
    """Return an incident with its timeline, for people."""
    state = session.style(report.state, fg=_COLORS.get(report.state))
    lines = [f"Incident {report.id}: {state}"]
    found = report.incident
    if found is not None:
        lines[0] += f", {found.severity}: {found.opening.title}"
        if found.opening.models or found.opening.stages:
            about = " ".join([*found.opening.models, *found.opening.stages])
            lines.append(f"  concerns    {about}")
        if found.closing is not None:
            lines.append(f"  root cause  {first_line(found.closing.root_cause)}")
            lines.append(f"  fixed in    {found.closing.fixed_in}")
    lines += ["", events_text(session, report.events, incident=report.id)]
    settled = all(task.done for task in report.tasks)
    lines += ["", "What was to do:" if settled else "What there is to do:"]
    lines += columns(
        [
            (
                session.style("done", fg="green")
                if task.done
                else session.style("to do", fg="yellow"),
                task.name,
                first_line(task.detail),
            )
            for task in report.tasks
        ]
    )
    return "\n".join(lines)


def bundle_to_json(done: BundleResult) -> dict[str, object]:
    """Return an evidence bundle that was made."""
    return {
        "incident": done.index.incident,
        "path": str(done.path),
        "digest": done.digest,
        "size": done.size,
        "root": str(done.index.registry),
        "commit": done.index.commit,
        "by": done.index.created_by,
        "role": done.role,
        "withArtifacts": done.index.with_artifacts,
        "members": [
            {"path": name, "sha256": listed.digest.hex, "size": listed.size}
            for name, listed in sorted(done.index.members.items())
        ],
    }


def bundle_to_text(done: BundleResult) -> str:
    """Return an evidence bundle that was made, for people."""
    return (
        f"Packed the evidence of incident {done.index.incident} into {done.path}\n"
        f"  size    {size(done.size)}, {counted(len(done.index.members), 'member')}\n"
        f"  digest  {done.digest}\n"
        f"  commit  {done.index.commit[:12]}\n"
        f"  signed  by {done.index.created_by} as {done.role}"
    )


def check_to_json(check: BundleCheck) -> dict[str, object]:
    """Return what verifying an evidence bundle has shown."""
    return {
        "ok": check.ok,
        "incident": check.index.incident,
        "root": str(check.index.registry),
        "rootGiven": check.root_given,
        "commit": check.index.commit,
        "by": check.maker,
        "createdAt": check.index.created_at,
        "commits": check.commits,
        "members": len(check.index.members),
        "problems": [problem.to_dict() for problem in check.problems],
    }


def check_to_text(session: Session, check: BundleCheck) -> str:
    """Return what verifying an evidence bundle has shown, for people."""
    if check.ok:
        word = session.style("Verified", fg="green")
        index = check.index
        return (
            f"{word}: the evidence of incident {index.incident}, made by {check.maker} "
            f"at {index.created_at}\n"
            f"  root     {index.registry}\n"
            f"  commit   {index.commit[:12]}, {counted(check.commits, 'step')} judged\n"
            f"  members  {len(index.members)}"
        )
    return "\n".join(
        f"{session.style(problem.code, fg='red')}  {problem.path}: {problem.message}"
        for problem in check.problems
    )


def _facts(found: Incident | None) -> dict[str, object]:
    opening = found.opening if found else None
    closing = found.closing if found else None
    return {
        "severity": found.severity if found else None,
        "title": opening.title if opening else None,
        "models": list(opening.models) if opening else [],
        "stages": list(opening.stages) if opening else [],
        "openedAt": opening.created_at if opening else None,
        "openedBy": opening.created_by if opening else None,
        "entries": len(found.entries) if found else 0,
        "rootCause": closing.root_cause if closing else None,
        "fixedIn": closing.fixed_in if closing else None,
    }
