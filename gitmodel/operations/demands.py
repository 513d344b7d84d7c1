"""What a stage is to ask for, as words become rules in the policy's document.

A further gate is added beside those that are there. One that is there already changes
nothing; a metric, a label or a soak stage that is named again is replaced, so that a
bar can be moved. What is asked of a model, or from a level of sensitivity on, is an
override of its own and leaves what the stage asks of all as it is.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.domain.forge_approval import Source

    Document = dict[str, Any]
    Gate = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What to ask for; None leaves a thing as it is.

    Attributes:
        model: Only of this model.
        level: Only of models from this level of sensitivity on.
        approvals: How many.
        direct: How many of them must be direct signatures.
        role: Who approves.
        forges: Further repositories at forges whose reviews count.
        no_forges: Let no reviews count but those of ``forges``.
        gates: As the policy's document has them.
        soak: How long a version must have been in the stage before.
        freezes: As the policy's document has them.
        rollback_approvals: How many a rollback needs.
        rollback_role: Who may roll back.
        rollback_review: Whether those approvals come before, or after the fact.
        rollback_within: How long others have to approve afterwards.
        further_back: How many more steps back where a target's validation fails.
        clear: Drop all gates, soak times and freezes that were there.
        unfreeze: Drop all freezes that were there.
    """

    model: str | None = None
    level: str | None = None
    approvals: int | None = None
    direct: int | None = None
    role: str | None = None
    forges: tuple[Source, ...] = ()
    no_forges: bool = False
    gates: tuple[Gate, ...] = ()
    soak: str | None = None
    freezes: tuple[dict[str, str], ...] = ()
    rollback_approvals: int | None = None
    rollback_role: str | None = None
    rollback_review: str | None = None
    rollback_within: str | None = None
    further_back: int | None = None
    clear: bool = False
    unfreeze: bool = False

    def describe(self, stage: str) -> str:
        """Say what is asked for, in a few words."""
        parts = [
            said
            for given, said in (
                (self.clear, "no gates"),
                (self.unfreeze, "no freeze"),
                (self.approvals is not None, f"{self.approvals} approvals"),
                (self.direct is not None, f"{self.direct} direct approvals"),
                (self.role is not None, f"approval by {self.role}"),
                (self.no_forges, "no reviews at forges"),
                *((True, f"reviews at {source}") for source in self.forges),
                *((True, next(iter(gate))) for gate in self.gates),
                (self.soak is not None, "soak"),
                (bool(self.freezes), "freeze"),
                (
                    self.rollback_approvals is not None,
                    f"{self.rollback_approvals} approvals of rollbacks",
                ),
                (self.rollback_role is not None, f"rollback by {self.rollback_role}"),
                (
                    self.rollback_review is not None,
                    f"review of rollbacks {self.rollback_review}",
                ),
                (
                    self.rollback_within is not None,
                    f"review within {self.rollback_within}",
                ),
                (
                    self.further_back is not None,
                    f"rollbacks up to {self.further_back} further back",
                ),
            )
            if given
        ]
        of = self.model or (f"{self.level} models" if self.level else "")
        asked = ", ".join(dict.fromkeys(parts))
        return f"{stage} asks {f'of {of} ' if of else ''}for {asked}"

    def apply(self, document: Document, stage: str) -> bool:
        """Change the rules of a stage in the document; say whether that did anything.

        Raises:
            NotFoundError: There is no such stage.
        """
        rules = document["stages"].get(stage)
        if rules is None:
            known = ", ".join(document["stages"])
            raise NotFoundError(
                f"The policy has no stage {stage}", f"There are: {known}"
            )
        before = copy.deepcopy(rules)
        if self.model is None and self.level is None:
            self._ask_of_all(rules)
        else:
            self._ask_of_some(rules)
        return _as_set(rules) != _as_set(before)

    def _ask_of_all(self, rules: Document) -> None:
        approvals, rollback = rules["approvals"], rules["rollback"]
        if self.approvals is not None:
            approvals["threshold"] = self.approvals
        if self.role is not None:
            approvals["role"] = self.role
        self._ask_forges(approvals)
        self._ask_direct(approvals)
        if self.rollback_approvals is not None:
            rollback["approvals"] = self.rollback_approvals
        if self.rollback_role is not None:
            rollback["role"] = self.rollback_role
        if self.rollback_review is not None:
            rollback["review"] = self.rollback_review
        if self.rollback_within is not None:
            rollback["within"] = self.rollback_within
        if self.further_back is not None:
            rollback["furtherBack"] = self.further_back
        self._ask_gates(rules)

    def _ask_of_some(self, rules: Document) -> None:
        """Change the override of a model or level; one that is empty goes."""
        part, name = (
            ("models", self.model) if self.model else ("sensitivity", self.level)
        )
        overrides = rules.setdefault(part, {})
        override = overrides.setdefault(name, {})
        if self.clear and self.approvals is None:
            override.pop("approvals", None)
        if (self.approvals, self.direct, self.role) != (None, None, None):
            own = rules["approvals"]
            like = own["threshold"] if self.role in {None, own["role"]} else 1
            asked = override.setdefault(
                "approvals", {"threshold": max(1, like, self.direct or 0)}
            )
            if self.approvals is not None:
                asked["threshold"] = self.approvals
            if self.role is not None:
                asked["role"] = self.role
            self._ask_direct(asked)
            if not asked["threshold"]:
                del override["approvals"]
        self._ask_gates(override)
        if not override:
            del overrides[name]
        if not overrides:
            del rules[part]

    def _ask_forges(self, approvals: Document) -> None:
        """Let reviews count; one approval stays direct unless that is said otherwise.

        A forge, or whoever owns it, can make up reviews, and no signature of anybody.
        """
        known = [] if self.no_forges else approvals.get("forges", [])
        new = [source.to_dict() for source in self.forges]
        approvals["forges"] = known + [each for each in new if each not in known]
        if not approvals["forges"]:
            del approvals["forges"]
        elif not known and approvals["threshold"]:
            approvals.setdefault("direct", 1)

    def _ask_direct(self, approvals: Document) -> None:
        if self.direct is not None:
            approvals["direct"] = self.direct
        if not approvals.get("direct", 1):
            del approvals["direct"]

    def _ask_gates(self, rules: Document) -> None:
        if self.clear:
            for name in ("gates", "soak", "freeze"):
                rules.pop(name, None)
        if self.unfreeze:
            rules.pop("freeze", None)
        gates = list(rules.get("gates", ()))
        for gate in self.gates:
            gates = [*(old for old in gates if not _replaces(gate, old)), gate]
        if gates:
            rules["gates"] = gates
        if self.soak is not None:
            rules["soak"] = self.soak
        freezes = list(rules.get("freeze", ()))
        freezes += [window for window in self.freezes if window not in freezes]
        if freezes:
            rules["freeze"] = freezes


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


