"""Access reviews: each follows the one before, signed by an auditor or a root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.access_review import AccessReview
from gitmodel.formats import schema
from gitmodel.operations.verification.documents import verify_signed
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry import layout
from gitmodel.registry.reviews import KIND, is_signed, review_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.digest import Digest
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.records import Record
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View


def judge_reviews(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every review that a step added."""
    added = [path for path, place in places.items() if place.kind == "review"]
    for path in sorted(added, key=lambda path: places[path].seq):
        record = added_record(ledger, step, path, KIND, (edition,))
        if record is None:
            continue
        problems = schema.problems("AccessReview", record.document, path)
        ledger.findings.problems.extend(problems)
        if problems:
            continue
        review = AccessReview.from_document(record.document)
        before = ledger.reviews
        for code, message in _wrong(record, review, places[path].seq, before):
            ledger.findings.add(code, message, path, step.commit)
        if review.policy != edition.digest:
            message = "it reviews a policy that was not in force."
            ledger.findings.add("E_OTHER_POLICY", message, path, step.commit)
        ledger.reviews = (review.seq, record.digest)


def verify_reviews(view: View, findings: Findings) -> None:
    """Verify every review in a tree."""
    before: tuple[int, Digest | None] = (0, None)
    for number in review_numbers(view):
        path = layout.review_path(number)
        record = verify_signed(view, findings, path, "AccessReview", KIND)
        if record is None:
            return
        review = AccessReview.from_document(record.document)
        for code, message in _wrong(record, review, number, before):
            findings.add(code, message, path)
        before = (number, record.digest)


def _wrong(
    record: Record,
    review: AccessReview,
    number: int,
    before: tuple[int, Digest | None],
) -> list[tuple[str, str]]:
    found = []
    expected = before[0] + 1
    if (review.seq, number, review.prior) != (expected, expected, before[1]):
        found.append(("E_REVIEW", f"it does not follow review {before[0]}."))
    if record.seals and not is_signed(record, review):
        message = f"{review.reviewer} has not signed it as auditor or root."
        found.append(("E_UNSIGNED", message))
    return found
