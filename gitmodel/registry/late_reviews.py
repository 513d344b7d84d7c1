"""Reviews after the fact that the rollbacks of a commit ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.late_review import LateReview, late_review
from gitmodel.registry import layout
from gitmodel.registry.records import read_record
from gitmodel.registry.stage_log import (
    logged_stages,
    sequence_numbers,
    transition_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View

#: Whatever asks for a review has one of these in it; most transitions have neither. The
#: word may stand in quotes, and be spelt with escapes.
_MARKS = (b"rollback", b"\\")


def review_of(view: View, record: Record) -> LateReview | None:
    """Return the review that a transition asks for; None if it asks for none.

    Raises:
        IntegrityError: It is malformed.
    """
    transition = transition_of(record)
    edition = view.edition_of(transition.policy)
    if edition is None:
        return None
    roles = tuple(
        quorum.role
        for rules in [edition.policy.rules_for(transition.stage, transition.model)]
        if rules is not None
        for quorum in rules.reviews(transition.move)
    )
    rejections = record.rejected_by(*roles) if roles else ()
    return late_review(edition.policy, transition, record.voices(), rejections)


def reviews_of(
    view: View, stage: str, model: str
) -> Iterator[tuple[Record, LateReview]]:
    """Yield every review that the log of one pin asks for, oldest first.

    Raises:
        IntegrityError: A rollback is malformed.
    """
    paths = [
        layout.transition_path(stage, model, seq)
        for seq in sequence_numbers(view, stage, model)
    ]
    view.read_ahead(paths)
    may = [path for path in paths if _may_ask(view.blob(path) or b"")]
    for path in may:
        record = read_record(view, path, "transition")
        review = review_of(view, record) if record is not None else None
        if record is not None and review is not None:
            yield record, replace(review, is_newest=path == paths[-1])


def _may_ask(data: bytes) -> bool:
    return any(mark in data for mark in _MARKS)


def all_reviews(
    view: View, models: Iterable[str] | None = None
) -> Iterator[tuple[Record, LateReview]]:
    """Yield every review that is asked for, of some models or of all.

    Raises:
        IntegrityError: A rollback is malformed.
    """
    for stage in logged_stages(view):
        names = view.names(f"log/{stage}")
        for model in sorted(names if models is None else set(models) & names.keys()):
            yield from reviews_of(view, stage, model)
