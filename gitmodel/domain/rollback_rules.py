"""What a stage asks of a rollback: before it, or after the fact (R145, R175).

An emergency never waits: whatever a stage asks for before an ordinary rollback, it
asks for afterwards, and of at least one other principal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.domain.gates import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

Review = Literal["before", "after"]

#: How long others have to look at a rollback that did not wait for them.
WITHIN = timedelta(hours=24)
#: Who may act in an emergency, whatever the stage says of ordinary rollbacks.
RESPONDER = "responder"

_MORE = ("review", "within", "furtherBack")


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRules:
    """What a stage asks of a rollback.

    Attributes:
        approvals: How many principals, the requester aside, must approve.
        role: Who may roll back.
        review: Whether they must have approved before it lands.
        within: How long they have to approve afterwards.
        further_back: How many more steps back a rollback may go by itself, one for
            each target whose validation fails.
        more: What the document says beside approvals and role, as it says it.
    """

    approvals: int
    role: str
    review: Review = "before"
    within: timedelta = WITHIN
    further_back: int = 0
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> RollbackRules:
        """Read what a schema-valid policy says of a stage's rollbacks.

        Raises:
            InputError: ``within`` is no duration.
        """
        return cls(
            approvals=body["approvals"],
            role=body["role"],
            review="after" if body.get("review") == "after" else "before",
            within=duration(body["within"]) if "within" in body else WITHIN,
            further_back=body.get("furtherBack", 0),
            more={name: body[name] for name in _MORE if name in body},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return them as the document has them."""
        return {"approvals": self.approvals, "role": self.role, **self.more}

    def role_for(self, *, emergency: bool) -> str:
        """Return the role in which a rollback is asked for."""
        return RESPONDER if emergency else self.role

    def before(self, *, emergency: bool) -> int:
        """Return how many must approve before it lands."""
        return 0 if emergency or self.review == "after" else self.approvals

    def after(self, *, emergency: bool) -> int:
        """Return how many must approve once it has landed."""
        if emergency:
            return max(1, self.approvals)
        return self.approvals if self.review == "after" else 0
