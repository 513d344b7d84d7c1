"""What forges said of a transition, in the step that brings it and never later."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from gitmodel.operations.verification.seals import added_record
from gitmodel.registry import layout
from gitmodel.registry.forge_approvals import KIND, Heard, all_numbers, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    records = []
    whole = True
    for path in _statements(step, transition):
        found = added_record(ledger, step, path, KIND, (edition,))
        whole = whole and found is not None
        records += [found] if found is not None else []
    heard = judge(records, transition, record, edition.policy)
    for problem in heard.problems:
        ledger.findings.add(problem.code, problem.message, problem.path, step.commit)
    return heard if whole else Heard()


def _statements(step: Step, transition: Transition) -> Iterator[str]:
    """Yield the paths of the statements about a transition, in their order.

    By their names, as a step may have thousands of files; a gap ends them.
    """
    stage, model, seq = transition.stage, transition.model, transition.seq
    for number in count(1):
        path = layout.forge_approval_path(stage, model, seq, number)
        if path not in step.blobs:
            return
        yield path


def judge_strays(
    ledger: Ledger, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Report statements without the transition that they are about, or after a gap."""
    for path, place in places.items():
        if place.kind != "forge_approval" or path not in step.blobs:
            continue
        about = layout.transition_path(place.stage, place.model, place.seq)
        if about not in step.blobs:
            ledger.findings.add("E_EXTRA_FILE", _STRAY, path, step.commit)
            continue
        before = int(place.name) - 1
        if before and (
            layout.forge_approval_path(place.stage, place.model, place.seq, before)
            not in step.blobs
        ):
            message = f"statement {before} is missing."
            ledger.findings.add("E_FORGE_APPROVAL", message, path, step.commit)


def verify_strays(view: View, findings: Findings, stage: str, model: str) -> None:
    """Report statements in a log that are about no transition of it."""
    for seq, numbers in all_numbers(view, stage, model).items():
        if view.entry(layout.transition_path(stage, model, seq)) is None:
            for number in numbers:
                path = layout.forge_approval_path(stage, model, seq, number)
                findings.add("E_EXTRA_FILE", _STRAY, path)
