"""Lift a quarantine: as many must sign the same document as the policy asks for.

The document waits on the main line, where it changes nothing until the last of them has
signed; each runs the same command.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.names import incident_id
from gitmodel.domain.quarantine import DataSubject, VersionSubject
from gitmodel.errors import ConflictError
from gitmodel.operations.quarantine import QuarantineResult
from gitmodel.operations.quarantine_drafting import draft, message_of, sign_draft
from gitmodel.operations.quarantine_scope import as_arguments, reach_of, subjects_of
from gitmodel.registry.change import Authority, Change, Plan, countersign
from gitmodel.registry.quarantine_chain import KIND, needed, read_chain, signers
from gitmodel.registry.quarantines import marks_of
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gitmodel.domain.quarantine import Quarantine, Subject
    from gitmodel.operations.quarantine_scope import Suspects
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View


def lift(
    handle: RegistryHandle,
    suspects: Suspects,
    *,
    reason: str,
    incident: str | None = None,
    mode: Mode | None = None,
) -> QuarantineResult:
    """Take what ``suspects`` means out of quarantine, or sign somebody's lift of it.

    Raises:
        NotFoundError: There is no such version.
        ConflictError: A version is in quarantine for what it comes of.
        RefusedError: The signer may not lift.
        IntegrityError: The chain of quarantines is broken.
    """
    mode = mode or Mode()
    incident = incident_id(incident) if incident is not None else None
    subjects = subjects_of(handle.view(), suspects, lambda _: None)

    def build(view: View) -> Plan[QuarantineResult]:
        principal = handle.acting_as(view, view.policy.lift.role)
        there = _there(view, subjects)
        whole = draft(handle, view, "lift", there or subjects, reason, incident)
        result = QuarantineResult(
            status="unchanged",
            number=None,
            subjects=subjects,
            quarantined=bool(there),
            reached=reach_of(view, subjects, whole),
            reason=reason,
            incident=incident,
            dry_run=mode.dry_run,
        )
        if not there:
            return Plan(None, result)
        waiting = _waiting(view, there)
        if waiting is not None:
            return _sign(handle, view, waiting, principal, result)
        signed = sign_draft(handle, view, whole, view.policy.lift.role)
        change = Change(
            message=message_of(whole, signed.digest, principal),
            principal=principal,
            files=dict(signed.files),
        )
        return Plan(change, _outcome(view, whole, {principal}, result))

    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit)


def _there(view: View, subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Return what of ``subjects`` is in quarantine itself.

    Raises:
        ConflictError: A version is there for something else that must be lifted.
    """
    marks = marks_of(view)
    there = tuple(
        dict.fromkeys(
            mark for subject in subjects for mark in _named(marks.subjects, subject)
        )
    )
    for subject in subjects:
        if subject in there or not isinstance(subject, VersionSubject):
            continue
        reason = marks.reason(subject.model, subject.version)
        if reason is not None:
            raise ConflictError(
                f"{subject} is not in quarantine itself, but {reason}.",
                f"gitmodel quarantine --lift {as_arguments(reason.subject)} -m WHY  "
                "lifts that.",
                code="E_QUARANTINED",
            )
    return there


def _named(marks: Collection[Subject], subject: Subject) -> Iterator[Subject]:
    """Yield what in quarantine has the name of a subject.

    With an '@' in it, the name of a data set may also be read as name and version.
    """
    if isinstance(subject, DataSubject):
        for mark in marks:
            if isinstance(mark, DataSubject) and str(mark) == str(subject):
                yield mark
    elif subject in marks:
        yield subject


def _waiting(
    view: View, subjects: Collection[Subject]
) -> tuple[Quarantine, Record] | None:
    """Return the newest lift of exactly these subjects that lacks signatures."""
    marks = marks_of(view).subjects
    oldest = max(marks[subject].number for subject in subjects)
    for entry, record in reversed(read_chain(view)):
        document = entry.document
        if (
            document.action == "lift"
            and not entry.effective
            and document.number > oldest
            and document.policy == view.policy_digest
            and set(document.subjects) == set(subjects)
        ):
            return document, record
    return None


def _sign(
    handle: RegistryHandle,
    view: View,
    waiting: tuple[Quarantine, Record],
    principal: str,
    result: QuarantineResult,
) -> Plan[QuarantineResult]:
    """Add a signature to a lift that waits, unless its owner has signed it already."""
    document, record = waiting
    who = signers(record.seals, document, view.policy)
    done = replace(
        _outcome(view, document, who | {principal}, result),
        reason=document.reason,
        incident=document.incident,
    )
    if principal in who:
        return Plan(None, done)
    path, data = countersign(
        handle.signer,
        record,
        kind=KIND,
        role=view.policy.lift.role,
        authority=Authority(view.registry_id, view.policy_digest),
        decision="approve",
        comment=result.reason,
    )
    change = Change(
        message=replace(
            message_of(document, record.digest, principal), body=result.reason
        ),
        principal=principal,
        files={path: data},
    )
    return Plan(change, done)


def _outcome(
    view: View,
    document: Quarantine,
    who: Collection[str],
    result: QuarantineResult,
) -> QuarantineResult:
    """Return the result once ``who`` have signed a lift."""
    lacking = needed(document, view.policy) - len(who)
    return replace(
        result,
        status="lifted" if lacking <= 0 else "pending",
        number=document.number,
        quarantined=lacking > 0,
        needed=(f"{lacking} more of {view.policy.lift}",) if lacking > 0 else (),
    )
