"""How an access review looks, as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.cli.output import table

if TYPE_CHECKING:
    from gitmodel.operations.access_review import Access, ReviewResult


def review_to_json(result: ReviewResult) -> dict[str, object]:
    """Return the answer of ``policy review --json``."""
    return {
        "policy": result.policy,
        "access": [
            {
                "principal": one.principal,
                "keyid": one.keyid,
                "identity": one.identity,
                "account": one.account,
                "since": one.since,
                "roles": [{"role": role, "since": since} for role, since in one.roles],
                "lastUse": {
                    "path": one.last_use.path,
                    "commit": one.last_use.commit,
                    "at": one.last_use.at,
                }
                if one.last_use
                else None,
            }
            for one in result.access
        ],
        "review": result.review.to_document() if result.review else None,
        "overdue": result.overdue or None,
        "changed": result.changed,
        "commit": result.commit,
        "dryRun": result.dry_run,
    }


def review_to_text(result: ReviewResult) -> str:
    """Return the answer of ``policy review`` for people."""
    rows = [
        (
            one.principal,
            one.account or one.identity or (one.keyid or "")[:8],
            f"policy {one.since}",
            _last_use(one),
            " ".join(f"{role}({since})" for role, since in one.roles) or "-",
        )
        for one in result.access
    ]
    head = (
        "principal", "key, identity, account", "since", "last use",
        "roles (since policy)",
    )  # fmt: skip
    review = result.review
    foot = (
        f"Reviewed by {review.reviewer} at {review.created_at}; due again at "
        f"{review.due_at}"
        if review
        else "Never reviewed."
    )
    if result.changed:
        foot += "\nThe policy has changed since then."
    if result.overdue:
        foot += f"\nOverdue: {result.overdue}"
    return f"Policy {result.policy}\n\n{table(head, rows)}\n\n{foot}"


def _last_use(one: Access) -> str:
    if one.account is not None:
        return "-"
    if one.last_use is None:
        return "never"
    return one.last_use.at or one.last_use.commit[:12]
