"""When somebody should look again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitmodel.domain.access_review import AccessReview
from gitmodel.domain.digest import Digest

REVIEW = AccessReview(
    seq=2,
    prior=Digest.of(b"first"),
    policy=Digest.of(b"policy"),
    reviewer="ada",
    comment="bob left",
    created_at="2026-01-01T00:00:00Z",
    due_at="2026-04-01T00:00:00Z",
)


@pytest.mark.parametrize(
    ("now", "overdue"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), False),
        (datetime(2026, 4, 1, tzinfo=UTC), False),
        (datetime(2026, 4, 1, 0, 0, 1, tzinfo=UTC), True),
    ],
)
def test_it_is_overdue_after_its_day(now: datetime, *, overdue: bool) -> None:
    assert REVIEW.overdue(now) is overdue


def test_the_document_has_its_keys_in_order() -> None:
    assert list(REVIEW.to_document()) == [
        "apiVersion", "kind", "seq", "prior", "policy", "reviewer", "comment",
        "createdAt", "dueAt",
    ]  # fmt: skip
    first = AccessReview.from_document(REVIEW.to_document() | {"prior": None})
    assert (first.prior, first.comment) == (None, "bob left")
