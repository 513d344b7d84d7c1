"""A signed record of one promotion or rollback: a link in a stage's log.

The transitions of one model in one stage are a chain: ``seq`` counts from 1
and ``prior`` is the digest of the transition before. So an approval of one
transition can never be used for another, and a lost link shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import API_VERSION, Release

if TYPE_CHECKING:
    from collections.abc import Mapping

Action = Literal["promote", "rollback", "retire"]
#: What a stage's rules tell apart: an emergency is a rollback that waits for nobody.
Move = Literal["promote", "rollback", "retire", "emergency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One move of one pin.

    Attributes:
        pin: Digest of the pin file after the move; None when the stage is emptied.
        policy: Digest of the policy in force.
        requester: The principal who asked for it.
        evidence: Digests of what was looked at before deciding.
        created_at: RFC 3339, as written.
        emergency: Whether it did not wait for approvals; a rollback by a responder,
            in an incident, that others must approve afterwards.
    """

    action: Action
    model: str
    stage: str
    seq: int
    prior: Digest | None
    origin: Release | None
    target: Release | None
    pin: Digest | None
    policy: Digest
    requester: str
    reason: str
    created_at: str
    incident: str | None = None
    evidence: tuple[Digest, ...] = ()
    expires_at: str | None = None
    emergency: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Transition:
        """Read a validated ``Transition`` document."""
        return cls(
            action=document["action"],
            model=document["model"],
            stage=document["stage"],
            seq=document["seq"],
            prior=_digest(document["prior"]),
            origin=_release(document["from"]),
            target=_release(document["to"]),
            pin=_digest(document["pin"]),
            policy=Digest.parse(document["policy"]),
            requester=document["requester"],
            reason=document["reason"],
            created_at=document["createdAt"],
            incident=document.get("incident"),
            evidence=tuple(map(Digest.parse, document.get("evidence", ()))),
            expires_at=document.get("expiresAt"),
            emergency=document.get("emergency", False),
        )

    @property
    def move(self) -> Move:
        """What its stage's rules are asked about."""
        return "emergency" if self.emergency else self.action

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Transition",
            "action": self.action,
            "model": self.model,
            "stage": self.stage,
            "seq": self.seq,
            "prior": str(self.prior) if self.prior else None,
            "from": self.origin.to_dict() if self.origin else None,
            "to": self.target.to_dict() if self.target else None,
            "pin": str(self.pin) if self.pin else None,
            "policy": str(self.policy),
            "requester": self.requester,
            "reason": self.reason,
            "incident": self.incident,
            "evidence": [str(digest) for digest in self.evidence],
            "createdAt": self.created_at,
            "expiresAt": self.expires_at,
        } | ({"emergency": True} if self.emergency else {})


def _digest(text: str | None) -> Digest | None:
    return Digest.parse(text) if text is not None else None


def _release(data: Mapping[str, Any] | None) -> Release | None:
    return Release.from_dict(data) if data is not None else None
