"""What is in quarantine now: by whom, why, what it reaches, and who wants it lifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.operations.quarantine_scope import reach_of
from gitmodel.registry.quarantine_chain import needed, read_chain, signers
from gitmodel.registry.quarantines import marks_of

if TYPE_CHECKING:
    from gitmodel.domain.quarantine import Quarantine, Subject
    from gitmodel.operations.quarantine_scope import Reached
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One subject in quarantine.

    Attributes:
        by: The document that put it there.
        reached: Every version that it concerns.
        lift: Number of the lift that waits for it; None if none does.
        signed: Who has signed that lift.
        lacking: How many more it takes.
    """

    subject: Subject
    by: Quarantine
    reached: tuple[Reached, ...]
    lift: int | None = None
    signed: tuple[str, ...] = ()
    lacking: int = 0


def list_quarantine(view: View) -> tuple[Held, ...]:
    """Return everything that is in quarantine, in the order in which it came there.

    Raises:
        IntegrityError: The chain of quarantines is broken.
    """
    marks = marks_of(view).subjects
    return tuple(
        _held(view, subject, by)
        for subject, by in sorted(marks.items(), key=lambda item: item[1].number)
    )


def _held(view: View, subject: Subject, by: Quarantine) -> Held:
    reached = reach_of(view, (subject,), by)
    for entry, record in reversed(read_chain(view)):
        document = entry.document
        if document.number < by.number:
            break
        if (
            document.action == "lift"
            and not entry.effective
            and subject in document.subjects
            and document.policy == view.policy_digest
        ):
            who = signers(record.seals, document, view.policy)
            return Held(
                subject=subject,
                by=by,
                reached=reached,
                lift=document.number,
                signed=tuple(sorted(who)),
                lacking=needed(document, view.policy) - len(who),
            )
    return Held(subject=subject, by=by, reached=reached)
