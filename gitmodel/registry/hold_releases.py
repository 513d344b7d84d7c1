"""Releases of holds, as a commit has them: told from what only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.hold_release import HoldRelease, misdirected
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError
from gitmodel.formats import schema
from gitmodel.registry import layout
from gitmodel.registry.records import Record, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.policy import Policy
    from gitmodel.domain.transition import Transition
    from gitmodel.registry.view import View

KIND = "hold-release"


def release_numbers(view: View, stage: str, model: str) -> tuple[int, ...]:
    """Return the numbers of the rollbacks that have a release, ascending."""
    directory = layout.log_dir(stage, model)
    places = (layout.classify(f"{directory}/{name}") for name in view.names(directory))
    return tuple(sorted(place.seq for place in places if place.kind == "hold_release"))


def read_released(
    view: View,
    stage: str,
    model: str,
    transitions: Sequence[Transition],
    digests: Sequence[Digest],
) -> frozenset[int]:
    """Return the rollbacks whose hold is released; what does not count releases none.

    Args:
        view: Where to read.
        stage: Of the log.
        model: Of the log.
        transitions: The log, oldest first.
        digests: Of each transition.
    """
    found = set()
    for number in release_numbers(view, stage, model):
        path = layout.hold_release_path(stage, model, number)
        try:
            record = read_record(view, path, KIND)
        except GitmodelError:
            continue  # verify says what is wrong with it
        if record is None or record.problems:
            continue
        if not any(release_problems(view, record, transitions, digests)):
            found.add(number)
    return frozenset(found)


def release_problems(
    view: View,
    record: Record,
    transitions: Sequence[Transition],
    digests: Sequence[Digest],
) -> Iterator[Problem]:
    """Yield why a release does not count, its signatures aside."""
    wrong = schema.problems("HoldRelease", record.document, record.path)
    if wrong:
        yield from wrong
        return
    release = HoldRelease.from_document(record.document)
    seq = layout.classify(record.path).seq
    known = seq <= len(transitions)
    message = misdirected(
        release,
        transitions[seq - 1] if known else None,
        digests[seq - 1] if known else None,
    )
    if message is not None:
        yield Problem("E_HOLD_RELEASE", message, record.path)
    edition = view.edition_of(release.policy)
    if edition is None:
        message = f"it was made under policy {release.policy}, which is not here."
        yield Problem("E_OTHER_POLICY", message, record.path)
    elif unsigned := unsigned_release(edition.policy, record, release):
        yield unsigned


def unsigned_release(
    policy: Policy, record: Record, release: HoldRelease
) -> Problem | None:
    """Return the problem of a release that nobody who may has signed."""
    rules = policy.rules_for(release.stage, release.model)
    role = rules.rollback.role if rules is not None else "responder"
    if release.created_by in record.under(release.policy).sealed_by(role):
        return None
    message = f"{release.created_by} has not signed it as {role}."
    return Problem("E_UNSIGNED", message, record.path)
