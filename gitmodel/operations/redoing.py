"""What to run when commits of this clone cannot stand on what others have pushed.

Nothing is thrown away: a branch keeps the commits, then the clone goes to where the
remote is, and each change is made again, in order.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes
from gitmodel.domain.attestation import DRILL, POST_ROLLBACK
from gitmodel.domain.incident import IncidentEntry
from gitmodel.domain.quarantine import Quarantine
from gitmodel.domain.transition import Transition
from gitmodel.errors import GitmodelError
from gitmodel.operations.quarantine_scope import as_arguments
from gitmodel.operations.sighting import told
from gitmodel.registry import layout
from gitmodel.registry.parsing import parse
from gitmodel.registry.stage_log import read_history
from gitmodel.registry.steps import line_to
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.rejoining import Clash

_SHOWN = 20
#: Kind of an entry of an incident → the command that writes such.
_ENTRIES = {"opened": "open", "note": "note", "closed": "close", "reopened": "reopen"}


def commands(
    handle: RegistryHandle, ours: str, theirs: str, where: str, bad: Collection[str]
) -> tuple[str, ...]:
    """Return what keeps the commits of ``ours``, and makes their changes again.

    Args:
        handle: The registry.
        ours: Where this clone is.
        theirs: Where the remote is.
        where: What this clone calls that, such as ``origin/main``.
        bad: The commits that cannot stand there as they are.
    """
    line = line_to(handle.repository, ours, theirs)
    changed = dict(changes(handle.repository, line))
    again: list[str] = []
    policy = View(handle.reader, theirs).policy_digest
    for commit, parent in line:
        paths = [each.path for each in changed.get(commit, ()) if each.status == "A"]
        view = View(handle.reader, commit)
        made = [
            *_moves(view, paths),
            *_entries(view, paths),
            *_quarantines(view, paths),
        ]
        if view.policy_digest != policy:
            # What was signed under a policy that is gone cannot be picked up again.
            made += _statements(paths)
        if made:
            again += made
        elif commit in bad:
            again.append(f"git show {commit[:12]}  is to be made again by gitmodel")
        elif parent is not None and changed.get(commit):
            again.append(f"git cherry-pick {commit[:12]}")
    more = [f"… and {len(again) - _SHOWN} more"] if len(again) > _SHOWN else []
    return (
        f"git branch mine-{ours[:8]}  keeps what you have;",
        f"git reset --keep {where}  goes to where the others are;",
        "then, as far as you still want it:",
        *again[:_SHOWN],
        *more,
        "gitmodel sync",
    )


def who_moved(handle: RegistryHandle, theirs: str, clashes: Sequence[Clash]) -> str:
    """Say who moved the pin over which commits clash; "" if it is not over a pin."""
    view = View(handle.reader, theirs)
    for clash in clashes:
        for path in clash.paths:
            place = layout.classify(path)
            if place.kind in {"pin", "transition"}:
                try:
                    history = read_history(view, place.stage, place.model)
                except GitmodelError:
                    continue
                if history.transitions:
                    return told(history.transitions[-1])
    return ""


def _statements(paths: Sequence[str]) -> Iterator[str]:
    """Yield how to say again what a commit said of versions, in the words of people."""
    for place in map(layout.classify, paths):
        if place.kind == "manifest":
            yield (
                f"gitmodel register {place.model} FILE… --version {place.version}  "
                "with all that you said of it"
            )
        elif place.kind == "attestation":
            named = f"{place.model}@{place.version}"
            by_themselves: dict[str, str] = {
                POST_ROLLBACK: f"validate {place.model} STAGE",
                DRILL: f"drill {place.model} STAGE --record",
            }
            usual = f"attest {named} {place.name} …"
            yield f"gitmodel {by_themselves.get(place.name, usual)}  as you did"


def _entries(view: View, paths: Sequence[str]) -> Iterator[str]:
    """Yield the commands that write entries of incidents again."""
    for path in paths:
        if layout.classify(path).kind != "incident":
            continue
        try:
            data = view.blob(path) or b""
            said = parse("IncidentEntry", data, path, IncidentEntry.from_document)
        except GitmodelError:
            continue
        words = [_ENTRIES[said.entry], said.incident]
        if said.entry == "closed":
            words += ["--root-cause", said.root_cause, "--fixed-in", said.fixed_in]
        if said.title or said.text:
            words += ["-m", said.title or said.text]
        yield shlex.join(["gitmodel", "incident", *words])


def _quarantines(view: View, paths: Sequence[str]) -> Iterator[str]:
    """Yield the commands that put things into quarantine again, or lift that."""
    for path in paths:
        if layout.classify(path).kind != "quarantine":
            continue
        try:
            data = view.blob(path) or b""
            said = parse("Quarantine", data, path, Quarantine.from_document)
        except GitmodelError:
            continue
        words = ["gitmodel quarantine", *(["--lift"] if said.action == "lift" else [])]
        words += map(as_arguments, said.subjects)
        words += ["-m", shlex.quote(said.reason)]
        words += ["--incident", said.incident] if said.incident else []
        yield " ".join(words)


def _moves(view: View, paths: Sequence[str]) -> Iterator[str]:
    """Yield the commands that make the moves again which a commit recorded."""
    for path in paths:
        if layout.classify(path).kind != "transition":
            continue
        try:
            data = view.blob(path) or b""
            move = parse("Transition", data, path, Transition.from_document)
        except GitmodelError:
            continue
        target = move.target.version if move.target else ""
        words = (
            ["rollback", move.model, move.stage, "--to", target]
            if move.action == "rollback"
            else ["promote", f"{move.model}@{target}", move.stage]
        )
        if move.reason or move.action == "rollback":
            words += ["-m", move.reason]
        if move.incident:
            words += ["--incident", move.incident]
        yield shlex.join(["gitmodel", *words])
