"""The past: nothing was rewritten, and every step was a legal change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, first_parent_line, is_ancestor
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.ledger import Ledger
from gitmodel.operations.verification.legality import judge
from gitmodel.registry import layout, state
from gitmodel.registry.steps import count_commits, steps
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.handle import RegistryHandle

_WORDS = {"M": "changed", "D": "deleted", "T": "replaced by another kind of file"}


def verify_append_only(repository: Repository, findings: Findings, tip: str) -> None:
    """Look at every first-parent difference from the first commit to ``tip``."""
    if (repository.common_dir / "shallow").exists():
        findings.add(
            "E_SHALLOW",
            "this clone is shallow: its history cannot be verified. "
            "git fetch --unshallow  brings the rest.",
        )
    line = first_parent_line(repository, tip)
    findings.commits += len(line)
    for commit, paths in changes(repository, line):
        for change in paths:
            if change.status == "A":
                continue
            if layout.classify(change.path).kind in layout.APPEND_ONLY:
                word = _WORDS.get(change.status, "changed")
                findings.add("E_APPEND_ONLY", f"it was {word}.", change.path, commit)


def verify_steps(handle: RegistryHandle, view: View, *, full: bool) -> Findings:
    """Judge every step from the root to ``view``, or from where we ended last time.

    A clone remembers what it verified: a head that does not descend from it, or
    another root, means that history was rewritten (``design`` §4.8).

    Args:
        handle: The registry.
        view: The commit to verify up to.
        full: Judge everything again, whatever is remembered.
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
    elif known is not None and not is_ancestor(repository, known.commit, tip):
        findings.add(
            "E_HISTORY_REWRITTEN",
            "the branch does not descend from what this clone verified before.",
            commit=known.commit,
        )
        known = None
    after = known.commit if known is not None and not full else None
    ledger = (
        Ledger.resume(findings, View(handle.reader, after))
        if after is not None
        else Ledger(findings)
    )
    findings.commits = count_commits(repository, tip, after)
    for step in steps(repository, handle.reader, tip, after):
        judge(ledger, step)
    if not findings.problems:
        state.write(repository, state.Verified(view.registry_id, tip))
    return findings
