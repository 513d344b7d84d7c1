"""A step that releases holds: by one who may roll back there, of a real rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.hold_release import HoldRelease, misdirected
from gitmodel.formats import schema
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry.hold_releases import KIND, unsigned_release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry import layout
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step


def judge_releases(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every release that a step added, and take in those that are legal."""
    for path, place in places.items():
        if place.kind == "hold_release" and path in step.blobs:
            _judge(ledger, edition, step, path, place)


def _judge(
    ledger: Ledger, edition: Edition, step: Step, path: str, place: layout.Place
) -> None:
    findings = ledger.findings
    before = len(findings.problems)
    record = added_record(ledger, step, path, KIND, (edition,))
    if record is None:
        return
    problems = schema.problems("HoldRelease", record.document, path)
    findings.problems.extend(problems)
    if problems:
        return
    release = HoldRelease.from_document(record.document)
    chain = ledger.chain(place.stage, place.model)
    known = place.seq <= len(chain.transitions)
    message = misdirected(
        release,
        chain.transitions[place.seq - 1] if known else None,
        chain.digest_of(place.seq) if known else None,
    )
    if message is not None:
        findings.add("E_HOLD_RELEASE", message, path, step.commit)
    if release.policy != edition.digest:
        message = "it was made under a policy not in force."
        findings.add("E_OTHER_POLICY", message, path, step.commit)
    unsigned = unsigned_release(edition.policy, record, release)
    if record.seals and unsigned is not None:
        findings.add(unsigned.code, unsigned.message, path, step.commit)
    if len(findings.problems) == before:
        chain.released.add(place.seq)
