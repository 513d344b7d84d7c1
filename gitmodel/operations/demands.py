"""What a stage is to ask for, as words become gates in the policy's document.

A further demand of a kind is added beside those that are there. One that is there
already changes nothing; a metric, a label or a soak stage that is named again is
replaced, so that a bar can be moved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import attestation_type
from gitmodel.domain.gates import duration, metric_name, read_gate
from gitmodel.domain.metrics import parse_metric
from gitmodel.domain.parameters import parse_labels
from gitmodel.errors import InputError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Document = dict[str, Any]
    Gate = dict[str, Any]

_BOUND = re.compile(r"(?P<name>[^<>=]+)(?P<sign>>=|<=)(?P<value>[^<>=]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What to ask for.

    Attributes:
        approvals: How many; None to leave them as they are.
        gates: As the policy's document has them.
        clear: Drop all gates, soak times and freezes that were there.
    """

    approvals: int | None = None
    gates: tuple[dict[str, Any], ...] = ()
    clear: bool = False

    def describe(self, stage: str) -> str:
        """Say what is asked for, in a few words."""
        parts = []
        if self.clear:
            parts.append("no gates")
        if self.approvals is not None:
            parts.append(f"{self.approvals} approvals")
        parts += [next(iter(gate)) for gate in self.gates]
        return f"{stage} asks for {', '.join(dict.fromkeys(parts))}"

    def apply(self, document: Document, stage: str) -> bool:
        """Change the rules of a stage in the document; say whether that did anything.

        Raises:
            NotFoundError: There is no such stage.
            RefusedError: There are not so many approvers.
        """
        rules = document["stages"].get(stage)
        if rules is None:
            raise NotFoundError(f"The policy has no stage {stage}")
        before = {name: rules.get(name) for name in ("gates", "soak", "freeze")}
        changed = False
        if self.approvals is not None:
            changed = _ask_approvals(document, rules, self.approvals)
        if self.clear:
            for name in before:
                rules.pop(name, None)
        gates = list(rules.get("gates", ()))
        for gate in self.gates:
            gates = [*(old for old in gates if not _replaces(gate, old)), gate]
        if gates != rules.get("gates", []):
            rules["gates"] = gates
        after = {name: rules.get(name) for name in before}
        return changed or _as_set(before) != _as_set(after)


def demands_from_options(  # noqa: PLR0913 one for each option
    *,
    approvals: int | None,
    attestations: Sequence[str] = (),
    metrics: Sequence[str] = (),
    regressions: Sequence[str] = (),
    sections: Sequence[str] = (),
    soaks: Sequence[str] = (),
    labels: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    clear: bool = False,
) -> Demands:
    """Read the options of ``policy require``.

    Raises:
        InputError: One is malformed, or nothing is asked for.
    """
    gates: list[Gate] = [
        *map(_attestation, attestations),
        *map(_metric, metrics),
        *map(_regression, regressions),
        *([{"complete": list(dict.fromkeys(sections))}] if sections else ()),
        *({"label": {"require": {k: v}}} for k, v in parse_labels(labels).items()),
        *({"label": {"forbid": {k: v}}} for k, v in parse_labels(forbidden).items()),
        *map(_soak, soaks),
    ]
    for gate in gates:
        read_gate(gate)
    if approvals is None and not gates and not clear:
        raise InputError(
            "Nothing is asked for.",
            "gitmodel policy require --help  shows what can be.",
        )
    return Demands(approvals=approvals, gates=tuple(gates), clear=clear)


def _attestation(text: str) -> Gate:
    kind, _, role = text.partition(":")
    gate: Gate = {"type": attestation_type(kind), "result": "passed"}
    return {"attestation": gate | ({"role": role} if role else {})}


def _metric(text: str) -> Gate:
    found = _BOUND.fullmatch(text)
    if found is None:
        raise InputError(
            f"{text!r} is no bound of a metric.",
            "Write validation.accuracy>=0.9 or test.p99_ms<=50, in quotes.",
        )
    of, name = metric_name(found["name"].strip())
    key = "min" if found["sign"] == ">=" else "max"
    return {"metric": {"name": f"{of}.{name}", key: _number(found["value"].strip())}}


def _regression(text: str) -> Gate:
    named, colon, tolerance = text.rpartition(":")
    if not colon:
        named, tolerance = text, "0"
    of, name = metric_name(named)
    gate = {"metric": f"{of}.{name}", "tolerance": _number(tolerance)}
    return {"noRegression": gate}


def _soak(text: str) -> Gate:
    stage, colon, time = text.partition(":")
    if not colon:
        raise InputError(f"{text!r} is no soak time.", "Write STAGE:24h")
    duration(time)
    return {"soak": {"stage": stage, "for": time}}


def _number(text: str) -> int | float:
    _, _, number = parse_metric(f"number={text}")
    return number


def _ask_approvals(document: Document, rules: Document, approvals: int) -> bool:
    role = rules["approvals"]["role"]
    members = document["roles"].get(role, {"members": []})["members"]
    if approvals > len(members):
        raise RefusedError(
            f"{approvals} approvals could never come together: "
            f"{len(members)} principals have the role {role}.",
            f"gitmodel policy grant NAME {role}  adds one.",
            code="E_POLICY",
        )
    changed = bool(rules["approvals"]["threshold"] != approvals)
    rules["approvals"]["threshold"] = approvals
    return changed


#: Gates of these kinds are about something named, of which there is one gate.
_ABOUT: dict[str, Callable[[Any], Any]] = {
    "attestation": lambda body: (body["type"], body.get("role")),
    "metric": lambda body: (body["name"], "min" in body, "max" in body),
    "noRegression": lambda body: body["metric"],
    "complete": tuple,
    "label": lambda body: (
        tuple(body.get("require", {})),
        tuple(body.get("forbid", {}).items()),
    ),
    "soak": lambda body: body["stage"],
}


def _replaces(new: Gate, old: Gate) -> bool:
    [(kind, body)] = new.items()
    if kind not in old:
        return False
    about = _ABOUT[kind]
    return bool(about(body) == about(old[kind]))


def _as_set(rules: Document) -> tuple[list[str], Any, Any]:
    gates = sorted(map(repr, rules["gates"] or ()))
    return gates, rules["soak"], rules["freeze"]
