"""What the checks after a rollback came to, for ``validate`` and ``rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import columns

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.post_rollback import PostRollbackResult


def validation_json(done: PostRollbackResult) -> dict[str, object]:
    """Return it for ``--json``."""
    return {
        "status": done.status,
        "passed": done.passed,
        "model": done.model,
        "version": done.version,
        "stage": done.stage,
        "transition": done.transition,
        "seq": done.seq,
        "checks": [check.to_dict() for check in done.checks],
        "findings": [finding.to_dict() for finding in done.findings],
        "attestation": done.attestation,
        "path": done.path,
        "by": done.by,
        "role": done.role,
        "commit": done.commit,
        "dryRun": done.dry_run,
    }


def validation_text(session: Session, done: PostRollbackResult) -> str:
    """Return it for people."""
    what = f"{done.model}@{done.version}"
    if done.status == "none":
        return f"{what} is live in {done.stage}; its model asks for no checks."
    color = "green" if done.passed else "red"
    word = session.style(done.status, fg=color)
    signed = f", by {done.by} as {done.role}" if done.commit else ""
    lines = [f"{word}  {what} in {done.stage}, since rollback {done.seq}{signed}"]
    lines += columns(
        [
            [
                "ok" if check.passed else "FAILED",
                check.name,
                f"{check.seconds:.1f} s",
                check.detail,
            ]
            for check in done.checks
        ]
    )
    if done.commit:
        lines.append(f"  commit  {done.commit[:12]}")
    return "\n".join(lines)
