"""Pins and transitions: every pin is what its log says, link by link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.history import StageHistory
from gitmodel.domain.holds import Holds
from gitmodel.domain.pin import Pin
from gitmodel.domain.transition import Transition
from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.documents import (
    read_blob,
    require_role,
    verify_plain,
    verify_signed,
)
from gitmodel.operations.verification.forge_step import verify_strays
from gitmodel.registry import layout
from gitmodel.registry.hold_releases import KIND, release_numbers, release_problems
from gitmodel.registry.stage_log import (
    link_problems,
    missing_link,
    role_for,
    sequence_numbers,
    unrecorded,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View


def verify_stage(
    view: View, findings: Findings, stage: str, model: str
) -> StageHistory:
    """Verify one model's pin and log in one stage; return what could be read."""
    if stage not in view.settings.stages:
        directory = layout.log_dir(stage, model)
        findings.add("E_STAGE", f"the registry has no stage {stage}", directory)
    chain: list[Transition] = []
    digests: list[Digest] = []
    prior: Digest | None = None
    for expected, number in enumerate(sequence_numbers(view, stage, model), start=1):
        path = layout.transition_path(stage, model, number)
        if number != expected:
            findings.problems.append(missing_link(expected, path))
        record = verify_signed(view, findings, path, "Transition", "transition")
        findings.transitions += 1
        if record is None:
            return StageHistory(tuple(chain))
        transition = Transition.from_document(record.document)
        require_role(record, findings, role_for(view, transition))
        findings.problems += link_problems(view, record, transition, chain, prior)
        _verify_target(view, findings, transition, path)
        chain.append(transition)
        digests.append(record.digest)
        prior = record.digest
    verify_strays(view, findings, stage, model)
    released = _verify_releases(view, findings, stage, model, chain, digests)
    _verify_holds(findings, chain, released)
    _verify_pin(view, findings, stage, model, chain[-1] if chain else None)
    return StageHistory(tuple(chain), released)


def _verify_releases(
    view: View,
    findings: Findings,
    stage: str,
    model: str,
    chain: list[Transition],
    digests: list[Digest],
) -> frozenset[int]:
    """Verify what released holds; return the numbers of those rollbacks."""
    numbers = release_numbers(view, stage, model)
    for number in numbers:
        path = layout.hold_release_path(stage, model, number)
        record = verify_signed(view, findings, path, "HoldRelease", KIND)
        if record is not None:
            findings.problems += release_problems(view, record, chain, digests)
    return frozenset(numbers)


def _verify_holds(
    findings: Findings, chain: list[Transition], released: frozenset[int]
) -> None:
    """Verify that nothing came back that was never released.

    Whether its release had come before it, only the history proves.
    """
    holds = Holds()
    for transition in chain:
        target = transition.target
        held_by = holds.on(target.manifest, released) if target else None
        if held_by is not None and transition.action == "promote" and target:
            findings.add(
                "E_HELD",
                f"rollback {held_by.seq} holds {target.version}, and nobody has "
                "released it.",
                layout.transition_path(
                    transition.stage, transition.model, transition.seq
                ),
            )
        holds.take_in(transition)


def verify_sources(
    view: View, findings: Findings, histories: Mapping[tuple[str, str], StageHistory]
) -> None:
    """Verify that what a stage held had been in the stage before it.

    That it had been there first, only the history proves.
    """
    nothing = StageHistory(())
    for (stage, model), history in histories.items():
        for transition in history.transitions:
            edition = view.edition_of(transition.policy)
            rules = edition.policy.rules_for(stage, model) if edition else None
            target = transition.target
            if rules is None or rules.source is None or target is None:
                continue
            source = histories.get((rules.source, model), nothing)
            if transition.action == "promote" and not source.was_live(target.manifest):
                findings.add(
                    "E_GATE",
                    f"{model}@{target.version} has never been in {rules.source}, from "
                    f"where {stage} is reached.",
                    layout.transition_path(stage, model, transition.seq),
                )


def _verify_target(
    view: View, findings: Findings, transition: Transition, path: str
) -> None:
    target = transition.target
    if target is None:
        return
    data = read_blob(
        view, findings, layout.manifest_path(transition.model, target.version)
    )
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
    data = read_blob(view, findings, path)
    if data is None and view.entry(path) is None:
        if last is not None and last.pin is not None:
            findings.add("E_PIN_MISSING", "the log says that there is a pin.", path)
        return
    if last is None or data is None or last.pin != Digest.of(data):
        findings.problems.append(unrecorded(path))
    document = verify_plain(view, findings, path, "ModelPin")
    if document is None:
        return
    try:
        pin = Pin.from_document(document)
    except GitmodelError as error:
        findings.add_error(error, path)
        return
    if pin.to_document() != document:
        findings.add(
            "E_PIN_MISMATCH",
            "it says what no pin of this version of gitmodel says.",
            path,
        )
    if (pin.stage, pin.model) != (stage, model):
        findings.add("E_NAME", f"it is the pin of {pin.model} in {pin.stage}", path)
    if last is not None and pin.release != last.target:
        findings.add(
            "E_PIN_MISMATCH",
            f"it holds {pin.release.version}; the log says "
            f"{last.target.version if last.target else 'nothing'}",
            path,
        )
