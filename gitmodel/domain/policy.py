"""Who may do what: principals, roles, thresholds and the rules of each stage.

A principal is a person or a robot, not a key: thresholds count principals, and
a key or an identity belongs to one principal only, so one person with two keys is
still one (``design`` §4.4). An object of this module that exists is usable: dangerous
policies are refused when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.domain.contradictions import Parts, contradictions, require_none
from gitmodel.domain.digest import Digest
from gitmodel.domain.forge import KINDS, ForgeKind
from gitmodel.domain.names import principal_name, stage_name
from gitmodel.domain.pin import API_VERSION
from gitmodel.domain.principals import Identity, Key, Principal, Role
from gitmodel.domain.quorum import Quorum
from gitmodel.domain.rollback_rules import RESPONDER, RollbackRules
from gitmodel.domain.sensitivity import Sensitivity
from gitmodel.domain.stage_rules import StageRules, effective
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ROLES", "Identity", "Key", "Policy", "Principal", "Role"]

ROLES = (
    "root",
    "publisher",
    "promoter",
    "approver",
    "responder",
    "auditor",
    "collector",
)

#: Who lifts a quarantine where the policy does not say.
LIFT = Quorum(role="approver", threshold=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One link of the policy chain.

    Attributes:
        trusted_root: Of the Sigstore that vouches for identities; None for none.
        lift: How many must sign, and in which role, to lift a quarantine.
    """

    version: int
    prior: Digest | None
    uid: str
    created_at: str
    principals: tuple[Principal, ...]
    roles: tuple[Role, ...]
    stages: tuple[tuple[str, StageRules], ...]
    trusted_root: Digest | None = None
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    lift: Quorum = LIFT

    @classmethod
    def first(
        cls,
        *,
        uid: str,
        created_at: str,
        owner: Principal,
        stages: tuple[str, ...],
        trusted_root: Digest | None = None,
    ) -> Policy:
        """Return policy 1: one principal in every role, each stage after the last."""
        return cls(
            version=1,
            prior=None,
            uid=uid,
            created_at=created_at,
            principals=(owner,),
            roles=tuple(Role(role, (owner.name,), 1) for role in ROLES),
            stages=tuple(
                (
                    stage,
                    StageRules(
                        source=stages[index - 1] if index else None,
                        approvals=(Quorum(role="approver", threshold=0),),
                        approver_role="approver",
                        rollback=RollbackRules(approvals=0, role=RESPONDER),
                    ),
                )
                for index, stage in enumerate(stages)
            ),
            trusted_root=trusted_root,
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Policy:
        """Read a schema-valid ``Policy`` document.

        Raises:
            InputError: Its parts contradict each other.
        """
        policy = cls(
            version=document["version"],
            prior=Digest.parse(document["prior"]) if document["prior"] else None,
            uid=document["uid"],
            created_at=document["createdAt"],
            principals=tuple(
                Principal(
                    principal_name(name),
                    tuple(Key(key["keyid"], key["public"]) for key in body["keys"]),
                    tuple(
                        Identity(each["issuer"], each["san"])
                        for each in body.get("identities", ())
                    ),
                    tuple(
                        (kind, body["forge"][kind])
                        for kind in KINDS
                        if kind in body.get("forge", {})
                    ),
                )
                for name, body in document["principals"].items()
            ),
            roles=tuple(
                Role(name, tuple(body["members"]), body["threshold"])
                for name, body in document["roles"].items()
            ),
            stages=_stages(document["stages"]),
            trusted_root=_trusted_root(document),
            sensitivity=Sensitivity.from_dict(document.get("sensitivity", {})),
            lift=_lift(document),
        )
        require_none(
            contradictions(
                Parts(
                    policy.principals,
                    policy.roles,
                    policy.stages,
                    tuple(rules for _, rules in policy.variants()),
                    certified=policy.trusted_root is not None,
                    lift=policy.lift,
                )
            )
        )
        return policy

    def role(self, name: str) -> Role | None:
        """Return the role called ``name``."""
        return next((role for role in self.roles if role.name == name), None)

    def has_role(self, principal: str, role: str) -> bool:
        """Say whether ``principal`` may act in ``role``."""
        found = self.role(role)
        return found is not None and principal in found.members

    def owner_of(self, keyid: str) -> str | None:
        """Return the principal to whom a key, or an identity, belongs by its id."""
        return next(
            (
                principal.name
                for principal in self.principals
                if keyid in principal.keyids
            ),
            None,
        )

    def owner_of_identity(self, issuer: str, san: str) -> str | None:
        """Return the principal to whom exactly this identity belongs."""
        return next(
            (
                principal.name
                for principal in self.principals
                for identity in principal.identities
                if (identity.issuer, identity.san) == (issuer, san)
            ),
            None,
        )

    def owner_of_account(self, kind: ForgeKind, number: int) -> str | None:
        """Return the principal whose account at a kind of forge has that number."""
        return next(
            (each.name for each in self.principals if each.account(kind) == number),
            None,
        )

    def rules_for(self, stage: str, model: str) -> StageRules | None:
        """Return the rules of ``stage`` for ``model``, with all that is asked of it."""
        level = self.sensitivity.level_of(model)
        return next(
            (
                effective(rules, model, level)
                for name, rules in self.stages
                if name == stage
            ),
            None,
        )

    def variants(self) -> Iterator[tuple[str, dict[str, StageRules]]]:
        """Yield every set of rules that some model falls under, with whom it is for."""
        singled = dict.fromkeys(
            name for _, rules in self.stages for name, _ in rules.models
        )
        levels = {"": self.sensitivity.level_of("")} | {
            f"{level} models": level for _, level in self.sensitivity.models
        }
        for who, name, level in (
            *((who, "", level) for who, level in levels.items()),
            *((name, name, self.sensitivity.level_of(name)) for name in singled),
        ):
            yield (
                who,
                {stage: effective(rules, name, level) for stage, rules in self.stages},
            )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Policy",
            "version": self.version,
            "prior": str(self.prior) if self.prior else None,
            "uid": self.uid,
            "createdAt": self.created_at,
            "principals": {
                principal.name: {
                    "keys": [
                        {"keyid": key.keyid, "public": key.public}
                        for key in principal.keys
                    ]
                }
                | _identities(principal)
                | ({"forge": dict(principal.accounts)} if principal.accounts else {})
                for principal in self.principals
            },
            "roles": {
                role.name: {"members": list(role.members), "threshold": role.threshold}
                for role in self.roles
            },
            "stages": {name: rules.to_dict() for name, rules in self.stages},
        } | {
            name: part
            for name, part in (
                ("sensitivity", self.sensitivity.to_dict()),
                ("quarantine", _quarantine(self.lift)),
                ("sigstore", _sigstore(self.trusted_root)),
            )
            if part
        }


