"""How requests look, in JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.operations.requests import RequestRow


def request_json(row: RequestRow) -> dict[str, object]:
    """Return the JSON form of a request."""
    return {
        "kind": row.kind,
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
        "needed": list(row.needed),
        "commit": row.commit,
    }


def request_name(row: RequestRow) -> str:
    """Return how people name a request."""
    if row.model is None:
        return f"policy {row.version}"
    return f"{row.model}#{row.stage}"


def request_text(row: RequestRow) -> str:
    """Return a request as people read it."""
    heads = {
        "policy": f"policy {row.origin} -> {row.version}",
        "rollback": f"{row.model} back in {row.stage}: {row.origin} -> {row.version}",
    }
    promotion = (
        f"{row.model} in {row.stage}: {row.origin or '(empty)'} -> {row.version}"
    )
    word = "signatures" if row.kind == "policy" else "approvals"
    lines = [
        heads.get(row.kind, promotion),
        f"  status     {row.status}, {len(row.approvals)} of {row.threshold} {word}",
    ]
    for label, text in (
        ("requester", row.requester),
        ("approved", ", ".join(row.approvals)),
        ("rejected", ", ".join(row.rejections)),
        ("reason", next(iter(row.reason.splitlines()), "")),
        ("needs", "; ".join(row.needed)),
        ("branch", row.branch),
    ):
        if text:
            lines.append(f"  {label:<9}  {text}")
    return "\n".join(lines)
