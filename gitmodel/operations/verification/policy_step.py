"""A step that changes the policy: one link further, signed by old and new roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry.policies import Edition

if TYPE_CHECKING:
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.layout import Place
    from gitmodel.registry.records import Seal
    from gitmodel.registry.steps import Step


def judge_policy(ledger: Ledger, step: Step, path: str, place: Place) -> None:
    """Judge a policy that a step added, and put it in force if it is legal."""
    old = ledger.edition
    number = old.policy.version + 1 if old else 1
    try:
        new = Edition.read(step.blobs.get(path, b""), place.seq)
    except GitmodelError as error:
        ledger.findings.add_error(error, path)
        return
    if (new.policy.version, place.seq) != (number, number) or (
        new.policy.prior != (old.digest if old else None)
    ):
        ledger.findings.add(
            "E_POLICY_ROLLBACK",
            f"it does not follow policy {number - 1}."
            if old
            else "the first policy must be policy 1, with no policy before it.",
            path,
            step.commit,
        )
        return
    if ledger.registry_id is None:
        ledger.registry_id = new.digest
    editions = (old, new) if old else (new,)
    record = added_record(ledger, step, path, "policy", editions)
    if record is None:
        return
    for edition in editions:
        if not _meets_root_threshold(ledger, step, path, edition, record.seals):
            return
    ledger.edition = new


def _meets_root_threshold(
    ledger: Ledger, step: Step, path: str, edition: Edition, seals: tuple[Seal, ...]
) -> bool:
    """Count principals, not keys, and by this edition's own list of keys."""
    role = edition.policy.role("root")
    owners = {
        edition.policy.owner_of(seal.keyid) for seal in seals if seal.role == "root"
    }
    signed = len(owners & set(role.members)) if role else 0
    needed = role.threshold if role else 1
    if signed >= needed:
        return True
    ledger.findings.add(
        "E_THRESHOLD",
        f"policy {edition.policy.version} asks for {needed} root signatures; "
        f"{signed} count.",
        path,
        step.commit,
    )
    return False
