"""Verify: bytes, signatures, pins, log and history, offline, naming every problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.operations.checkpoint import is_shallow, verify_checkpoints
from gitmodel.operations.late_review import neglected
from gitmodel.operations.verification.additions import (
    verify_additions,
    verify_models,
    verify_settings,
    verify_triggers,
)
from gitmodel.operations.verification.ancestry import verify_ancestry
from gitmodel.operations.verification.content import verify_content
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.history import verify_steps
from gitmodel.operations.verification.incidents import verify_incidents
from gitmodel.operations.verification.layout import verify_layout
from gitmodel.operations.verification.pieces import verify_versions
from gitmodel.operations.verification.policies import verify_policies
from gitmodel.operations.verification.quarantines import (
    live_in_quarantine,
    verify_quarantines,
)
from gitmodel.operations.verification.reviews import verify_reviews
from gitmodel.operations.verification.scope import EVERYTHING, Scope
from gitmodel.operations.verification.stages import verify_sources, verify_stage
from gitmodel.registry import layout, state
from gitmodel.registry.parsing import as_found
from gitmodel.registry.versions import resolve
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.problem import Problem
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.verification.history import Proof
    from gitmodel.registry.handle import RegistryHandle

#: Problems that say "not here", not "wrong": the clone is incomplete.
_ABSENT = frozenset({"E_ARTIFACT_MISSING", "E_SHALLOW"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """What was verified.

    Attributes:
        root: Digest of policy 1, from which all trust was taken.
        root_given: Whether the caller named it; else it was taken on trust.
        bytes_hashed: Bytes read and hashed; None if bytes were skipped.
        steps: Commits judged as legal changes; None if history was not asked for.
        commit_signatures: How many of those bear a good signature by a principal's
            key; 0 if history was not asked for.
        notices: What is signed and true, and still needs somebody to act.
    """

    root: str
    root_given: bool
    versions: int
    transitions: int
    commits: int
    signatures: int
    commit_signatures: int
    artifacts: int
    bytes_hashed: int | None
    steps: int | None
    problems: tuple[Problem, ...]
    notices: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def only_absent(self) -> bool:
        """Whether all that is wrong is that this clone lacks something."""
        return all(problem.code in _ABSENT for problem in self.problems)


def verify(
    handle: RegistryHandle,
    selector: Selector | None = None,
    *,
    hash_bytes: bool = True,
    root: Digest | None = None,
    history: bool = False,
    full: bool = False,
    checkpoint: Path | None = None,
    max_age: timedelta | None = None,
) -> VerifyResult:
    """Verify the whole registry at HEAD, or what concerns one version.

    Args:
        handle: The registry.
        selector: One version, and the stages that hold its model; None for all.
        hash_bytes: Whether to read and hash the artifacts.
        root: Digest of policy 1 as the caller knows it from elsewhere.
        history: Also judge every commit by the policy in force at that point.
        full: Judge history from the root, whatever this clone verified before.
        checkpoint: A file that the registry must agree with. A shallow clone is then
            verified from there on.
        max_age: How old that may be; None for as long as it says itself.

    Raises:
        NotFoundError: ``selector`` names nothing.
        IntegrityError: There is no policy to verify by.
    """
    with as_found():
        view = handle.view()
    findings = Findings()
    sound = _verify_root(view, findings, root)
    anchor = None
    if checkpoint is not None:
        anchor = _verify_checkpoint(handle, findings, checkpoint, max_age)
    proof = None
    if history or full:
        proof = verify_steps(handle, view, full=full, anchor=anchor)
    if selector is None and proof is not None and _is_brief(handle, proof, hash_bytes):
        _verify_what_is_new(handle, view, findings, proof)
    else:
        scope = _scope(view, selector, findings)
        try:
            _verify_tree(handle, view, findings, scope, sound=sound)
        except IntegrityError as error:  # a tree object: what is below it is unknown
            findings.add_error(error, "")
        verify_ancestry(handle, findings, view, scope, after=anchor)
    if proof is not None and proof.holds and (anchor or not is_shallow(handle)):
        whole = selector is None and not findings.problems
        tip = str(view.commit)
        state.write(
            handle.repository, state.Verified(view.registry_id, tip, whole=whole)
        )
    judged = proof.findings if proof is not None else None
    hashed = None
    if hash_bytes:
        hashed = verify_content(handle.store, findings, handle.context.progress)
    return VerifyResult(
        root=str(view.registry_id),
        root_given=root is not None,
        versions=findings.versions,
        transitions=findings.transitions,
        commits=findings.commits,
        signatures=findings.signatures,
        commit_signatures=judged.commit_signatures if judged is not None else 0,
        artifacts=len(findings.artifacts) + findings.further_artifacts,
        bytes_hashed=hashed,
        steps=judged.commits if judged is not None else None,
        notices=(
            *live_in_quarantine(view),
            *neglected(view, handle.context.clock.now()),
        ),
        problems=tuple(
            dict.fromkeys(_merged(findings.problems, judged.problems if judged else []))
        ),
    )


def _is_brief(handle: RegistryHandle, proof: Proof, hash_bytes: bool) -> bool:
    """Say whether the steps that led to a tree prove it, but for what is new.

    If every step was legal, so is what they made (``legality``): every version and
    every pin with its log. Only bytes still need all of them, to know what to hash.
    """
    return (
        proof.holds
        and (proof.after is None or proof.whole)
        and not is_shallow(handle)
        and not hash_bytes
    )


def _verify_what_is_new(
    handle: RegistryHandle, view: View, findings: Findings, proof: Proof
) -> None:
    """Verify what legal steps do not prove of the tree that they led to."""
    base = View(handle.reader, proof.after) if proof.after is not None else None
    verify_additions(handle.repository, view, findings, base)
    findings.count(proof.findings)
    verify_ancestry(handle, findings, view, EVERYTHING, after=proof.after, judged=True)


def _verify_tree(
    handle: RegistryHandle,
    view: View,
    findings: Findings,
    scope: Scope,
    *,
    sound: bool,
) -> None:
    """Verify the tree as it is, in so far as it is in scope.

    Args:
        handle: The registry.
        view: The tree.
        findings: Told about every problem.
        scope: What matters.
        sound: Whether there is a policy to judge signatures by.
    """
    files = verify_layout(handle.repository, view, findings, scope)
    verify_settings(view, findings)
    verify_models(view, findings, files)
    verify_triggers(view, findings, files)
    if sound:
        verify_versions(view, findings, files)
        _verify_stages(view, findings, files)
        if scope == EVERYTHING:
            verify_incidents(view, findings)


def _verify_checkpoint(
    handle: RegistryHandle, findings: Findings, file: Path, max_age: timedelta | None
) -> str | None:
    """Return the commit of a checkpoint that may stand for what a clone lacks."""
    [result] = verify_checkpoints(handle, [file], max_age=max_age)
    findings.problems.extend(result.problems)
    if result.problems or not is_shallow(handle):
        return None
    return result.checkpoint.commit


def _merged(now: Sequence[Problem], judged: Sequence[Problem]) -> Iterator[Problem]:
    """Yield all problems, but once those that a step of the history names as well."""
    named = {(problem.code, problem.path) for problem in judged}
    for problem in now:
        if problem.commit is not None or (problem.code, problem.path) not in named:
            yield problem
    yield from judged


def _scope(view: View, selector: Selector | None, findings: Findings) -> Scope:
    """Return what to look at; what a selector cannot be resolved for is a finding."""
    if selector is None:
        return EVERYTHING
    try:
        place = layout.classify(resolve(view, selector).record.path)
    except IntegrityError as error:
        findings.add_error(error, layout.model_dir(selector.model))
        version = str(selector.version) if selector.version else ""
        return Scope(selector.model, version)
    return Scope(place.model, place.version)


def _verify_root(view: View, findings: Findings, root: Digest | None) -> bool:
    """Verify the policies; False if none of them can be used to verify the rest."""
    path = layout.policy_path(1)
    if root is not None and view.registry_id != root:
        findings.add(
            "E_ROOT_ANCHOR",
            f"this registry's root is {view.registry_id}, not the one you trust.",
            path,
        )
    verify_policies(view, findings)
    verify_reviews(view, findings)
    verify_quarantines(view, findings)
    try:
        return view.edition is not None
    except GitmodelError as error:
        if not findings.problems:
            findings.add_error(error, layout.policy_path(view.policy_number))
        return False


def _verify_stages(view: View, findings: Findings, files: Iterable[str]) -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for path in files:
        place = layout.classify(path)
        if place.stage:
            found.setdefault((place.stage, place.model), []).append(path)
    histories = {}
    for (stage, model), paths in sorted(found.items()):
        view.read_ahead(paths)
        histories[stage, model] = verify_stage(view, findings, stage, model)
    verify_sources(view, findings, histories)
