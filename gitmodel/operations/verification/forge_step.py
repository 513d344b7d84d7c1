"""What forges said of a transition, in the step that brings it and never later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.operations.verification.seals import added_record
from gitmodel.registry import layout
from gitmodel.registry.forge_approvals import KIND, Heard, all_numbers, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.transition import Transition
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.records import Record
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View

_STRAY = "there is no transition here that it could be about."


def judge_reviewed(
    ledger: Ledger,
    edition: Edition,
    step: Step,
    transition: Transition,
    record: Record,
) -> Heard:
    """Judge the statements about a transition that a step brings with it."""
    places = sorted(
        (int(place.name), path)
        for path in step.blobs
        if (place := layout.classify(path)).kind == "forge_approval"
        and (place.stage, place.model, place.seq)
        == (transition.stage, transition.model, transition.seq)
    )
    records = [
        found
        for _, path in places
        if (found := added_record(ledger, step, path, KIND, (edition,))) is not None
    ]
    heard = judge(records, transition, record, edition.policy)
    for problem in heard.problems:
        ledger.findings.add(problem.code, problem.message, problem.path, step.commit)
    return heard if len(records) == len(places) else Heard()


def judge_strays(
    ledger: Ledger, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Report statements that come without the transition that they are about."""
    for path, place in places.items():
        if place.kind != "forge_approval" or path not in step.blobs:
            continue
        about = layout.transition_path(place.stage, place.model, place.seq)
        if about not in step.blobs:
            ledger.findings.add("E_EXTRA_FILE", _STRAY, path, step.commit)


def verify_strays(view: View, findings: Findings, stage: str, model: str) -> None:
    """Report statements in a log that are about no transition of it."""
    for seq, numbers in all_numbers(view, stage, model).items():
        if view.entry(layout.transition_path(stage, model, seq)) is None:
            for number in numbers:
                path = layout.forge_approval_path(stage, model, seq, number)
                findings.add("E_EXTRA_FILE", _STRAY, path)
