"""Pre-receive: judge everything that a push would change, before any of it is kept.

All refs of a push are judged, and every problem is told at once; one problem refuses
the whole push. What is refused leaves nothing but a line in the log of refusals: git
throws its objects away with the quarantine that they lie in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.domain.moment import to_text
from gitmodel.domain.problem import Problem
from gitmodel.operations.hooks.receiving import refs, volume
from gitmodel.operations.hooks.receiving.advice import advice
from gitmodel.operations.hooks.receiving.branch import judge_branch
from gitmodel.operations.hooks.receiving.request import judge_request
from gitmodel.operations.hooks.receiving.rules import BRANCHES
from gitmodel.operations.verification.findings import Findings
from gitmodel.registry import received, refusals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.operations.hooks.receiving.refs import Kind, Update
    from gitmodel.operations.hooks.receiving.rules import Rules
    from gitmodel.operations.hooks.receiving.volume import Oversized
    from gitmodel.registry.handle import RegistryHandle


@dataclass(slots=True)
class Verdict:
    """What came of one ref.

    Attributes:
        kind: What the ref is to a server; see ``refs``.
        commits: Commits that were judged as steps; 0 for refs that are not.
    """

    update: Update
    kind: Kind
    problems: list[Problem] = field(default_factory=list)
    commits: int = 0

    def advised(self) -> Iterator[tuple[Problem, str]]:
        """Yield every problem once, with what to run about it."""
        named = {(each.code, each.path) for each in self.problems if each.commit}
        for problem in dict.fromkeys(self.problems):
            if problem.commit or (problem.code, problem.path) not in named:
                yield problem, advice(problem, self.update, self.kind)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a push.

    Attributes:
        registry: The root of the registry that was pushed to; None if no protected
            branch was.
    """

    verdicts: tuple[Verdict, ...]
    registry: Digest | None = None

    @property
    def ok(self) -> bool:
        """Whether the push may land."""
        return not any(verdict.problems for verdict in self.verdicts)


def receive(
    handle: RegistryHandle, rules: Rules, updates: Sequence[Update], who: str
) -> Receipt:
    """Judge a push.

    Args:
        handle: The registry, opened with what the push has in quarantine.
        rules: What holds here.
        updates: What it would do, one for each ref.
        who: The pusher, as far as the server knows, for the log of refusals.
    """
    verdicts = {
        update: Verdict(update, refs.kind_of(update.ref, rules)) for update in updates
    }
    weighed = Findings()
    if len(updates) > rules.limits.refs:
        message = f"it has more than {rules.limits.refs:,} refs (gitmodel.maxRefs)."
        weighed.add("E_LIMIT", message)
    oversized = volume.weigh(handle.repository, rules.limits, weighed)
    registries: dict[Digest, str] = {}
    if not weighed.problems:
        for update, problem in refs.judge_names(handle.repository, rules, updates):
            verdicts[update].problems.append(problem)
        registries = _judge_branches(handle, rules, verdicts.values(), oversized)
        _judge_requests(handle, rules, verdicts.values())
        _require_head(handle, rules, verdicts.values())
        for oid, size in oversized.items():
            most = rules.limits.file
            message = f"{size:,} bytes; {most:,} are the most (gitmodel.maxFile)."
            weighed.add("E_LIMIT", f"object {oid[:12]} has {message}")
    for verdict in list(verdicts.values())[:1]:
        verdict.problems += weighed.problems
    receipt = Receipt(tuple(verdicts.values()), next(iter(registries), None))
    if receipt.ok:
        _remember(handle, receipt)
    else:
        _record(handle, receipt, who)
    return receipt


def _judge_branches(
    handle: RegistryHandle,
    rules: Rules,
    verdicts: Iterable[Verdict],
    oversized: Oversized,
) -> dict[Digest, str]:
    """Judge the protected branches; return the roots that they have, by first ref."""
    known = received.read(handle.repository)
    registries: dict[Digest, str] = {}
    for verdict in verdicts:
        if verdict.kind != "protected" or verdict.update.new is None:
            continue
        judged = judge_branch(handle, rules, verdict.update, known, oversized)
        verdict.problems += judged.findings.problems
        verdict.commits = judged.commits
        if judged.registry is not None:
            registries.setdefault(judged.registry, verdict.update.ref)
            if len(registries) > 1:
                message = "two protected branches would hold two registries."
                verdict.problems.append(Problem("E_ROOT_ANCHOR", message))
    return registries


def _judge_requests(
    handle: RegistryHandle, rules: Rules, verdicts: Iterable[Verdict]
) -> None:
    verdicts = list(verdicts)
    main = None
    # A pattern names no branch by itself; then requests are for the branch of HEAD.
    for name in (*rules.protected, handle.repository.head().branch or ""):
        pushed = (v.update.new for v in verdicts if v.update.ref == BRANCHES + name)
        main = main or next(pushed, None) or handle.repository.resolve(BRANCHES + name)
    for verdict in verdicts:
        if verdict.kind == "request" and verdict.update.new is not None:
            found = judge_request(handle, rules, verdict.update, main)
            verdict.problems += found.problems


def _require_head(
    handle: RegistryHandle, rules: Rules, verdicts: Iterable[Verdict]
) -> None:
    """Refuse branches while nothing is protected, since HEAD is of no branch yet.

    Otherwise a server whose HEAD says ``master`` would take in anything on ``main``.
    """
    made = [verdict for verdict in verdicts if verdict.update.new is not None]
    if not rules.default or any(verdict.kind == "protected" for verdict in made):
        return
    [head] = rules.protected
    if head and handle.repository.resolve(BRANCHES + head) is not None:
        return
    for verdict in made:
        if verdict.kind == "branch":
            message = (
                f"the server protects {head or 'no branch'}, which does not exist, so "
                "nothing would be judged."
            )
            verdict.problems.append(Problem("E_NO_REGISTRY", message))


def _remember(handle: RegistryHandle, receipt: Receipt) -> None:
    commits = tuple(
        str(verdict.update.new)
        for verdict in receipt.verdicts
        if verdict.kind == "protected"
    )
    if receipt.registry is not None and commits:
        found = received.Received(receipt.registry, commits)
        received.remember(handle.repository, found)


def _record(handle: RegistryHandle, receipt: Receipt, who: str) -> None:
    entry = {
        "time": to_text(handle.context.clock.now()),
        "who": who,
        "refs": [
            {
                "ref": verdict.update.ref,
                "old": verdict.update.old,
                "new": verdict.update.new,
                "codes": sorted({problem.code for problem in verdict.problems}),
            }
            for verdict in receipt.verdicts[:100]
        ],
    }
    refusals.record(handle.repository, entry)
