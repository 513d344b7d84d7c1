"""The chain of access reviews, as a commit has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.access_review import ROLES, AccessReview
from gitmodel.domain.digest import Digest
from gitmodel.errors import IntegrityError
from gitmodel.formats import schema
from gitmodel.registry import layout
from gitmodel.registry.records import read_record, unsigned

if TYPE_CHECKING:
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View

KIND = "access-review"


def review_numbers(view: View) -> tuple[int, ...]:
    """Return the numbers of the reviews, ascending."""
    return tuple(
        sorted(
            place.seq
            for name in view.names(layout.REVIEWS)
            if (place := layout.classify(f"{layout.REVIEWS}/{name}")).kind == "review"
        )
    )


def last_digest(view: View) -> tuple[int, Digest | None]:
    """Return how many reviews there are, and the digest of the newest."""
    numbers = review_numbers(view)
    data = view.blob(layout.review_path(numbers[-1])) if numbers else None
    return (numbers[-1] if numbers else 0), Digest.of(data) if data else None


def latest_review(view: View) -> AccessReview | None:
    """Return the newest review, which must be signed; None if there never was one.

    Raises:
        IntegrityError: It is malformed, or nobody who may has signed it.
    """
    number, _ = last_digest(view)
    if not number:
        return None
    record = read_record(view, layout.review_path(number), KIND)
    if record is None or schema.problems("AccessReview", record.document):
        raise IntegrityError(
            f"{layout.review_path(number)} is no access review.", code="E_SCHEMA"
        )
    review = AccessReview.from_document(record.document)
    if not is_signed(record, review):
        missing = unsigned(record.path, "auditor or root")
        raise IntegrityError(str(missing), code=missing.code)
    return review


def is_signed(record: Record, review: AccessReview) -> bool:
    """Say whether the reviewer has signed, as one of those who may."""
    return any(review.reviewer in record.sealed_by(role) for role in ROLES)
