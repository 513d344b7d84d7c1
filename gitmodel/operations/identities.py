"""Edits of a policy document that concern keyless identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.errors import ConflictError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.policy import Identity

    Document = dict[str, Any]


def pin(document: Document, digest: Digest) -> bool:
    """Pin a trusted root; say whether that changed anything."""
    settings = document.setdefault("sigstore", {})
    changed = bool(settings.get("trustedRoot") != str(digest))
    settings["trustedRoot"] = str(digest)
    return changed


def add(document: Document, name: str, identity: Identity) -> bool:
    """Add an identity to a principal; say whether that changed anything.

    Raises:
        ConflictError: It belongs to somebody else.
        RefusedError: The policy pins no trusted root.
    """
    if not document.get("sigstore", {}).get("trustedRoot"):
        raise RefusedError(
            "The policy pins no trusted root of Sigstore, so no identity could sign.",
            "gitmodel policy trust-root FILE  pins one first.",
            code="E_TRUST_ROOT",
        )
    new = _to_dict(identity)
    for owner, entry in document["principals"].items():
        if new in entry.get("identities", ()):
            if owner == name:
                return False
            raise ConflictError(
                f"The identity {identity} belongs to {owner}; an identity has one "
                "owner.",
                code="E_IDENTITY_SHARED_BY_PRINCIPALS",
            )
    document["principals"][name].setdefault("identities", []).append(new)
    return True


def drop(document: Document, name: str, identity: Identity) -> bool:
    """Remove an identity from a principal.

    Raises:
        NotFoundError: The principal has no such identity.
        RefusedError: It is all that the principal could sign with.
    """
    entry = document["principals"][name]
    gone = _to_dict(identity)
    kept = [each for each in entry.get("identities", ()) if each != gone]
    if len(kept) == len(entry.get("identities", ())):
        raise NotFoundError(f"{name} has no identity {identity}")
    if kept:
        entry["identities"] = kept
        return True
    if not entry["keys"]:
        raise RefusedError(
            f"{name} could sign with nothing else.",
            "Add another key or identity first, or remove the principal.",
        )
    del entry["identities"]
    return True


def _to_dict(identity: Identity) -> dict[str, str]:
    return {"issuer": identity.issuer, "san": identity.san}