def _as_set(rules: Document) -> Document:
    """Return rules in a form in which the order of gates makes no difference."""
    ordered = {name: sorted(map(repr, rules.get(name, ()))) for name in _LISTS}
    nested = {
        part: {name: _as_set(each) for name, each in rules.get(part, {}).items()}
        for part in ("models", "sensitivity")
    }
    return {**rules, **ordered, **(nested if "from" in rules else {})}


_LISTS = ("gates", "freeze")


def require_something(demands: Demands) -> Demands:
    """Insist that demands ask for anything at all, and of whom they can be asked.

    Raises:
        InputError: They do not.
    """
    if demands.model is not None and demands.level is not None:
        raise InputError("Ask of one model or of a level of sensitivity, not of both.")
    some = demands.model is not None or demands.level is not None
    of_rollbacks = (
        demands.rollback_approvals,
        demands.rollback_role,
        demands.rollback_review,
        demands.rollback_within,
        demands.further_back,
    )
    if some and any(asked is not None for asked in of_rollbacks):
        raise InputError("What a rollback needs is the same for all models of a stage.")
    if some and (demands.forges or demands.no_forges):
        raise InputError("Where reviews count is the same for all models of a stage.")
    if demands == Demands(model=demands.model, level=demands.level):
        raise InputError(
            "Nothing is asked for.",
            "gitmodel policy require --help  shows what can be.",
        )
    return demands
