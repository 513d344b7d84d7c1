"""What a stage asks of promotions and rollbacks, and whether anybody could meet it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import ATTESTORS
from gitmodel.domain.gates import (
    AttestationGate,
    Freeze,
    Gate,
    SoakGate,
    contradiction,
    duration,
    read_gate,
)
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRules:
    """What a stage asks of a promotion and of a rollback.

    Attributes:
        source: The stage that a version must have reached before; None for none.
        approvals: How many approvals a promotion needs beside the requester.
        approver_role: Who may approve.
        rollback_approvals: How many approvals a rollback needs.
        rollback_role: Who may roll back.
        gates: What a version must have shown.
        freeze: When nothing is promoted.
        asked: ``gates``, ``soak`` and ``freeze`` as the document has them.
    """

    source: str | None
    approvals: int
    approver_role: str
    rollback_approvals: int
    rollback_role: str
    gates: tuple[Gate, ...] = ()
    freeze: tuple[Freeze, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_dict(cls, stage: str, body: Mapping[str, Any]) -> StageRules:
        """Read the rules of a stage.

        Raises:
            InputError: A gate is unknown, or cannot be met.
        """
        gates = [read_gate(gate) for gate in body.get("gates", ())]
        if "soak" in body:
            if body["from"] is None:
                raise _refused(f"{stage} has a soak time, and no stage before it")
            gates.append(SoakGate(body["from"], duration(body["soak"])))
        rules = cls(
            source=body["from"],
            approvals=body["approvals"]["threshold"],
            approver_role=body["approvals"]["role"],
            rollback_approvals=body["rollback"]["approvals"],
            rollback_role=body["rollback"]["role"],
            gates=tuple(gates),
            freeze=tuple(map(Freeze.from_dict, body.get("freeze", ()))),
            asked={
                name: body[name] for name in ("gates", "soak", "freeze") if name in body
            },
        )
        if why := contradiction(rules.gates):
            raise _refused(f"{stage}: {why}")
        return rules

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as the document has them."""
        return {
            "from": self.source,
            "approvals": {"threshold": self.approvals, "role": self.approver_role},
            "rollback": {
                "approvals": self.rollback_approvals,
                "role": self.rollback_role,
            },
            **self.asked,
        }


def require_reachable(
    stages: Mapping[str, StageRules], roles: Mapping[str, Collection[str]]
) -> None:
    """Insist that every stage can be reached by somebody's work.

    Args:
        stages: The rules by stage.
        roles: The members of each role.

    Raises:
        InputError: Stages wait for each other, or a gate waits for what nobody in the
            policy may attest.
    """
    before: dict[str, set[str]] = {}
    for name, rules in stages.items():
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