def _stages(document: Mapping[str, Any]) -> tuple[tuple[str, StageRules], ...]:
    wrong: list[InputError] = []
    stages = []
    for name, body in document.items():
        try:
            stages.append((stage_name(name), StageRules.from_dict(name, body)))
        except InputError as error:
            wrong.append(error)
    require_none(wrong)
    return tuple(stages)


def _lift(document: Mapping[str, Any]) -> Quorum:
    asked = document.get("quarantine", {}).get("lift")
    return Quorum(role=asked["role"], threshold=asked["threshold"]) if asked else LIFT


def _quarantine(lift: Quorum) -> dict[str, Any]:
    if lift == LIFT:
        return {}
    return {"lift": {"threshold": lift.threshold, "role": lift.role}}


def _trusted_root(document: Mapping[str, Any]) -> Digest | None:
    pinned = document.get("sigstore", {}).get("trustedRoot")
    return Digest.parse(pinned) if pinned else None


def _sigstore(trusted_root: Digest | None) -> dict[str, Any]:
    return {"trustedRoot": str(trusted_root)} if trusted_root else {}


def _identities(principal: Principal) -> dict[str, Any]:
    if not principal.identities:
        return {}
    return {
        "identities": [
            {"issuer": each.issuer, "san": each.san} for each in principal.identities
        ]
    }
