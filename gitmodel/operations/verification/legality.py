"""Whether a step of the history is a legal change (``design`` §4.5, §4.6).

A step is the difference of a commit to its first parent, judged by the policy of
that parent. These are legal:

* register: a whole version directory, signed by a publisher;
* attest: the next attestation of a version, signed by its author in a role that may;
  what it says of a rollback is about one in the log;
* promote or roll back: a pin and the one transition that matches it, signed by its
  requester and by as many approvers as the stage asks for, of a version that meets the
  stage's gates; soak times and freezes by the time that the transition gives itself;
  with it, what forges said of it, each statement signed by a collector; what a
  rollback took out comes back only after the hold on it was released;
* release a hold: signed by one who may roll back there, of a rollback of that stage;
* policy: number n+1, signed to the root threshold of n and of n+1, with the trusted
  root of a Sigstore if it pins a new one;
* quarantine, and lift: the next one, signed by its author in a role that may; what is
  in quarantine is not promoted, and not gone back to;
* access review: the next one, signed by an auditor or a root;
* incident: its next entry, signed by its author in a role that may write it; whoever
  rolls back in an emergency has opened one;
* a further signature of a document that is there already;
* ``model.yaml``, triggers, and whatever lies outside the protected directories.

By induction the tree after the last step is legal if every step was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.trees import FILE
from gitmodel.operations.verification.attest_step import (
    judge_attestations,
    judge_validations,
)
from gitmodel.operations.verification.forge_step import judge_strays
from gitmodel.operations.verification.holds_step import judge_releases
from gitmodel.operations.verification.incidents import (
    judge_emergencies,
    judge_incidents,
)
from gitmodel.operations.verification.policy_step import judge_policy
from gitmodel.operations.verification.quarantines import judge_quarantines
from gitmodel.operations.verification.register_step import judge_versions
from gitmodel.operations.verification.reviews import judge_reviews
from gitmodel.operations.verification.seals import judge_late_signatures
from gitmodel.operations.verification.stage_step import judge_moves
from gitmodel.operations.verification.trusted_roots import judge_trusted_roots
from gitmodel.registry import layout

if TYPE_CHECKING:
    from gitmodel.adapters.git.history import PathChange
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.steps import Step

_WORDS = {"M": "changed", "D": "deleted", "T": "replaced by another kind of file"}


def judge(ledger: Ledger, step: Step) -> None:
    """Judge one step, report what is illegal, and take in what it did."""
    places = {change.path: layout.classify(change.path) for change in step.changes}
    for change in step.changes:
        place = places[change.path]
        _judge_path(ledger, step, change, place)
        if place.kind == "manifest" and change.status == "A":
            ledger.sources[place.model, place.version] = change.new
    in_force = ledger.edition
    for path, place in places.items():
        if place.kind == "policy" and path in step.blobs:
            judge_policy(ledger, step, path, place)
    judge_trusted_roots(ledger, step, places)
    in_force = in_force or ledger.edition
    if in_force is None:
        ledger.findings.add(
            "E_POLICY_MISSING",
            "the registry has content before it has a policy.",
            next(iter(places)),
            step.commit,
        )
        return
    judge_versions(ledger, in_force, step, places)
    judge_attestations(ledger, in_force, step, places)
    judge_releases(ledger, in_force, step, places)
    judge_quarantines(ledger, in_force, step, places)
    judge_moves(ledger, in_force, step, places)
    judge_validations(ledger, step, places)
    judge_strays(ledger, step, places)
    judge_reviews(ledger, in_force, step, places)
    judge_incidents(ledger, in_force, step, places)
    judge_emergencies(ledger, step, places)
    judge_late_signatures(ledger, in_force, step)


def _judge_path(
    ledger: Ledger, step: Step, change: PathChange, place: layout.Place
) -> None:
    """Judge what needs no content: rewriting, strange files, modes."""
    if change.status != "A" and place.kind in layout.APPEND_ONLY:
        word = _WORDS.get(change.status, "changed")
        code, message = "E_APPEND_ONLY", f"it was {word}."
    elif change.status == "D":
        return
    elif place.kind == "other":
        code, message = "E_EXTRA_FILE", "no such file belongs in a registry."
    elif change.new_mode != FILE:
        code = "E_MODE"
        message = f"its mode is {change.new_mode:06o}; it must be 100644."
    else:
        return
    ledger.findings.add(code, message, change.path, step.commit)
