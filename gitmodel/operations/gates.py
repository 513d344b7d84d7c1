"""The rules that a promotion must meet, as questions: every refusal at once.

``check``, ``promote`` and its dry run ask the same questions, so that what one
allows the other does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.gating import Occasion, Standing, refused
from gitmodel.errors import GitmodelError, RefusedError
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.registry import layout
from gitmodel.registry.attestations import require_attested
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.history import StageHistory
    from gitmodel.registry.versions import Found
    from gitmodel.registry.view import View


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
                problems=[
                    {"code": "E_GATE", "gate": refusal.gate, "message": refusal.message}
                    for refusal in self.refusals
                ],
            )


def decide_promotion(
    view: View,
    found: Found,
    stage: str,
    histories: Mapping[str, StageHistory],
    *,
    now: datetime,
) -> Decision:
    """Say whether the policy lets a version into a stage (R114, R117).

    Args:
        view: The registry.
        found: The version.
        stage: Where it is to go.
        histories: Of its model, by stage.
        now: The time by which freezes and soak times are judged.
    """
    refusals = [
        *_complete(view, found),
        *_stage_rules(view, found, stage, histories),
        *_gates(view, found, stage, histories, now),
    ]
    return Decision(tuple(refusals))


def decide_completeness(view: View, found: Found) -> Decision:
    """Say whether a version is whole: signed, and with all its pointers."""
    return Decision(tuple(_complete(view, found)))


def _complete(view: View, found: Found) -> list[Refusal]:
    version = found.version
    refusals = [
        Refusal("signature", f"{problem.path}: {problem.message}")
        for problem in found.record.problems
    ]
    if not found.record.sealed_by("publisher"):
        refusals.append(
            Refusal("signature", "no publisher of this registry has signed it.")
        )
    if view.entry(layout.oms_path(version.model, str(version.version))) is None:
        refusals.append(Refusal("signature", "it has no model.sig."))
    refusals.extend(
        Refusal("artifacts", f"the pointer of {artifact.path} is not what it says.")
        for artifact in version.artifacts
        if not pointer_agrees(view, version.model, str(version.version), artifact)
    )
    return refusals


def pointer_agrees(view: View, model: str, version: str, artifact: Artifact) -> bool:
    """Say whether git holds the LFS pointer that the manifest promises."""
    data = view.blob(layout.artifact_path(model, version, artifact.path))
    return data == Pointer(artifact.digest, artifact.size).to_bytes()


def _stage_rules(
    view: View, found: Found, stage: str, histories: Mapping[str, StageHistory]
) -> list[Refusal]:
    rules = view.policy.rules_for(stage)
    if rules is None:
        return [Refusal("policy", f"the policy has no rules for stage {stage}")]
    refusals = []
    source = rules.source
    if source is not None and (
        source not in histories or not histories[source].was_live(found.version.digest)
    ):
        name = f"{found.version.model}@{found.version.version}"
        refusals.append(
            Refusal(
                "from",
                f"{stage} is reached from {source}, where {name} has never been.",
                f"gitmodel promote {name} {source}",
            )
        )
    return refusals


def _gates(
    view: View,
    found: Found,
    stage: str,
    histories: Mapping[str, StageHistory],
    now: datetime,
) -> list[Refusal]:
    rules = view.policy.rules_for(stage)
    if rules is None or not (rules.gates or rules.freeze):
        return []
    model = found.version.model
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


def approvals_needed(view: View, stage: str) -> tuple[Refusal, ...]:
    """Say how many approvals a promotion to ``stage`` must wait for."""
    rules = view.policy.rules_for(stage)
    if rules is None or not rules.approvals:
        return ()
    people = "approval" if rules.approvals == 1 else "approvals"
    return (
        Refusal(
            "approvals",
            f"{stage} asks for {rules.approvals} {people} in the role "
            f"{rules.approver_role}",
        ),
    )
