"""Puts commits of this clone behind what the remote has, signatures and all.

A merge in the usual direction would put them *before* what others pushed, which changes
what others are judged by; a rebase would make other commits, and drop the signatures of
these. Here each commit gets a merge of its own, with the remote's line as first parent
and the commit itself as second. So every step is one that was made once, judged where
it stands now, and nothing is rewritten (``docs/decisions/0018-sync-by-merges.md``).

Documents are never merged: a file that both have changed is a conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git import commits
from gitmodel.adapters.git.history import changes, commit_infos
from gitmodel.adapters.git.pack import ObjectWriter
from gitmodel.adapters.git.trees import Entry, rewrite
from gitmodel.adapters.signing.commit import sign_commit
from gitmodel.errors import NotFoundError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.formats.commit_object import with_signature
from gitmodel.registry.steps import line_to
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.adapters.git.history import CommitInfo, PathChange
    from gitmodel.registry.handle import RegistryHandle

_UNKNOWN = "gitmodel <gitmodel@gitmodel.invalid>"


@dataclass(frozen=True, slots=True)
class Clash:
    """A commit of this clone that changed what the remote has changed, too."""

    commit: str
    subject: str
    paths: tuple[str, ...]


class ClashError(Exception):
    """Commits cannot be put behind what the remote has."""

    def __init__(self, clashes: tuple[Clash, ...]) -> None:
        super().__init__(f"{len(clashes)} commits clash")
        self.clashes = clashes


def rejoin(handle: RegistryHandle, ours: str, theirs: str) -> str:
    """Return a commit that has ``theirs``, and then ``ours``, one step each.

    Objects are written, and no branch moves.

    Raises:
        ClashError: Both have changed the same files.
    """
    line = line_to(handle.repository, ours, theirs)
    changed = dict(changes(handle.repository, line))
    infos = {
        info.oid: info
        for info in commit_infos(handle.reader, [commit for commit, _ in line])
    }
    clashes: list[Clash] = []
    tip = theirs
    for commit, _ in line:
        base = View(handle.reader, tip)
        entries: dict[str, Entry | None] = {}
        clashing: list[str] = []
        for change in changed.get(commit, ()):
            here = base.entry(change.path)
            if here == _new(change):
                continue
            if here != _old(change):
                clashing.append(change.path)
            entries[change.path] = _new(change)
        if clashing:
            clashes.append(Clash(commit, _subject(infos[commit]), tuple(clashing)))
            continue  # what comes after it may well have its place
        tip = _merge(handle, base, infos[commit], entries)
    if clashes:
        raise ClashError(tuple(clashes))
    return tip


def _merge(
    handle: RegistryHandle,
    base: View,
    brought: CommitInfo,
    entries: Mapping[str, Entry | None],
) -> str:
    writer = ObjectWriter(handle.repository)
    message = CommitMessage(
        subject=f"Merge: {_subject(brought)}",
        body=f"{brought.oid[:12]} was made before what others had pushed was here.",
    )
    unsigned = commits.commit_object(
        tree=rewrite(handle.reader, writer, base.tree, entries),
        parents=(str(base.commit), brought.oid),
        who=handle.repository.identity() or _UNKNOWN,
        when=handle.context.clock.now(),
        message=str(message),
    )
    try:
        key = handle.commit_key
    except NotFoundError:
        key = None  # who only edits plain files needs none
    signed = with_signature(unsigned, sign_commit(key, unsigned)) if key else unsigned
    commit = writer.add("commit", signed)
    writer.flush()
    return commit


def _subject(info: CommitInfo) -> str:
    return info.message.strip().partition("\n")[0]


def _old(change: PathChange) -> Entry | None:
    return Entry(change.old_mode, change.old) if change.status != "A" else None


def _new(change: PathChange) -> Entry | None:
    return Entry(change.new_mode, change.new) if change.status != "D" else None
