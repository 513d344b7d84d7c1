"""A branch as one step of the base: the merge that would land it, judged beforehand.

What counts is the difference from the base to the merge of both (``design`` §4.6), by
the rules by which the base is verified afterwards, and by the policy that the base
has: a branch does not bring its own judges. The commits of the branch count too, as a
merge would make them part of the history for ever.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, is_ancestor
from gitmodel.adapters.git.merges import trial_merge
from gitmodel.errors import ConflictError, GitmodelError, IntegrityError
from gitmodel.formats import yaml_quick, yaml_reader
from gitmodel.operations.drafting import bind_parents
from gitmodel.operations.verification.additions import verify_additions
from gitmodel.operations.verification.ancestry import verify_ancestry
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.history import judge_line
from gitmodel.operations.verification.overtaken import judge_overtaken
from gitmodel.operations.verification.scope import EVERYTHING
from gitmodel.registry import layout
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.adapters.git.history import PathChange
    from gitmodel.domain.problem import Problem
    from gitmodel.registry.handle import RegistryHandle


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A branch, merged on trial.

    Attributes:
        base: The registry that it would be merged into.
        head: The commit that is to be merged.
        merged: The registry after that; ``base`` where there is nothing to merge, or
            no way to do it.
        changes: Every path that differs between the two.
        problems: What makes it illegal, each once.
    """

    base: View
    head: str
    merged: View
    changes: tuple[PathChange, ...]
    problems: tuple[Problem, ...]


def try_landing(handle: RegistryHandle, base: View, head: str) -> Trial:
    """Merge a commit into the registry, and judge what that makes of it.

    Nothing is changed but for objects that no ref names.

    Args:
        handle: The registry.
        base: What is on the branch that it would be merged into. That it is right
            itself is for ``verify --history`` to say.
        head: The commit.

    Raises:
        IntegrityError: This clone does not have the history (``E_SHALLOW``).
        OutsideError: git is too old to merge without a work tree.
    """
    repository = handle.repository
    if (repository.common_dir / "shallow").exists():
        raise IntegrityError(
            "This clone is shallow: what a branch brings cannot be told.",
            "git fetch --unshallow  brings the rest; in CI, fetch with depth 0.",
            code="E_SHALLOW",
        )
    tip, findings = str(base.commit), Findings()
    merged = base
    if not is_ancestor(repository, head, tip):
        merged = _merge(handle, base, head, findings)
    found: tuple[PathChange, ...] = ()
    if merged is not base:
        found = _judge(handle, base, head, merged, findings)
    problems = dict.fromkeys(
        replace(each, commit=None) if each.commit == merged.commit else each
        for each in findings.problems
    )
    return Trial(
        base=base,
        head=head,
        merged=merged,
        changes=found,
        problems=_told_once(tuple(problems)),
    )


def _merge(handle: RegistryHandle, base: View, head: str, findings: Findings) -> View:
    repository, tip = handle.repository, str(base.commit)
    if repository.git.attempt("merge-base", tip, head)[0] != 0:
        message = "it shares no history with the registry."
        findings.add("E_ROOT_ANCHOR", message, commit=head)
        return base
    try:
        when = handle.context.clock.now()
        return View(handle.reader, trial_merge(repository, tip, head, when))
    except ConflictError as error:
        findings.add_error(error, "")
        return base


def _judge(
    handle: RegistryHandle, base: View, head: str, merged: View, findings: Findings
) -> tuple[PathChange, ...]:
    tip, made = str(base.commit), str(merged.commit)
    line = [(made, tip)]
    found: tuple[PathChange, ...] = ()
    try:
        found = tuple(
            each for _, paths in changes(handle.repository, line) for each in paths
        )
        judge_line(handle, findings, line, tip)
        if merged.entry(layout.SETTINGS) is None:
            findings.add("E_NO_REGISTRY", "it would be no registry any more.")
            return found
        verify_additions(handle.repository, merged, findings, base)
        view = View(handle.reader, head)
        verify_ancestry(handle, findings, view, EVERYTHING, after=tip)
        judge_overtaken(handle, findings, merged, line, tip)
        _judge_lineage(merged, found, findings)
    except GitmodelError as error:
        findings.add_error(error, "")
    return found


def _judge_lineage(
    merged: View, found: tuple[PathChange, ...], findings: Findings
) -> None:
    """Report parents of new versions that the registry does not have (R031)."""
    for change in found:
        place = layout.classify(change.path)
        if place.kind != "manifest" or change.status != "A":
            continue
        try:
            data = merged.blob(change.path) or b""
            document = yaml_quick.value_of(data)
            if document is None:
                document = yaml_reader.read(data, change.path).value
        except GitmodelError:
            continue  # that it cannot be read is told already
        try:
            bind_parents(merged, copy.deepcopy(dict(document)))
        except GitmodelError as error:
            findings.add("E_LINEAGE", error.message, change.path)
        except (KeyError, TypeError, AttributeError, ValueError):
            continue  # it does not fit the schema, which is told already


def _told_once(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Leave out what the merge as a whole tells already, of the branch's commits."""
    told = {(each.code, each.path) for each in problems if each.commit is None}
    return tuple(
        each
        for each in problems
        if each.commit is None or not each.path or (each.code, each.path) not in told
    )
