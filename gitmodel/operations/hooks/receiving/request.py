"""A request branch: documents on their way to the registry, not yet of it.

They are judged lightly: what they add must be readable, in its place, and signed by
people of the registry. Whether that is enough is judged when it lands on a protected
branch, and nothing here is ever taken for granted there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, is_ancestor
from gitmodel.adapters.git.trees import FILE
from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.documents import verify_plain
from gitmodel.operations.verification.findings import Findings
from gitmodel.registry import layout
from gitmodel.registry.policies import Edition
from gitmodel.registry.seals import Signed, open_seal
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.adapters.git.history import PathChange
    from gitmodel.operations.hooks.receiving.refs import Update
    from gitmodel.operations.hooks.receiving.rules import Rules
    from gitmodel.registry.handle import RegistryHandle

_ROOTS = tuple(root.rstrip("/") for root in layout.PROTECTED_ROOTS)
#: Kind of a path → kind of its document, and of the statement that signs it.
_SIGNED = {
    "policy": ("Policy", "policy"),
    "manifest": ("ModelVersion", "version"),
    "transition": ("Transition", "transition"),
    "forge_approval": ("ForgeApproval", "forge-approval"),
    "attestation": ("Attestation", "attestation"),
    "review": ("AccessReview", "access-review"),
    "quarantine": ("Quarantine", "quarantine"),
    "incident": ("IncidentEntry", "incident"),
    "hold_release": ("HoldRelease", "hold-release"),
}
_PLAIN = {"pin": "ModelPin", "model": "Model", "trigger": "RollbackTrigger"}


def judge_request(
    handle: RegistryHandle, rules: Rules, update: Update, main: str | None
) -> Findings:
    """Judge one update of a request branch that exists afterwards.

    Args:
        handle: The registry.
        rules: What holds here.
        update: Of the branch.
        main: Where the protected branch is, or comes to be; None if there is none.
    """
    findings = Findings()
    try:
        _judge(handle, rules, update, main, findings)
    except GitmodelError as error:
        findings.add_error(error, "")
    return findings


def _judge(
    handle: RegistryHandle,
    rules: Rules,
    update: Update,
    main: str | None,
    findings: Findings,
) -> None:
    repository, new = handle.repository, str(update.new)
    if update.old is not None and not is_ancestor(repository, update.old, new):
        message = "a request is extended, or deleted and made again; never rewritten."
        findings.add("E_FORCE_PUSH", message, commit=new)
        return
    if main is None:
        findings.add("E_NO_REGISTRY", "there is no registry that it could ask.")
        return
    status, base = repository.git.attempt("merge-base", new, main)
    if status != 0:
        findings.add("E_ROOT_ANCHOR", "it shares no history with the registry.")
        return
    before = View(handle.reader, base.decode().strip())
    view = View(handle.reader, new)
    pair = [(new, before.commit)]
    found = [
        change
        for _, paths in changes(repository, pair, paths=_ROOTS)
        for change in paths
    ]
    if len(found) > rules.limits.paths:
        findings.add("E_LIMIT", f"it changes more than {rules.limits.paths:,} paths.")
        return
    for change in found:
        _judge_path(findings, view, change)
    _judge_signatures(findings, before, view, found)
    findings.problems[:] = [
        problem if problem.commit else replace(problem, commit=new)
        for problem in findings.problems
    ]


def _judge_path(findings: Findings, view: View, change: PathChange) -> None:
    place = layout.classify(change.path)
    if change.status != "A" and place.kind in layout.APPEND_ONLY:
        findings.add("E_APPEND_ONLY", "it was changed or deleted.", change.path)
    elif change.status == "D":
        return
    elif place.kind == "other":
        message = "no such file belongs in a registry."
        findings.add("E_EXTRA_FILE", message, change.path)
    elif change.new_mode != FILE:
        message = f"its mode is {change.new_mode:06o}; it must be 100644."
        findings.add("E_MODE", message, change.path)
    elif place.kind in _PLAIN:
        verify_plain(view, findings, change.path, _PLAIN[place.kind])
    elif place.kind in _SIGNED:
        verify_plain(view, findings, change.path, _SIGNED[place.kind][0])
        if not view.signatures_in(change.path.rpartition("/")[0]).get(change.path):
            findings.add("E_UNSIGNED", "nobody has signed it.", change.path)


def _judge_signatures(
    findings: Findings, before: View, view: View, found: Sequence[PathChange]
) -> None:
    """Open every signature that came, by the policies of the registry.

    A new policy is one of them: its own roots sign it too.
    """
    editions = dict(before.editions)
    for change in found:
        place = layout.classify(change.path)
        if place.kind == "policy" and change.status == "A":
            data = view.blob(change.path) or b""
            try:
                edition = Edition.read(data, place.seq, view.blob)
            except GitmodelError:
                continue  # its own problems are told already
            editions[edition.digest] = edition
    for change in found:
        place = layout.classify(change.path)
        if place.kind != "signature" or change.status == "D":
            continue
        document = view.blob(place.document)
        if document is None:
            message = "the document that it signs is missing."
            findings.add("E_EXTRA_FILE", message, change.path)
            continue
        _, kind = _SIGNED[layout.classify(place.document).kind]
        digest = Digest.of(document)
        bundle = view.blob(change.path) or b""
        signed = Signed(place.document, digest, kind, change.path, bundle)
        try:
            open_seal(signed, before.registry_id, editions.get)
        except GitmodelError as error:
            findings.add(error.code, error.message, change.path)
