"""A step that promotes, judged once more by the gates that were in force then.

Every gate is judged by what the registry held at that point. Soak times and freezes
rest on the time that the transition gives itself: no better one is in the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.gates import SoakGate
from gitmodel.domain.gating import Occasion, Standing, refused
from gitmodel.domain.history import StageHistory
from gitmodel.domain.moment import from_text
from gitmodel.errors import GitmodelError
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.stage_rules import StageRules
    from gitmodel.domain.transition import Transition
    from gitmodel.operations.verification.ledger import Ledger


def judge_gates(
    ledger: Ledger, rules: StageRules, transition: Transition, commit: str
) -> None:
    """Report every gate that a promotion did not meet."""
    path = layout.transition_path(transition.stage, transition.model, transition.seq)
    try:
        for message in _refusals(ledger, rules, transition):
            ledger.findings.add("E_GATE", message, path, commit)
    except GitmodelError as error:
        ledger.findings.add(error.code, error.message, path, commit)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"the facts that its gates ask about cannot be read: {error}"
        ledger.findings.add("E_GATE", message, path, commit)


def _refusals(
    ledger: Ledger, rules: StageRules, transition: Transition
) -> Iterator[str]:
    target = transition.target
    version = ledger.standing(transition.model, target.version) if target else None
    if version is None:
        return  # that there is no such version is reported already
    soaks = {gate.stage for gate in rules.gates if isinstance(gate, SoakGate)}
    occasion = Occasion(
        now=from_text(transition.created_at),
        held=_held(ledger, transition),
        histories={
            stage: StageHistory(
                tuple(ledger.chain(stage, transition.model).transitions)
            )
            for stage in soaks
        },
    )
    for verdict in refused(rules, version, occasion):
        yield f"{verdict.gate}: {verdict.message}."


def _held(ledger: Ledger, transition: Transition) -> Standing | None:
    current = ledger.chain(transition.stage, transition.model).current
    if current is None:
        return None
    return ledger.standing(transition.model, current.version)
