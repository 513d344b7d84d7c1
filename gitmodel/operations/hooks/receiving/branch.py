"""A protected branch: it only grows, and every step of it was legal in its time.

* The branch is never deleted, and never moved to what does not descend from it.
* Where it was is a first parent of where it goes. Otherwise a pusher could put an
  older commit first, and be judged by a policy that was replaced since.
* Each step from there is judged by the policy in its first parent, and what lies
  beside the line by what is append-only.
* The registry is the one that was there before, or the one that the admin named.

What was verified once is not verified again. If nothing is known of where the branch
was, because the hook is new, its whole history is verified first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import first_parent_line, is_ancestor
from gitmodel.errors import GitmodelError
from gitmodel.operations.hooks.receiving import lfs, volume
from gitmodel.operations.naming import judge_names
from gitmodel.operations.verification.additions import verify_additions
from gitmodel.operations.verification.ancestry import verify_ancestry
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.history import judge_line
from gitmodel.operations.verification.overtaken import judge_overtaken
from gitmodel.operations.verification.scope import EVERYTHING
from gitmodel.registry import layout
from gitmodel.registry.steps import line_to
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.domain.digest import Digest
    from gitmodel.operations.hooks.receiving.refs import Update
    from gitmodel.operations.hooks.receiving.rules import Rules
    from gitmodel.operations.hooks.receiving.volume import Oversized
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.received import Received


@dataclass(slots=True)
class Judged:
    """What came of judging one branch.

    Attributes:
        registry: The root of what it holds; None if it holds no registry.
        commits: Commits of the first-parent line that were judged.
    """

    findings: Findings
    registry: Digest | None = None
    commits: int = 0


def judge_branch(
    handle: RegistryHandle,
    rules: Rules,
    update: Update,
    known: Received | None,
    oversized: Oversized,
) -> Judged:
    """Judge one update of a protected branch that exists afterwards.

    Args:
        handle: The registry, as the push would make it.
        rules: What holds here.
        update: Of the branch; it does not delete it.
        known: What was verified before.
        oversized: Files that are too large; those that are found are taken out.
    """
    judged = Judged(Findings())
    try:
        _judge(handle, rules, update, known, oversized, judged)
    except GitmodelError as error:
        judged.findings.add_error(error, "")
    return judged


def _judge(
    handle: RegistryHandle,
    rules: Rules,
    update: Update,
    known: Received | None,
    oversized: Oversized,
    judged: Judged,
) -> None:
    findings, repository = judged.findings, handle.repository
    old, new = update.old, str(update.new)
    if (repository.common_dir / "shallow").exists():
        findings.add("E_SHALLOW", "the server's repository is shallow.")
        return
    view = View(handle.reader, new)
    _ = view.tree  # whatever is no commit ends here
    if old is not None and not _grows(handle, findings, update):
        return
    if volume.has_too_many_commits(repository, new, old, rules.limits.commits):
        findings.add(
            "E_LIMIT",
            f"the push has more than {rules.limits.commits:,} commits "
            "(gitmodel.maxCommits).",
        )
        return
    found = volume.survey(repository, new, old, rules.limits.paths)
    if found is None:
        findings.add(
            "E_LIMIT",
            f"the push changes more than {rules.limits.paths:,} paths "
            "(gitmodel.maxPaths).",
        )
        return
    volume.judge_entries(handle.reader, rules, oversized, found, findings)
    if layout.SETTINGS not in view.names("") or not view.policy_number:
        findings.add("E_NO_REGISTRY", "the branch would hold no registry.")
        return
    judged.registry = view.registry_id
    _judge_root(handle, rules, known, judged)
    after = _verified(handle, known, old or new)
    line = line_to(repository, new, after)
    judge_line(handle, findings, line, after)
    judged.commits = len(line)
    if after is None or volume.brings_policy_beside(found, line):
        # Whatever stands ahead of that policy matters, also what landed long ago.
        whole = line_to(repository, new, None)
        judge_overtaken(handle, findings, view, whole, None)
    base = View(handle.reader, after) if after is not None else None
    verify_additions(repository, view, findings, base)
    judge_names(view, base, findings)
    verify_ancestry(handle, findings, view, EVERYTHING, after=after, judged=True)
    if rules.lfs is not None:
        pointers = volume.pointers_in(handle.reader, found)
        lfs.judge_presence(rules.lfs, pointers, findings)


def _grows(handle: RegistryHandle, findings: Findings, update: Update) -> bool:
    """Say whether a branch goes on from where it was, and report it if not."""
    repository, old, new = handle.repository, str(update.old), str(update.new)
    if not is_ancestor(repository, old, new):
        findings.add(
            "E_FORCE_PUSH",
            f"it does not descend from {old[:12]}, where {update.name} is now.",
            commit=new,
        )
        return False
    if old != new and first_parent_line(repository, new, after=old)[-1][1] != old:
        findings.add(
            "E_FIRST_PARENT",
            f"the merge puts other commits before {old[:12]}, where {update.name} is "
            "now.",
            commit=new,
        )
        return False
    return True


def _judge_root(
    handle: RegistryHandle, rules: Rules, known: Received | None, judged: Judged
) -> None:
    """Insist that it is the registry that was named, or was here before."""
    expected, why = rules.root, "gitmodel.root names"
    if expected is None and known is not None and _landed(handle, known):
        expected, why = known.registry, "was here before has"
    if expected is not None and judged.registry != expected:
        judged.findings.add(
            "E_ROOT_ANCHOR",
            f"its root is {judged.registry}; the registry that {why} {expected}.",
            layout.policy_path(1),
        )


def _landed(handle: RegistryHandle, known: Received) -> bool:
    """Say whether something that was verified before came to stay."""
    return any(map(handle.repository.resolve, known.commits))


def _verified(handle: RegistryHandle, known: Received | None, tip: str) -> str | None:
    """Return the newest commit on the line of ``tip`` that was verified before."""
    if known is None or tip in known.commits:
        return None if known is None else tip
    repository = handle.repository
    for commit in known.commits:
        if not repository.resolve(commit) or not is_ancestor(repository, commit, tip):
            continue
        if first_parent_line(repository, tip, after=commit)[-1][1] == commit:
            return commit
    return None
