"""The past as steps: each was a legal change, and nothing was rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from gitmodel.adapters import workers
from gitmodel.adapters.git.history import first_parent_line, is_ancestor
from gitmodel.adapters.git.objects import ObjectReader
from gitmodel.operations.verification.commit_signatures import judge_commit_signature
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.ledger import Ledger
from gitmodel.operations.verification.legality import judge
from gitmodel.operations.verification.overtaken import judge_overtaken
from gitmodel.registry import layout, state
from gitmodel.registry.steps import line_to, steps
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.handle import RegistryHandle

    Line = Sequence[tuple[str, str | None]]

#: Commits that are worth a process of their own.
_LEAST_PIECE = 500
_POLICIES = layout.policy_path(1).rpartition("/")[0]


@dataclass(slots=True)
class Proof:
    """What judging the steps has shown.

    Attributes:
        after: Where it began; None for the very first commit.
        whole: Whether the tree of ``after`` was found right as a whole.
    """

    findings: Findings
    after: str | None
    whole: bool = False

    @property
    def holds(self) -> bool:
        """Whether every step was legal."""
        return not self.findings.problems


def verify_steps(
    handle: RegistryHandle, view: View, *, full: bool, anchor: str | None = None
) -> Proof:
    """Judge every step from the root to ``view``, or from where we ended last time.

    A clone remembers what it verified: a head that does not descend from it, or
    another root, means that history was rewritten (``design`` §4.8).

    Args:
        handle: The registry.
        view: The commit to verify up to.
        full: Judge everything again, whatever is remembered.
        anchor: The commit of a checkpoint, for a clone that has no more than what
            came after it; None to begin with the very first commit.
    """
    findings = Findings()
    repository, tip = handle.repository, str(view.commit)
    known = state.read(repository)
    if known is not None and known.registry != view.registry_id:
        findings.add(
            "E_ROOT_ANCHOR",
            f"this clone verified a registry with root {known.registry} before; now "
            f"it is {view.registry_id}",
        )
        known = None
    elif known is not None and not (
        repository.resolve(known.commit) and is_ancestor(repository, known.commit, tip)
    ):
        findings.add(
            "E_HISTORY_REWRITTEN",
            "the branch does not descend from what this clone verified before.",
            commit=known.commit,
        )
        known = None
    if full:
        known = None
    after = known.commit if known is not None else anchor
    line = line_to(repository, tip, after)
    if after is not None and line and line[0][1] != after:
        # A merge has put another line before it, of whose steps nothing is known.
        known, after = None, None
        line = line_to(repository, tip, after)
    judge_line(handle, findings, line, after)
    shallow = (repository.common_dir / "shallow").exists()
    remembered = known is not None and not shallow
    judge_overtaken(handle, findings, view, line, after, remembered=remembered)
    return Proof(findings, after, known is not None and known.whole)


def judge_line(
    handle: RegistryHandle, findings: Findings, line: Line, after: str | None
) -> None:
    """Judge the commits of a line, in order, or in pieces at once if it is long.

    Args:
        handle: The registry.
        findings: Told about every problem.
        line: As ``line_to`` returns it; the first one's parent is ``after``.
        after: The commit that vouches for all before it; None to begin at the root.
    """
    if after is None:
        line = _since_founding(handle, findings, line)
    if not _judge_beside(handle, findings, line, after):
        ledger = _ledger(findings, handle.reader, after)
        _judge_line(ledger, handle.repository, handle.reader, line)
    findings.commits = len(line)


def _ledger(findings: Findings, reader: ObjectReader, after: str | None) -> Ledger:
    if after is None:
        return Ledger(findings, reader=reader)
    return Ledger.resume(findings, View(reader, after))


def _judge_line(
    ledger: Ledger, repository: Repository, reader: ObjectReader, line: Line
) -> None:
    for step in steps(repository, reader, line):
        before = ledger.edition
        if step.changes:
            judge(ledger, step)
        judge_commit_signature(ledger, before, step)


def _since_founding(handle: RegistryHandle, findings: Findings, line: Line) -> Line:
    """Leave out what happened in a repository before it became a registry.

    Nothing of that may be left where a registry keeps its own.
    """
    if not line or View(handle.reader, line[0][0]).entry(_POLICIES) is not None:
        return line
    of_policies = first_parent_line(
        handle.repository, line[-1][0], paths=(_POLICIES,)
    )  # fmt: skip
    if not of_policies:
        return line
    founding = of_policies[-1][0]
    start = [commit for commit, _ in line].index(founding)
    before = View(handle.reader, line[start][1])
    roots = {root.rstrip("/") for root in layout.PROTECTED_ROOTS}
    for name in sorted(roots & before.names("").keys()):
        message = "the registry has content before it has a policy."
        findings.add("E_POLICY_MISSING", message, name, founding)
    return line[start:]


def _judge_beside(
    handle: RegistryHandle, findings: Findings, line: Line, after: str | None
) -> bool:
    """Judge a long line in pieces at once; False if that did not show it legal.

    Each piece takes for granted what the pieces before it prove. So if all of them
    find nothing wrong, nothing is; otherwise the whole line is judged again in order,
    which reports everything properly.
    """
    parts = min(workers.processors(), len(line) // _LEAST_PIECE)
    if parts < 2:  # noqa: PLR2004
        return False
    repository = handle.repository
    bounds = [len(line) * part // parts for part in range(parts + 1)]

    def task(start: int, end: int) -> Callable[[], Findings]:
        def run() -> Findings:
            found = Findings()
            with ObjectReader(repository) as reader:
                base = line[start - 1][0] if start else after
                ledger = _ledger(found, reader, base)
                _judge_line(ledger, repository, reader, line[start:end])
            counts = Findings(found.problems[:1])  # a list of artifacts is long
            counts.count(found)
            return counts

        return run

    results = workers.spread([task(*pair) for pair in pairwise(bounds)])
    proved = [found for found in results if found is not None and not found.problems]
    if len(proved) < parts:
        return False
    for found in proved:
        findings.count(found)
    return True
