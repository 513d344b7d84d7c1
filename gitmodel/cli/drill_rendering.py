"""How a drill went, for ``gitmodel drill``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import columns

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.drill_result import DrillResult


def drill_json(done: DrillResult, *, dry_run: bool) -> dict[str, object]:
    """Return it for ``--json``."""
    return {
        "status": done.status,
        "model": done.model,
        "stage": done.stage,
        "from": done.version,
        "to": done.target,
        "switchedMs": done.switched,
        "preparedMs": done.prepared,
        "phases": [
            {
                "name": phase.name,
                "ok": phase.passed,
                "ms": phase.value,
                "detail": phase.detail,
            }
            for phase in done.phases
        ],
        "validations": [check.to_dict() for check in done.validations],
        "checks": [
            {
                "name": check.name,
                "ok": check.ok,
                "required": check.required,
                "found": check.found,
                "hint": check.hint,
            }
            for check in done.checks
        ],
        "kept": str(done.kept) if done.kept else None,
        "attestation": done.attestation,
        "path": done.path,
        "by": done.by,
        "role": done.role,
        "commit": done.commit,
        "dryRun": dry_run,
    }


def drill_text(session: Session, done: DrillResult) -> str:
    """Return it for people."""
    word = session.style(
        done.status, fg="green" if done.status == "passed" else "red", bold=True
    )
    way = f"{done.version} -> {done.target or 'nothing'}"
    lines = [f"{word}  drill of {done.model} in {done.stage}: {way}"]
    if done.switched is not None:
        lines[0] += f", switched after {done.switched / 1000:.2f} s"
    lines += columns(
        [
            [
                phase.name if phase.passed else f"{phase.name} FAILED",
                f"{phase.value:.0f} ms",
                # What stood in the way has a line of its own below, with its hint.
                phase.detail if phase.passed else "",
            ]
            for phase in done.phases
        ]
    )
    for check in done.checks:
        mark, color = (
            ("ok", "green")
            if check.ok
            else ("FAIL", "red")
            if check.required
            else ("note", "yellow")
        )
        lines.append(
            f"{session.style(f'{mark:<4}', fg=color)}  {check.name:<20} {check.found}"
        )
        if check.hint and not check.ok:
            lines.append(f"{'':<6}{'':<20} -> {check.hint}")
    if done.commit:
        lines.append(f"recorded  {done.path}, by {done.by} as {done.role}")
        lines.append(f"commit    {done.commit[:12]}")
    return "\n".join(lines)
