"""Signatures of commits: attribution, and defence in depth; authority is elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.signing.commit import verify_commit
from gitmodel.errors import GitmodelError
from gitmodel.formats.commit_object import split_signature

if TYPE_CHECKING:
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step


def judge_commit_signature(ledger: Ledger, before: Edition | None, step: Step) -> None:
    """Count a good signature, and report one that claims a principal's key wrongly.

    Most commits of forges are unsigned, or signed by the forge: that is no problem.
    """
    keys = [
        key
        for edition in dict.fromkeys((before, ledger.edition))
        if edition is not None
        for key in edition.keys
    ]
    try:
        unsigned, armored = split_signature(step.raw)
        # Anything but SSH is nobody's key here: OpenPGP, X.509.
        if armored is None or "BEGIN SSH SIGNATURE" not in armored:
            return
        verify_commit(armored, unsigned, keys)
    except GitmodelError as error:
        if error.code == "E_SIGNATURE":
            ledger.findings.add("E_COMMIT_SIGNATURE", error.message, commit=step.commit)
        return
    ledger.findings.commit_signatures += 1
