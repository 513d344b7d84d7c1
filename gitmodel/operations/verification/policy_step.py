"""A step that changes the policy: one link further, signed by old and new roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry.policies import Edition
from gitmodel.registry.policy_chain import follows, lacks

if TYPE_CHECKING:
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.layout import Place
    from gitmodel.registry.steps import Step


def judge_policy(ledger: Ledger, step: Step, path: str, place: Place) -> None:
    """Judge a policy that a step added, and put it in force if it is legal."""
    old = ledger.edition
    number = old.policy.version + 1 if old else 1
    try:
        new = Edition.read(
            step.blobs.get(path, b""), place.seq, ledger.trusted_root_finder(step)
        )
    except GitmodelError as error:
        ledger.findings.add_error(error, path)
        return
    if place.seq != number or not follows(new, old, number):
        ledger.findings.add(
            "E_POLICY_ROLLBACK",
            f"it does not follow policy {number - 1}."
            if old
            else "the first policy must be policy 1, with no policy before it.",
            path,
            step.commit,
        )
        return
    if new.policy.trusted_root is not None and new.trusted_root is None:
        ledger.findings.add(
            "E_TRUST_ROOT",
            "the trusted root that it pins is missing, or is not what was pinned.",
            path,
            step.commit,
        )
    if ledger.registry_id is None:
        ledger.registry_id = new.digest
    editions = (old, new) if old else (new,)
    record = added_record(ledger, step, path, "policy", editions)
    if record is None:
        return
    if rejectors := record.rejected_by("root"):
        said = f"{', '.join(rejectors)} rejected it."
        ledger.findings.add("E_REJECTED", said, path, step.commit)
        return
    for edition in editions:
        if lacking := lacks(edition, record.seals):
            ledger.findings.add("E_THRESHOLD", lacking, path, step.commit)
            return
    ledger.edition = new
