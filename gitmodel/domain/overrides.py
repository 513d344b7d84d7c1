"""What a stage asks of some models beside what it asks of all.

An override adds: its approvals, gates and freezes come on top of the stage's, so the
rules of a model are never weaker than those of the stage, whoever wrote them. One
that looks as if it lowered a bar is refused all the same: its author is mistaken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.gates import (
    Freeze,
    Gate,
    MetricGate,
    NoRegressionGate,
    SoakGate,
    duration,
    read_gate,
)
from gitmodel.domain.quorum import Quorum
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What is asked in addition, of one model or of a level of sensitivity.

    Attributes:
        approvals: None for no more than the stage asks for.
    """

    approvals: Quorum | None = None
    gates: tuple[Gate, ...] = ()
    freeze: tuple[Freeze, ...] = ()

    @classmethod
    def from_dict(
        cls, body: Mapping[str, Any], *, own: Quorum, source: str | None
    ) -> Override:
        """Read an override.

        Args:
            body: As the document has it.
            own: What the stage itself asks for.
            source: The stage before; None for none.

        Raises:
            InputError: A gate is unknown, or cannot be met.
        """
        approvals = None
        if "approvals" in body:
            asked = body["approvals"]
            role = asked.get("role", own.role)
            inherited = own.direct if role == own.role else 0
            approvals = Quorum(
                role=role,
                threshold=asked["threshold"],
                direct=asked.get("direct", inherited),
            )
        return cls(
            approvals=approvals,
            gates=read_gates(body, source),
            freeze=tuple(map(Freeze.from_dict, body.get("freeze", ()))),
        )


def read_gates(body: Mapping[str, Any], source: str | None) -> tuple[Gate, ...]:
    """Return the gates of a stage or an override; its own soak time is one of them.

    Raises:
        InputError: A gate is unknown, or there is no stage to soak in.
    """
    gates = [read_gate(gate) for gate in body.get("gates", ())]
    if "soak" in body:
        if source is None:
            raise InputError(
                "The policy asks for what cannot be: a soak time with no stage before "
                "it.",
                code="E_POLICY",
            )
        gates.append(SoakGate(source, duration(body["soak"])))
    return tuple(gates)


def weaker(override: Override, own: Quorum, gates: Iterable[Gate]) -> Iterator[str]:
    """Say where an override asks for less than the stage does."""
    more = override.approvals
    if more is not None and more.role == own.role:
        if more.threshold < own.threshold:
            yield f"{more.threshold} approvals, where the stage asks {own.threshold}"
        if more.direct < own.direct:
            yield f"{more.direct} direct ones, where the stage asks {own.direct}"
    for old in gates:
        for new in override.gates:
            if (said := _lower(new, old)) is not None:
                yield said


def _lower(new: Gate, old: Gate) -> str | None:
    match new, old:
        case MetricGate(), MetricGate() if (new.set, new.name) == (old.set, old.name):
            name = f"{old.set}.{old.name}"
            least, most = (new.minimum, old.minimum), (new.maximum, old.maximum)
            if None not in least and new.minimum < old.minimum:  # type: ignore[operator]
                return f"{name}>={new.minimum}, where the stage asks {old.minimum}"
            if None not in most and new.maximum > old.maximum:  # type: ignore[operator]
                return f"{name}<={new.maximum}, where the stage asks {old.maximum}"
        case NoRegressionGate(), NoRegressionGate() if (new.set, new.name) == (
            old.set,
            old.name,
        ):
            if new.tolerance > old.tolerance:
                return f"a tolerance of {new.tolerance}, where it is {old.tolerance}"
        case SoakGate(), SoakGate() if new.stage == old.stage:
            if new.duration < old.duration:
                return f"{new.duration} in {old.stage}, where it is {old.duration}"
    return None
