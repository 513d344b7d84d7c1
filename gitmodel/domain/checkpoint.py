"""A checkpoint: what a registry was at one commit, for those who were not there.

It is signed, expires, and stands alone, so that a fresh clone, a shallow one or a
consumer without any can tell a forked, rewritten or frozen registry from the real
one. ``seq`` is the number of commits on the first-parent line up to ``commit``: two
checkpoints with the same ``seq`` and different commits prove a fork.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import from_text
from gitmodel.domain.pin import API_VERSION
from gitmodel.domain.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest transition of one pin."""

    stage: str
    model: str
    seq: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One checkpoint.

    Attributes:
        registry: Digest of policy 1.
        seq: Commits on the first-parent line up to ``commit``, from 1.
        prior: Digest of the checkpoint that its maker knew before; None for none.
        tree: Digest of everything protected; see ``registry.checkpoints``.
        policy: Digest of the policy in force at ``commit``.
        created_at: RFC 3339, as written.
        chains: The newest transition of every pin, by stage and model.
    """

    registry: Digest
    seq: int
    prior: Digest | None
    commit: str
    tree: Digest
    policy: Digest
    created_at: str
    expires_at: str
    chains: tuple[Tip, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Checkpoint:
        """Read a validated ``Checkpoint`` document."""
        prior = document["prior"]
        return cls(
            registry=Digest.parse(document["registry"]),
            seq=document["seq"],
            prior=Digest.parse(prior) if prior is not None else None,
            commit=document["commit"],
            tree=Digest.parse(document["tree"]),
            policy=Digest.parse(document["policy"]),
            created_at=document["createdAt"],
            expires_at=document["expiresAt"],
            chains=tuple(
                Tip(tip["stage"], tip["model"], tip["seq"], Digest.parse(tip["digest"]))
                for tip in document["chains"]
            ),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Checkpoint",
            "registry": str(self.registry),
            "seq": self.seq,
            "prior": str(self.prior) if self.prior else None,
            "commit": self.commit,
            "tree": str(self.tree),
            "policy": str(self.policy),
            "createdAt": self.created_at,
            "expiresAt": self.expires_at,
            "chains": [
                {
                    "stage": tip.stage,
                    "model": tip.model,
                    "seq": tip.seq,
                    "digest": str(tip.digest),
                }
                for tip in self.chains
            ],
        }

    def staleness(
        self, now: datetime, max_age: timedelta | None
    ) -> tuple[Problem, ...]:
        """Say whether it is too old to show that a registry is up to date."""
        if now > from_text(self.expires_at):
            message = f"the checkpoint expired at {self.expires_at}."
        elif max_age is not None and now - from_text(self.created_at) > max_age:
            message = f"the checkpoint is of {self.created_at}, older than you allow."
        else:
            return ()
        return (Problem("E_FROZEN", message, commit=self.commit),)

    def equivocations(self, others: Iterable[Checkpoint]) -> tuple[Problem, ...]:
        """Compare with other checkpoints: one place in history is one commit."""
        return tuple(
            Problem(
                "E_EQUIVOCATION",
                f"two checkpoints name different commits as number {self.seq}: "
                f"{self.commit[:12]} and {other.commit[:12]}.",
                commit=self.commit,
            )
            for other in others
            if (other.registry, other.seq) == (self.registry, self.seq)
            and other.commit != self.commit
        )
