"""How requests look, in JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.operations.requests import RequestRow


def request_json(row: RequestRow) -> dict[str, object]:
    """Return the JSON form of a request."""
    return {
        "status": row.status,
        "model": row.model,
        "version": row.version,
        "stage": row.stage,
        "from": row.origin,
        "requester": row.requester,
        "reason": row.reason,
        "branch": row.branch,
        "approvals": list(row.approvals),
        "rejections": list(row.rejections),
        "threshold": row.threshold,
        "commit": row.commit,
    }


def request_text(row: RequestRow) -> str:
    """Return a request as people read it."""
    lines = [
        f"{row.model} in {row.stage}: {row.origin or '(empty)'} -> {row.version}",
        f"  status     {row.status}, {len(row.approvals)} of {row.threshold} approvals",
        f"  requester  {row.requester}",
    ]
    if row.approvals:
        lines.append(f"  approved   {', '.join(row.approvals)}")
    if row.rejections:
        lines.append(f"  rejected   {', '.join(row.rejections)}")
    if row.reason:
        lines.append(f"  reason     {row.reason.splitlines()[0]}")
    lines.append(f"  branch     {row.branch}")
    return "\n".join(lines)
