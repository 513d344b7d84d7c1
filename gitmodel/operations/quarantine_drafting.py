"""The next document of the chain of quarantines, written and signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.moment import to_text
from gitmodel.domain.quarantine import MOST_SUBJECTS, Quarantine
from gitmodel.errors import InputError
from gitmodel.formats import schema
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, sign_document
from gitmodel.registry.quarantine_chain import KIND, last_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.quarantine import Action, Subject
    from gitmodel.registry.change import SignedFiles
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: Characters of one subject, where it is named in passing.
_LONGEST = 80


def draft(
    handle: RegistryHandle,
    view: View,
    action: Action,
    subjects: Sequence[Subject],
    reason: str,
    incident: str | None,
) -> Quarantine:
    """Return the next document of the chain, by whoever signs.

    Raises:
        InputError: It would name too much (``E_LIMIT``), or the reason is malformed.
    """
    if len(subjects) > MOST_SUBJECTS:
        raise InputError(
            f"These are {len(subjects):,} subjects, and one document names "
            f"{MOST_SUBJECTS:,} at most.",
            "Name them in several commands.",
            code="E_LIMIT",
        )
    number, prior = last_digest(view)
    document = Quarantine(
        number=number + 1,
        prior=prior,
        action=action,
        subjects=tuple(subjects),
        policy=view.policy_digest,
        incident=incident,
        reason=reason,
        created_at=to_text(handle.context.clock.now()),
        created_by=handle.principal(view),
    )
    path = layout.quarantine_path(document.number)
    schema.require("Quarantine", document.to_document(), path)
    return document


def sign_draft(
    handle: RegistryHandle, view: View, document: Quarantine, role: str
) -> SignedFiles:
    """Return a document of the chain with its first signature."""
    return sign_document(
        handle.signer,
        layout.quarantine_path(document.number),
        document.to_document(),
        kind=KIND,
        role=role,
        authority=Authority(view.registry_id, view.policy_digest),
    )


def message_of(document: Quarantine, digest: Digest, principal: str) -> CommitMessage:
    """Return what the log will say of a document that ``principal`` signed."""
    return CommitMessage(
        subject=f"{document.action}: {in_words(document.subjects)}",
        body=document.reason,
        trailers=(
            ("Gitmodel-Action", document.action),
            ("Gitmodel-Quarantine", str(digest)),
            ("Gitmodel-Incident", document.incident or ""),
            ("Gitmodel-Principal", principal),
        ),
    )


def in_words(subjects: Sequence[Subject]) -> str:
    """Return some subjects in a few words."""
    more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
    first = str(subjects[0])
    if len(first) > _LONGEST:
        first = f"{first[: _LONGEST - 1]}…"
    return f"{first}{more}"
