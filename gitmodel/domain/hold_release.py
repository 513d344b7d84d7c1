"""What ends a hold: a version that was rolled back may enter that stage again (R171).

A rollback holds what it took out: nobody promotes those bytes to that stage again,
no robot and no human, until somebody who may roll back there has said in a signed
document of its own that they may return. A hold needs no document: it follows from
the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.transition import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRelease:
    """The end of one hold.

    Attributes:
        seq: Of the rollback that holds.
        transition: Its digest.
        policy: Digest of the policy in force.
        created_at: RFC 3339, as written.
        created_by: The principal who signs it.
    """

    model: str
    stage: str
    seq: int
    transition: Digest
    policy: Digest
    reason: str
    created_at: str
    created_by: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> HoldRelease:
        """Read a validated ``HoldRelease`` document."""
        return cls(
            model=document["model"],
            stage=document["stage"],
            seq=document["seq"],
            transition=Digest.parse(document["transition"]),
            policy=Digest.parse(document["policy"]),
            reason=document["reason"],
            created_at=document["createdAt"],
            created_by=document["createdBy"],
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "HoldRelease",
            "model": self.model,
            "stage": self.stage,
            "seq": self.seq,
            "transition": str(self.transition),
            "policy": str(self.policy),
            "reason": self.reason,
            "createdAt": self.created_at,
            "createdBy": self.created_by,
        }


def misdirected(
    release: HoldRelease, held_by: Transition | None, digest: Digest | None
) -> str | None:
    """Say why a release ends no hold; None if it does.

    Args:
        release: The document.
        held_by: The transition at its place in the log; None for none.
        digest: Of that transition.
    """
    if held_by is None or held_by.action != "rollback":
        return "there is no rollback of that number, which could hold anything."
    if (release.model, release.stage, release.seq) != (
        held_by.model,
        held_by.stage,
        held_by.seq,
    ):
        return (
            f"it is about rollback {release.seq} of {release.model} in {release.stage}."
        )
    if release.transition != digest:
        return "it names another rollback than the log has."
    return None
