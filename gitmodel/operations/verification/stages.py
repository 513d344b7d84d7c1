"""Pins and transitions: every pin is what its log says, link by link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.history import StageHistory
from gitmodel.domain.pin import Pin
from gitmodel.domain.transition import Transition
from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.documents import (
    require_role,
    verify_plain,
    verify_signed,
)
from gitmodel.registry import layout
from gitmodel.registry.stage_log import role_for, sequence_numbers

if TYPE_CHECKING:
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View


def verify_stage(view: View, findings: Findings, stage: str, model: str) -> None:
    """Verify one model's pin and log in one stage."""
    directory = layout.log_dir(stage, model)
    if stage not in view.settings.stages:
        findings.add("E_STAGE", f"the registry has no stage {stage}", directory)
    chain: list[Transition] = []
    prior: Digest | None = None
    for expected, number in enumerate(sequence_numbers(view, stage, model), start=1):
        path = layout.transition_path(stage, model, number)
        if number != expected:
            findings.add("E_TRANSITION_SEQ", f"transition {expected} is missing.", path)
        record = verify_signed(view, findings, path, "Transition", "transition")
        findings.transitions += 1
        if record is None:
            return
        transition = Transition.from_document(record.document)
        _verify_link(view, findings, record, transition, chain, prior)
        if (transition.stage, transition.model, transition.seq) != (
            stage,
            model,
            number,
        ):
            findings.add(
                "E_TRANSITION_PATH",
                f"it is transition {transition.seq} of {transition.model} in "
                f"{transition.stage}, not of its place.",
                path,
            )
        chain.append(transition)
        prior = record.digest
    _verify_pin(view, findings, stage, model, chain[-1] if chain else None)


def _verify_link(
    view: View,
    findings: Findings,
    record: Record,
    transition: Transition,
    chain: list[Transition],
    prior: Digest | None,
) -> None:
    path = record.path
    role = role_for(view, transition)
    require_role(record, findings, role)
    if record.seals and transition.requester not in record.sealed_by(role):
        findings.add(
            "E_UNSIGNED",
            f"its requester {transition.requester} has not signed it.",
            path,
        )
    if transition.prior != prior:
        findings.add("E_TRANSITION_PRIOR", "it does not follow the one before.", path)
    if transition.origin != (chain[-1].target if chain else None):
        findings.add(
            "E_TRANSITION_PRIOR", "it starts from what the stage did not hold.", path
        )
    if transition.action == "rollback" and (
        transition.target is None
        or not StageHistory(tuple(chain)).was_live(transition.target.manifest)
    ):
        findings.add(
            "E_ROLLBACK_TO_NEVER_PROMOTED",
            "it goes back to what was never live in this stage.",
            path,
        )
    if transition.target is not None:
        target = transition.target
        data = view.blob(layout.manifest_path(transition.model, target.version))
        if data is None or Digest.of(data) != target.manifest:
            findings.add(
                "E_MANIFEST_DIGEST",
                f"{transition.model}@{target.version} is not the manifest that was "
                "promoted.",
                path,
            )


def _verify_pin(
    view: View,
    findings: Findings,
    stage: str,
    model: str,
    last: Transition | None,
) -> None:
    path = layout.pin_path(stage, model)
    data = view.blob(path)
    if data is None and view.entry(path) is None:
        if last is not None and last.pin is not None:
            findings.add("E_PIN_MISSING", "the log says that there is a pin.", path)
        return
    if last is None or data is None or last.pin != Digest.of(data):
        findings.add(
            "E_TRANSITION_UNRECORDED",
            "the pin is not what the newest transition recorded.",
            path,
        )
    document = verify_plain(view, findings, path, "ModelPin")
    if document is None:
        return
    try:
        pin = Pin.from_document(document)
    except GitmodelError as error:
        findings.add_error(error, path)
        return
    if (pin.stage, pin.model) != (stage, model):
        findings.add("E_NAME", f"it is the pin of {pin.model} in {pin.stage}", path)
    if last is not None and pin.release != last.target:
        findings.add(
            "E_PIN_MISMATCH",
            f"it holds {pin.release.version}; the log says "
            f"{last.target.version if last.target else 'nothing'}",
            path,
        )
