"""What a stage asks of promotions and rollbacks, and whether anybody could meet it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import ATTESTORS
from gitmodel.domain.forge_approval import Source
from gitmodel.domain.gates import (
    AttestationGate,
    Freeze,
    Gate,
    SoakGate,
    contradiction,
)
from gitmodel.domain.overrides import Override, read_gates, weaker
from gitmodel.domain.quorum import Quorum, join
from gitmodel.domain.rollback_rules import RollbackRules
from gitmodel.domain.sensitivity import reaches
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_BACK = ("rollback", "emergency")
_KEPT = ("gates", "soak", "freeze", "models", "sensitivity")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRules:
    """What a stage asks of a promotion and of a rollback.

    Attributes:
        source: The stage that a version must have reached before; None for none.
        approvals: Who must approve a promotion beside the requester.
        approver_role: Who approves a rollback.
        rollback: What is asked of a rollback.
        gates: What a version must have shown.
        freeze: When nothing is promoted.
        models: What is asked of single models in addition.
        levels: What is asked in addition from a level of sensitivity on.
        asked: What the document has of all that beside approvals, as it has it.
        forges: Repositories at forges whose reviews count as approvals.
    """

    source: str | None
    approvals: tuple[Quorum, ...]
    approver_role: str
    rollback: RollbackRules
    gates: tuple[Gate, ...] = ()
    freeze: tuple[Freeze, ...] = ()
    models: tuple[tuple[str, Override], ...] = ()
    levels: tuple[tuple[str, Override], ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict, hash=False)
    forges: tuple[Source, ...] = ()

    @classmethod
    def from_dict(cls, stage: str, body: Mapping[str, Any]) -> StageRules:
        """Read the rules of a stage.

        Raises:
            InputError: A gate is unknown, or cannot be met; more approvals must be
                direct than there must be; an override is weaker than the stage.
        """
        asked = body["approvals"]
        own = Quorum(
            role=asked["role"],
            threshold=asked["threshold"],
            direct=asked.get("direct", 0),
        )
        source = body["from"]
        more = {
            part: tuple(
                (name, Override.from_dict(override, own=own, source=source))
                for name, override in body.get(part, {}).items()
            )
            for part in ("models", "sensitivity")
        }
        rules = cls(
            source=source,
            approvals=(own,),
            approver_role=own.role,
            rollback=RollbackRules.from_dict(body["rollback"]),
            gates=read_gates(body, source),
            freeze=tuple(map(Freeze.from_dict, body.get("freeze", ()))),
            models=more["models"],
            levels=more["sensitivity"],
            asked={name: body[name] for name in _KEPT if name in body},
            forges=tuple(map(Source.from_dict, asked.get("forges", ()))),
        )
        rules._require_sensible(stage, own)
        return rules

    def _require_sensible(self, stage: str, own: Quorum) -> None:
        if why := contradiction(self.gates):
            raise _refused(f"{stage}: {why}")
        overrides = [*self.models, *self.levels]
        for quorum in (own, *(each.approvals for _, each in overrides)):
            if quorum is not None and quorum.direct > quorum.threshold:
                raise _refused(
                    f"{stage}: {quorum.direct} direct ones of {quorum.threshold} "
                    "approvals"
                )
        for name, override in overrides:
            for why in weaker(override, own, self.gates):
                raise InputError(
                    f"What {stage} asks of {name} would be weaker than what it asks of "
                    f"all: {why}.",
                    code="E_POLICY_WEAKER",
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as the document has them."""
        [own] = self.approvals
        return {
            "from": self.source,
            "approvals": {"threshold": own.threshold, "role": own.role}
            | ({"direct": own.direct} if own.direct else {})
            | (
                {"forges": [each.to_dict() for each in self.forges]}
                if self.forges
                else {}
            ),
            "rollback": self.rollback.to_dict(),
            **self.asked,
        }

    def quorums(self, move: str) -> tuple[Quorum, ...]:
        """Return who must approve a move of this kind before it lands.

        Where reviews at a forge count, as many approvals of a rollback must be direct
        as of a promotion: taking a stage back is no lesser thing to make up.
        """
        if move not in _BACK:
            return join(self.approvals)
        return self._of_rollback(self.rollback.before(emergency=move == "emergency"))

    def reviews(self, move: str) -> tuple[Quorum, ...]:
        """Return who must approve a move of this kind once it has landed."""
        if move not in _BACK:
            return ()
        return self._of_rollback(self.rollback.after(emergency=move == "emergency"))

    def _of_rollback(self, threshold: int) -> tuple[Quorum, ...]:
        direct = max(each.direct for each in self.approvals) if self.forges else 0
        quorum = Quorum(
            role=self.approver_role, threshold=threshold, direct=min(direct, threshold)
        )
        return join((quorum,))

    def judging_roles(self, move: str) -> tuple[str, ...]:
        """Return the roles whose members have a say in a move of this kind."""
        return tuple(quorum.role for quorum in self.quorums(move)) or ("approver",)

    def requester_role(self, move: str) -> str:
        """Return the role in which a move of this kind is asked for."""
        if move not in _BACK:
            return "promoter"
        return self.rollback.role_for(emergency=move == "emergency")


