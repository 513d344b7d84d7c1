"""The rules that a promotion must meet, as questions: every refusal at once.

``check``, ``promote`` and its dry run ask the same questions, so that what one
allows the other does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.gates import SoakGate
from gitmodel.domain.gating import Occasion, Standing, refused
from gitmodel.errors import GitmodelError, RefusedError
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.versions import verify_version
from gitmodel.registry.attestations import require_attested
from gitmodel.registry.late_reviews import reviews_of
from gitmodel.registry.quarantines import quarantined
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.transition import Transition
    from gitmodel.registry.versions import Found
    from gitmodel.registry.view import View


#: Gates that have a code of their own.
_CODES = {"quarantine": "E_QUARANTINED"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason for no; ``hint`` is what to run about it, if anything."""

    gate: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome; true when nothing speaks against it."""

    refusals: tuple[Refusal, ...]

    def __bool__(self) -> bool:
        return not self.refusals

    def require(self, what: str) -> None:
        """Insist on a yes.

        Raises:
            RefusedError: ``what`` is refused; ``problems`` lists every reason.
        """
        if self.refusals:
            raise RefusedError(
                f"{what} is refused: {self.refusals[0].message}",
                *(refusal.hint for refusal in self.refusals if refusal.hint),
                code=_CODES.get(self.refusals[0].gate),
                problems=[
                    {
                        "code": _CODES.get(refusal.gate, "E_GATE"),
                        "gate": refusal.gate,
                        "message": refusal.message,
                    }
                    for refusal in self.refusals
                ],
            )


def decide_promotion(
    view: View, found: Found, stage: str, *, now: datetime
) -> Decision:
    """Say whether the policy lets a version into a stage (R114, R117).

    Args:
        view: The registry.
        found: The version.
        stage: Where it is to go.
        now: The time by which freezes and soak times are judged.

    Raises:
        IntegrityError: A log that this must rest on is broken: it proves nothing.
    """
    histories = _sound_histories(view, found.version.model, stage)
    refusals = [
        *_quarantine(view, found),
        *_complete(view, found),
        *_stage_rules(view, found, stage, histories),
        *_gates(view, found, stage, histories, now),
        *overdue_reviews(view, found.version.model, (stage,), now),
    ]
    return Decision(tuple(refusals))


def decide_completeness(view: View, found: Found) -> Decision:
    """Say whether a version is whole: signed, and with all its pointers."""
    return Decision((*_quarantine(view, found), *_complete(view, found)))


def _quarantine(view: View, found: Found) -> list[Refusal]:
    model, number = found.version.model, str(found.version.version)
    reason = quarantined(view, model, number)
    if reason is None:
        return []
    said = f"{model}@{number} is in quarantine: {reason}"
    return [Refusal("quarantine", said, "gitmodel quarantine --list")]


def _sound_histories(view: View, model: str, stage: str) -> dict[str, StageHistory]:
    """Return the logs that the rules of a stage rest on."""
    rules = view.policy.rules_for(stage, model)
    wanted = {stage}
    if rules is not None:
        wanted |= {gate.stage for gate in rules.gates if isinstance(gate, SoakGate)}
        wanted |= {rules.source} if rules.source else set()
    return {
        name: require_sound_history(view, name, model)[0] for name in sorted(wanted)
    }


def _complete(view: View, found: Found) -> list[Refusal]:
    findings = Findings()
    model, number = found.version.model, str(found.version.version)
    verify_version(view, findings, model, number, late=False)  # the gates ask for them
    return [Refusal("integrity", str(problem)) for problem in findings.problems]


def _stage_rules(
    view: View, found: Found, stage: str, histories: Mapping[str, StageHistory]
) -> list[Refusal]:
    rules = view.policy.rules_for(stage, found.version.model)
    if rules is None:
        return [Refusal("policy", f"the policy has no rules for stage {stage}")]
    refusals: list[Refusal] = []
    name = f"{found.version.model}@{found.version.version}"
    held_by = histories[stage].held_by(found.version.digest)
    if held_by is not None:
        refusals.append(_held(name, stage, held_by))
    source = rules.source
    if source is not None and (
        source not in histories or not histories[source].was_live(found.version.digest)
    ):
        refusals.append(
            Refusal(
                "from",
                f"{stage} is reached from {source}, where {name} has never been.",
                f"gitmodel promote {name} {source}",
            )
        )
    return refusals


def overdue_reviews(
    view: View, model: str, stages: Iterable[str], now: datetime
) -> list[Refusal]:
    """Say which rollbacks others should have approved by now (R175)."""
    return [
        Refusal(
            "review",
            review.describe(now),
            f"gitmodel approve {model}#{stage}  by somebody else.",
        )
        for stage in stages
        for _, review in reviews_of(view, stage, model)
        if review.standing(now) == "overdue"
    ]


def _held(name: str, stage: str, by: Transition) -> Refusal:
    why = f" ({by.reason})" if by.reason else ""
    return Refusal(
        "hold",
        f"{name} was rolled back from {stage} by {by.requester} at {by.created_at}"
        f"{why}, and is held until somebody releases it.",
        f"gitmodel hold release {name} {stage} -m WHY  by one who may roll back there.",
    )


def _gates(
    view: View,
    found: Found,
    stage: str,
    histories: Mapping[str, StageHistory],
    now: datetime,
) -> list[Refusal]:
    model = found.version.model
    rules = view.policy.rules_for(stage, model)
    if rules is None or not (rules.gates or rules.freeze):
        return []
    current = histories[stage].current if stage in histories else None
    try:
        version = _standing(view, found)
        held = _standing(view, load(view, model, current.version)) if current else None
    except GitmodelError as error:
        return [Refusal("attestation", error.message, "gitmodel verify")]
    occasion = Occasion(now=now, held=held, histories=histories)
    return [
        Refusal(verdict.gate, f"{verdict.message}.", verdict.hint)
        for verdict in refused(rules, version, occasion)
    ]


def _standing(view: View, found: Found) -> Standing:
    version = found.version
    attested = require_attested(view, version.model, str(version.version))
    return Standing.of(version.document, version.digest, attested)


def approvals_needed(
    view: View, stage: str, model: str, action: str = "promote"
) -> tuple[Refusal, ...]:
    """Say which approvals a move of ``model`` in ``stage`` must wait for."""
    rules = view.policy.rules_for(stage, model)
    if rules is None:
        return ()
    return tuple(
        Refusal("approvals", f"{stage} asks for {quorum}")
        for quorum in rules.quorums(action)
    )
