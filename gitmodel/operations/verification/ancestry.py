"""The past: what was added stays as it was, and every pin was what its log said.

Looked at is every commit that the branch descends from, against each of its parents,
and not only the first-parent line: by a merge anybody who may push can put another
line first, and let the log of a rollback disappear without a forced push.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, edges, first_parent_line
from gitmodel.adapters.git.trees import FILE
from gitmodel.domain.digest import Digest
from gitmodel.domain.transition import Transition
from gitmodel.errors import GitmodelError
from gitmodel.registry import layout
from gitmodel.registry.parsing import parse
from gitmodel.registry.stage_log import sequence_numbers, unrecorded
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.adapters.git.history import PathChange
    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.operations.verification.scope import Scope
    from gitmodel.registry.handle import RegistryHandle

_WORDS = {"M": "changed", "D": "deleted", "T": "replaced by another kind of file"}
_POLICIES = layout.policy_path(1).rpartition("/")[0]
_ROOTS = tuple(root.rstrip("/") for root in layout.PROTECTED_ROOTS)


def verify_ancestry(
    handle: RegistryHandle,
    findings: Findings,
    view: View,
    scope: Scope,
    *,
    after: str | None = None,
    judged: bool = False,
) -> None:
    """Look at every commit that led to ``view``, in so far as it is in scope.

    Args:
        handle: The registry.
        findings: Told about every problem.
        view: The commit to go back from.
        scope: What matters.
        after: A commit that vouches for all before it; None to go back to the first.
        judged: Whether every step of the first-parent line was found legal, so that
            only what lies beside it is left to be looked at.
    """
    repository, tip = handle.repository, str(view.commit)
    if after is None and (repository.common_dir / "shallow").exists():
        findings.add(
            "E_SHALLOW",
            "this clone is shallow: its history cannot be verified. "
            "git fetch --unshallow  brings the rest.",
        )
    try:
        line = first_parent_line(repository, tip, after=after)
        pairs = edges(repository, tip, after)
        if judged:
            done = set(line)
            pairs = [pair for pair in pairs if pair not in done]
        else:
            findings.commits += len(line)
        pins = _Pins(handle.reader, findings)
        for commit, found in changes(repository, pairs, paths=_ROOTS):
            told = len(findings.problems)
            _verify_commit(findings, pins, scope, commit, found)
            if len(findings.problems) > told and _is_no_registry(
                View(handle.reader, commit), found
            ):
                del findings.problems[told:]
    except GitmodelError as error:
        findings.add_error(error, "")


def _is_no_registry(view: View, found: Sequence[PathChange]) -> bool:
    """Say whether there was no policy before a commit, and is none after it.

    A repository may have become a registry later, and had files of such names before.
    """
    return view.entry(_POLICIES) is None and not any(
        change.path.startswith(f"{_POLICIES}/") for change in found
    )


def _verify_commit(
    findings: Findings,
    pins: _Pins,
    scope: Scope,
    commit: str,
    found: Sequence[PathChange],
) -> None:
    moved: dict[tuple[str, str], _Moved] = {}
    for change in found:
        place = layout.classify(change.path)
        if not scope.concerns(place):
            continue
        if change.status != "A" and place.kind in layout.APPEND_ONLY:
            word = _WORDS.get(change.status, "changed")
            findings.add("E_APPEND_ONLY", f"it was {word}.", change.path, commit)
        if place.kind in {"pin", "transition"}:
            part = moved.setdefault((place.stage, place.model), _Moved())
            if place.kind == "pin":
                part.pin = change
            elif change.status == "A" and place.seq > part.seq:
                part.seq, part.newest = place.seq, change.new
    for (stage, model), part in moved.items():
        pins.verify(commit, stage, model, part)


@dataclass(slots=True)
class _Moved:
    """What a commit did to one pin and its log.

    Attributes:
        pin: How the pin changed; None if it did not.
        seq: The highest number of the transitions that were added; 0 for none.
        newest: The blob of that transition.
    """

    pin: PathChange | None = None
    seq: int = 0
    newest: str = ""


class _Pins:
    """Holds pins of the past against what their log said then."""

    def __init__(self, reader: ObjectReader, findings: Findings) -> None:
        self._reader = reader
        self._findings = findings
        self._digests: dict[str, Digest | None] = {}

    def verify(self, commit: str, stage: str, model: str, moved: _Moved) -> None:
        """Verify a pin as it was after a commit that moved it, or its log."""
        view = View(self._reader, commit)
        path = layout.pin_path(stage, model)
        if moved.pin is None:
            pin = _file(view, path)
        else:
            pin = moved.pin.new if moved.pin.new_mode == FILE else None
        newest: str | None = moved.newest
        if not newest:
            numbers = sequence_numbers(view, stage, model)
            last = layout.transition_path(stage, model, max(numbers, default=0))
            newest = _file(view, last) if numbers else None
        try:
            recorded = self._recorded(newest) if newest else None
        except GitmodelError:
            return  # it is malformed, which is told by itself
        if self._digest(pin) != recorded:
            problem = unrecorded(path)
            self._findings.add(problem.code, problem.message, path, commit)

    def _recorded(self, oid: str) -> Digest | None:
        data = self._reader.read(oid).data
        return parse("Transition", data, oid, Transition.from_document).pin

    def _digest(self, oid: str | None) -> Digest | None:
        if oid is None:
            return None
        if oid not in self._digests:
            try:
                self._digests[oid] = Digest.of(self._reader.read(oid).data)
            except GitmodelError:
                self._digests[oid] = None
        return self._digests[oid]


def _file(view: View, path: str) -> str | None:
    entry = view.entry(path)
    return entry.oid if entry is not None and entry.mode == FILE else None