def effective(rules: StageRules, model: str, level: str) -> StageRules:
    """Return the rules of a stage for one model: its own, and all that come on top.

    The one place where overrides take effect; everything that asks what a stage
    demands, now or of the past, asks here.

    Args:
        rules: Of the stage, as the policy has them.
        model: Which model; the case of its name does not matter.
        level: How sensitive that is.
    """
    if not rules.models and not rules.levels:
        return rules
    name = model.casefold()
    more = [
        *(override for known, override in rules.models if known.casefold() == name),
        *(override for rule, override in rules.levels if reaches(level, rule)),
    ]
    return replace(
        rules,
        approvals=join(
            (*rules.approvals, *(each.approvals for each in more if each.approvals))
        ),
        gates=tuple(dict.fromkeys([*rules.gates, *(g for o in more for g in o.gates)])),
        freeze=tuple(
            dict.fromkeys([*rules.freeze, *(f for o in more for f in o.freeze)])
        ),
        models=(),
        levels=(),
    )


def require_reachable(
    stages: Mapping[str, StageRules], roles: Mapping[str, Collection[str]]
) -> None:
    """Insist that every stage can be reached by somebody's work.

    The rules are those for one model, as :func:`effective` returns them.

    Args:
        stages: The rules by stage.
        roles: The members of each role.

    Raises:
        InputError: Stages wait for each other, or a gate waits for what nobody in the
            policy may attest.
    """
    before: dict[str, set[str]] = {}
    for name, rules in stages.items():
        if why := contradiction(rules.gates):
            raise _refused(f"{name}: {why}")
        soaks = {gate.stage for gate in rules.gates if isinstance(gate, SoakGate)}
        if strangers := soaks - stages.keys():
            raise _refused(f"{name} waits for {min(strangers)}, which is no stage")
        before[name] = soaks | ({rules.source} if rules.source else set())
        for gate in rules.gates:
            if isinstance(gate, AttestationGate):
                _require_attestors(name, gate, roles)
    ready: set[str] = set()
    while fresh := {n for n, needs in before.items() if needs <= ready} - ready:
        ready |= fresh
    if stuck := sorted(before.keys() - ready):
        raise _refused(f"no version could ever reach {', '.join(stuck)}")


def _require_attestors(
    stage: str, gate: AttestationGate, roles: Mapping[str, Collection[str]]
) -> None:
    if gate.role is not None and gate.role not in ATTESTORS:
        raise _refused(
            f"{stage} waits for a {gate.type} by a {gate.role}, and only "
            f"{', '.join(ATTESTORS)} attest"
        )
    asked = (gate.role,) if gate.role else ATTESTORS
    if not any(roles.get(role) for role in asked):
        raise _refused(
            f"{stage} waits for a {gate.type} attestation, and nobody is "
            f"{' or '.join(asked)}"
        )


def _refused(what: str) -> InputError:
    return InputError(f"The policy asks for what cannot be: {what}.", code="E_POLICY")
