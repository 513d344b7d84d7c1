"""Signatures that a policy has overtaken, put before it by a merge.

Position on the first-parent line decides what a signature is worth, and whoever merges
chooses that line. With a key that was revoked, a thief could commit to what was there
before, merge the branch that revoked it *into that*, and push without force: on the
new line the theft comes first. But the commit that brought the policy is still there,
beside the line, and the theft does not come before it. So whatever stands on the line
ahead of a policy, and is no ancestor of a commit that brought that policy, must be
signed by those whom that policy, too, entitles.

Two who work at once, and merge in good faith, pass: unless a role that one of them used
was being taken away meanwhile, which is for people to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, edges, first_parent_line
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import Endorsement, Statement
from gitmodel.registry import layout
from gitmodel.registry.authorship import author_of
from gitmodel.registry.steps import line_to, steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View

    Line = Sequence[tuple[str, str | None]]

_POLICIES = ".gitmodel/policy"


def judge_overtaken(
    handle: RegistryHandle,
    findings: Findings,
    view: View,
    line: Line,
    after: str | None,
    *,
    remembered: bool = False,
) -> None:
    """Judge what a line puts before a policy that came beside it.

    Args:
        handle: The registry.
        findings: Told about every problem.
        view: The registry at the end of the line.
        line: As ``line_to`` returns it.
        after: The commit that vouches for all before it; None to begin at the root.
        remembered: Whether it vouches only for what was known then. A policy that
            comes beside the line overtakes what stands before it as well.
    """
    repository = handle.repository
    pairs = edges(repository, str(view.commit), after)
    on_line = {commit: place for place, (commit, _) in enumerate(line)}
    beside = [pair for pair in pairs if pair[0] not in on_line]
    brought = _brought(repository, beside) if beside else {}
    if not brought:
        return
    if remembered:
        line = line_to(repository, str(view.commit), None)
        on_line = {commit: place for place, (commit, _) in enumerate(line)}
    try:
        editions = {each.policy.version: each for each in view.editions.values()}
    except GitmodelError:
        return  # the policies themselves do not stand, and others say so
    landed = {
        number: on_line[commit]
        for commit, numbers in _added(repository, line)
        for number in numbers
    }
    named: set[str] = set()
    for number, commits in sorted(brought.items()):
        if number not in landed or number not in editions:
            continue
        late: set[str] = set()
        for commit in commits:
            rest = first_parent_line(repository, str(view.commit), after=commit)
            late |= {each for each, _ in rest}
        ahead = [pair for pair in line[: landed[number]] if pair[0] in late]
        for step in steps(repository, handle.reader, ahead):
            _judge(findings, step, editions[number], named)


def _brought(repository: Repository, beside: Line) -> dict[int, set[str]]:
    """Return the commits beside the line that brought a policy, by its number."""
    parents: dict[str, int] = {}
    for commit, _ in beside:
        parents[commit] = parents.get(commit, 0) + 1
    seen: dict[tuple[str, int], int] = {}
    for commit, numbers in _added(repository, beside):
        for number in numbers:
            seen[commit, number] = seen.get((commit, number), 0) + 1
    found: dict[int, set[str]] = {}
    for (commit, number), times in seen.items():
        if times == parents[commit]:  # none of its parents had it
            found.setdefault(number, set()).add(commit)
    return found


def _added(repository: Repository, line: Line) -> Iterable[tuple[str, list[int]]]:
    """Yield the commits that add policies to one of their parents, and which."""
    for commit, changed in changes(repository, line, paths=(_POLICIES,)):
        places = (layout.classify(each.path) for each in changed if each.status == "A")
        numbers = [place.seq for place in places if place.kind == "policy"]
        if numbers:
            yield commit, numbers


def _judge(findings: Findings, step: Step, edition: Edition, named: set[str]) -> None:
    """Judge the signatures of one step by a policy that was made meanwhile.

    What one policy does not allow is not held against the next as well: ``named``.
    """
    for path, data in step.blobs.items():
        place = layout.classify(path)
        if place.kind != "signature" or path in named:
            continue
        if layout.classify(place.document).kind == "policy":
            continue  # the chain of policies has its own order
        try:
            _require(Bundle.from_bytes(data, path), edition)
        except GitmodelError as error:
            named.add(path)
            findings.add(
                error.code,
                f"policy {edition.policy.version} came beside it and is merged in "
                f"after it, but does not allow it: {error.message}",
                path,
                step.commit,
            )


def _require(bundle: Bundle, edition: Edition) -> None:
    role = Endorsement.from_predicate(Statement.from_bundle(bundle).predicate).role
    author = author_of(bundle, edition)
    if not edition.policy.has_role(author.principal, role):
        raise IntegrityError(f"{author.principal} is not a {role}.", code="E_ROLE")
