"""Edits of a policy document that concern accounts at forges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.errors import ConflictError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from gitmodel.domain.forge import ForgeKind

    Document = dict[str, Any]


def put(document: Document, name: str, kind: ForgeKind, number: int) -> bool:
    """Give a principal an account, its only one there; say whether that is new.

    Raises:
        ConflictError: It belongs to somebody else.
    """
    for owner, entry in document["principals"].items():
        if entry.get("forge", {}).get(kind) != number:
            continue
        if owner == name:
            return False
        raise ConflictError(
            f"Account {number} at {kind} belongs to {owner}; an account has one owner.",
            code="E_ACCOUNT_SHARED_BY_PRINCIPALS",
        )
    document["principals"][name].setdefault("forge", {})[kind] = number
    return True


def drop(document: Document, name: str, kind: str) -> bool:
    """Take an account from a principal.

    Raises:
        NotFoundError: The principal has none there.
        RefusedError: It is all that the principal has.
    """
    entry = document["principals"][name]
    accounts = entry.get("forge", {})
    if kind not in accounts:
        raise NotFoundError(f"{name} has no account at {kind[:40]!a}.")
    if len(accounts) == 1 and not (entry.get("keys") or entry.get("identities")):
        raise RefusedError(
            f"{name} would have nothing left.",
            f"gitmodel policy remove-principal {name}  removes {name} altogether.",
        )
    del accounts[kind]
    if not accounts:
        del entry["forge"]
    return True
