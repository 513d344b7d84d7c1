"""Judges what is staged as ``verify`` will judge the commit, and says where and why.

Two looks: at the step as a whole, by the rules of the history (``design`` §4.6) and of
the layout; and at each file by itself, for what the rules of a step do not say or do
not give a line for.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError
from gitmodel.formats import schema, yaml_quick
from gitmodel.formats.lfs_pointer import CUTOFF, Pointer
from gitmodel.formats.secret_scan import find_secrets
from gitmodel.operations.hooks.staged import is_of_registry
from gitmodel.operations.naming import judge_names
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.scope import fold
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.operations.hooks.staged import Staged

_KINDS: Mapping[layout.Kind, str] = {
    "settings": "Registry",
    "model": "Model",
    "trigger": "RollbackTrigger",
    "manifest": "ModelVersion",
    "attestation": "Attestation",
    "pin": "ModelPin",
    "transition": "Transition",
    "forge_approval": "ForgeApproval",
    "policy": "Policy",
    "review": "AccessReview",
    "quarantine": "Quarantine",
    "incident": "IncidentEntry",
    "hold_release": "HoldRelease",
}
_PICKLES = frozenset({"pickle", "pytorch", "joblib"})
#: Artifacts that are larger are left to ``gitmodel attest --scan`` and the gates.
_SCANNED = 64 << 20


def judge_step(staged: Staged) -> Iterator[Problem]:
    """Yield what makes the commit as a whole illegal."""
    findings = Findings()
    try:
        _judge_step(staged, findings)
    except GitmodelError as error:
        findings.add_error(error, "")
    for path in sorted(_unread(staged)):
        findings.add("E_LIMIT", "it is larger than any document may be.", path)
    touched = {change.path for change in staged.changes}
    for problem in findings.problems:
        if (blamed := _blamed(problem, touched)) is not None:
            yield blamed


def _judge_step(staged: Staged, findings: Findings) -> None:
    if staged.step.changes:
        # Reading the policies of the past takes a while, and most commits need none.
        from gitmodel.operations.verification.ledger import Ledger  # noqa: PLC0415
        from gitmodel.operations.verification.legality import judge  # noqa: PLC0415

        reader = staged.handle.reader
        ledger = (
            Ledger.resume(findings, staged.base)
            if staged.base.commit is not None and staged.base.policy_number
            else Ledger(findings, reader=reader)
        )
        judge(ledger, staged.step)
    if not any(is_of_registry(change.path) for change in staged.changes):
        return
    from gitmodel.operations.verification.additions import (  # noqa: PLC0415
        verify_additions,
    )

    base = staged.base if staged.base.commit is not None else None
    if staged.view.entry(layout.SETTINGS) is not None:
        verify_additions(staged.handle.repository, staged.view, findings, base)
        judge_names(staged.view, base, findings)


def _unread(staged: Staged) -> Iterator[str]:
    """Yield documents that were too large to be judged."""
    for change in staged.step.changes:
        kind = layout.classify(change.path).kind
        if (
            change.new in staged.sizes
            and change.path not in staged.step.blobs
            and kind not in {"artifact", "other"}
        ):
            yield change.path


def _blamed(problem: Problem, touched: set[str]) -> Problem | None:
    """Return a problem under a path that this commit changes; None if it has no part.

    What was wrong before is for ``verify``. But a new name may collide with an old
    one, and new attributes may spoil old files.
    """
    if not problem.path or problem.path in touched:
        return problem
    if problem.code == "E_ATTRIBUTES" and layout.ATTRIBUTES in touched:
        message = f"such as {problem.path}: {problem.message}"
        return replace(problem, path=layout.ATTRIBUTES, message=message)
    place = f"{fold(problem.path)}/"
    for path in sorted(touched):
        if f"{fold(path)}/".startswith(place):
            return replace(problem, path=path)
    return None


def judge_schemas(staged: Staged) -> Iterator[Problem]:
    """Yield what is wrong with each document by itself, with its line."""
    documents = {
        change.path: kind
        for change in staged.chosen
        if (kind := _KINDS.get(layout.classify(change.path).kind)) is not None
    }
    chosen = [c for c in staged.chosen if c.path in documents and c.status != "D"]
    for path, data in staged.blobs(chosen).items():
        kind = documents[path]
        quick = yaml_quick.value_of(data)
        if quick is None or schema.problems(kind, quick, path):
            yield from schema.parse_document(data, path, kind)[1]
    if any(c.path == layout.SETTINGS and c.status == "D" for c in staged.changes):
        message = "without it this is no registry any more."
        yield Problem("E_MISSING", message, layout.SETTINGS)


def judge_pointers(staged: Staged) -> Iterator[Problem]:
    """Yield artifacts that git would hold itself, in place of a pointer to LFS."""
    artifacts = [
        change
        for change in staged.chosen
        if change.new in staged.sizes
        and layout.classify(change.path).kind == "artifact"
    ]
    small = [c for c in artifacts if staged.sizes[c.new] < CUTOFF]
    pointers = staged.blobs(small)
    for change in artifacts:
        data = pointers.get(change.path)
        if data is None or Pointer.parse(data) is None:
            message = "git would hold the file itself, not a pointer to LFS."
            yield Problem("E_POINTER", message, change.path)


def judge_contents(staged: Staged) -> Iterator[Problem]:
    """Yield credentials in any file, and pickles where they can do harm."""
    from gitmodel.formats.probes.probe import identify  # noqa: PLC0415

    files = [change for change in staged.chosen if change.status != "D"]
    for path, data in staged.blobs(files).items():
        for secret in find_secrets(data):
            message = f"it looks like {secret.what}; a history never forgets one."
            yield Problem("E_SECRET", message, path, line=secret.line)
        pointer = Pointer.parse(data) if len(data) < CUTOFF else None
        if layout.classify(path).kind == "artifact" and pointer is not None:
            yield from _judge_artifact(staged, path, pointer)
        elif identify(BytesIO(data), len(data)) in _PICKLES:
            message = "it is a pickle, which runs code when it is loaded."
            yield Problem("E_PICKLE", message, path)


def _judge_artifact(staged: Staged, path: str, pointer: Pointer) -> Iterator[Problem]:
    """Yield code in the bytes of an artifact, if they are at hand and not too many."""
    store = staged.handle.store
    if not 0 < pointer.size <= _SCANNED or store.look(pointer) is not None:
        return
    from gitmodel.formats import pickle_scan  # noqa: PLC0415
    from gitmodel.formats.probes.probe import identify  # noqa: PLC0415

    with store.open(pointer) as file:
        if identify(file, pointer.size) not in _PICKLES:
            return
        for found in pickle_scan.scan(file, pointer.size, path):
            yield Problem("E_PICKLE", f"{found.message}.", path)
