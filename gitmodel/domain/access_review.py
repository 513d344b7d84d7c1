"""An access review: someone looked at who may do what, and says when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import from_text
from gitmodel.domain.pin import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: Who may sign a review; the first that a signer has is used.
ROLES = ("auditor", "root")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReview:
    """One link of the chain of reviews.

    Attributes:
        seq: 1, 2, 3 …
        prior: Digest of the review before; None for the first.
        policy: Digest of the policy that was reviewed: the one in force.
        created_at: RFC 3339, as written.
        due_at: When the next review is due.
    """

    seq: int
    prior: Digest | None
    policy: Digest
    reviewer: str
    comment: str
    created_at: str
    due_at: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> AccessReview:
        """Read a validated ``AccessReview`` document."""
        prior = document["prior"]
        return cls(
            seq=document["seq"],
            prior=Digest.parse(prior) if prior is not None else None,
            policy=Digest.parse(document["policy"]),
            reviewer=document["reviewer"],
            comment=document["comment"],
            created_at=document["createdAt"],
            due_at=document["dueAt"],
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "AccessReview",
            "seq": self.seq,
            "prior": str(self.prior) if self.prior else None,
            "policy": str(self.policy),
            "reviewer": self.reviewer,
            "comment": self.comment,
            "createdAt": self.created_at,
            "dueAt": self.due_at,
        }

    def overdue(self, now: datetime) -> bool:
        """Say whether the next review should have been made by ``now``."""
        return now > from_text(self.due_at)
