"""Quarantines: each follows the one before, signed by those who may (R177).

A lift may get further signatures later, while the policy that it names is in force.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.problem import Problem
from gitmodel.domain.quarantine import Quarantine, VersionSubject
from gitmodel.domain.quarantine_state import Entry
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import canonical_json, schema
from gitmodel.operations.verification.documents import verify_signed
from gitmodel.operations.verification.quarantine_book import Page
from gitmodel.operations.verification.seals import added_record, open_in_force
from gitmodel.registry import layout
from gitmodel.registry.quarantine_chain import KIND, counts, link_problems, numbers
from gitmodel.registry.quarantines import marks_of
from gitmodel.registry.seals import Signed
from gitmodel.registry.stage_log import logged_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gitmodel.operations.verification.findings import Findings
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View


def judge_quarantines(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge what a step put into quarantine or took out, before what it moved."""
    for path, place in places.items():
        if place.kind == "signature" and path in step.blobs:
            document = layout.classify(place.document)
            if document.kind == "quarantine" and place.document not in step.blobs:
                _judge_late(ledger, edition, step, path, document.seq)
    added = [
        path
        for path, place in places.items()
        if place.kind == "quarantine" and path in step.blobs
    ]
    for path in sorted(added, key=lambda path: places[path].seq):
        _judge(ledger, edition, step, path, places[path].seq)


def judge_target(
    ledger: Ledger, step: Step, path: str, model: str, version: str
) -> None:
    """Report a move to what was in quarantine then, or came there in the same step."""
    try:
        reason = ledger.quarantine.marks(ledger).reason(model, version)
    except GitmodelError as error:
        ledger.findings.add_error(error, path, step.commit)
        return
    if reason is not None:
        message = f"{model}@{version} is in quarantine: {reason}."
        ledger.findings.add("E_QUARANTINED", message, path, step.commit)


def verify_quarantines(view: View, findings: Findings) -> None:
    """Verify every document of the chain in a tree."""
    prior: Digest | None = None
    for expected, number in enumerate(numbers(view), start=1):
        path = layout.quarantine_path(number)
        record = verify_signed(view, findings, path, "Quarantine", KIND)
        if record is None:
            return
        document = Quarantine.from_document(record.document)
        edition = view.edition_of(document.policy)
        place = (expected, number, prior)
        for code, message in link_problems(record, document, place, edition):
            if code != "E_UNSIGNED" or not record.problems:
                findings.add(code, message, path)
        for message in _strangers(document, lambda m, v: _manifest(view, m, v)):
            findings.add("E_QUARANTINE", message, path)
        prior = record.digest


def _manifest(view: View, model: str, version: str) -> Digest | None:
    data = view.blob(layout.manifest_path(model, version))
    return Digest.of(data) if data is not None else None


def _strangers(
    document: Quarantine, manifest: Callable[[str, str], Digest | None]
) -> Iterator[str]:
    """Yield what a quarantine names that is no version here.

    What such a name means would depend on when it is asked.
    """
    if document.action == "quarantine":
        for subject in document.subjects:
            if isinstance(subject, VersionSubject) and subject.manifest != manifest(
                subject.model, subject.version
            ):
                yield f"it names {subject}, which is no version with that manifest."


def live_in_quarantine(view: View) -> tuple[Problem, ...]:
    """Return what stages hold that is in quarantine: signed, but not to be used."""
    found = []
    with suppress(GitmodelError):  # what cannot be read is a problem already
        marks = marks_of(view)
        for stage in logged_stages(view) if marks.subjects else ():
            for model in view.models():
                pin = view.pin(stage, model)
                reason = marks.reason(model, pin.release.version) if pin else None
                if pin is not None and reason is not None:
                    said = (
                        f"{stage} holds {model}@{pin.release.version}, which is in "
                        f"quarantine: {reason}.  gitmodel rollback {model} {stage} "
                        "-m REASON  takes it back."
                    )
                    path = layout.pin_path(stage, model)
                    found.append(Problem("E_QUARANTINED_LIVE", said, path))
    return tuple(found)


def _judge(
    ledger: Ledger, edition: Edition, step: Step, path: str, number: int
) -> None:
    record = added_record(ledger, step, path, KIND, (edition,))
    if record is None:
        return
    problems = schema.problems("Quarantine", record.document, path)
    ledger.findings.problems.extend(problems)
    if problems:
        return
    document = Quarantine.from_document(record.document)
    pages = ledger.quarantine.pages(ledger)
    prior = pages[-1].digest if pages else None
    by = edition if document.policy == edition.digest else None
    found = link_problems(record, document, (len(pages) + 1, number, prior), by)
    found += [("E_QUARANTINE", said) for said in _strangers(document, ledger.manifest)]
    for code, message in found:
        if code == "E_UNSIGNED" and not record.seals:
            continue  # that is said already
        said = message
        if code == "E_OTHER_POLICY":
            said = "it was made under a policy not in force."
        ledger.findings.add(code, said, path, step.commit)
    if not found:
        entry = Entry(document=document, effective=counts(record, document, edition))
        page = Page(entry, record.document, record.digest, record.seals)
        ledger.quarantine.add(page)


def _judge_late(
    ledger: Ledger, edition: Edition, step: Step, path: str, number: int
) -> None:
    """Judge a further signature of a lift, and count it."""
    pages = ledger.quarantine.pages(ledger)
    page = pages[number - 1] if number <= len(pages) else None
    if page is None or not page.can_be_signed(edition) or ledger.registry_id is None:
        ledger.findings.add(
            "E_EXTRA_FILE",
            "the document that it signs is missing, or can be signed no more.",
            path,
            step.commit,
        )
        return
    at = layout.quarantine_path(number)
    signed = Signed(at, page.digest, KIND, path, step.blobs[path])
    try:
        seal, stated = open_in_force(signed, ledger.registry_id, (edition,))
        if canonical_json.dumps(stated) != canonical_json.dumps(page.said):
            raise IntegrityError(
                "its statement does not say what the YAML says.",
                code="E_DOCUMENT_MISMATCH",
            )
    except GitmodelError as error:
        ledger.findings.add(error.code, error.message, path, step.commit)
        return
    ledger.findings.signatures += 1
    ledger.quarantine.replace(number, page.with_seal(seal, edition))
