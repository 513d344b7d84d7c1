"""A step that attests: the next of its type, by its author, about that manifest."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitmodel.domain.attestation import POST_ROLLBACK, Attestation
from gitmodel.errors import GitmodelError
from gitmodel.formats import schema
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry.attestations import (
    UNFOUNDED,
    attested,
    author_roles,
    misplaced,
)
from gitmodel.registry.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry import layout
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step


def judge_attestations(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every attestation that a step added, and take in those that are legal."""
    added = [
        (place.model, place.version, place.name, place.seq, path)
        for path, place in places.items()
        if place.kind == "attestation" and path in step.blobs
    ]
    for *_, path in sorted(added):
        _judge(ledger, edition, step, path, places[path])


def judge_validations(
    ledger: Ledger, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge whether what a step says of rollbacks is about rollbacks that happened.

    Once the moves of the step are taken in: a merge may bring both.
    """
    for path, place in places.items():
        if place.kind != "attestation" or place.name != POST_ROLLBACK:
            continue
        with suppress(GitmodelError):  # what is malformed has been told
            attestation = parse(
                "Attestation",
                step.blobs.get(path, b""),
                path,
                Attestation.from_document,
            )
            said = attestation.aftermath
            if said is None:
                continue
            chain = ledger.chain(said.stage, place.model)
            if not any(
                said.is_of(each, chain.digest_of(number), attestation.manifest)
                for number, each in enumerate(chain.transitions, start=1)
            ):
                ledger.findings.add("E_ATTESTATION", UNFOUNDED, path, step.commit)


def _judge(
    ledger: Ledger, edition: Edition, step: Step, path: str, place: layout.Place
) -> None:
    before = len(ledger.findings.problems)
    record = added_record(ledger, step, path, "attestation", (edition,))
    if record is None:
        return
    problems = schema.problems("Attestation", record.document, path)
    ledger.findings.problems.extend(problems)
    if problems:
        return
    try:
        attestation = Attestation.from_document(record.document)
    except GitmodelError as error:
        ledger.findings.add(error.code, error.message, path, step.commit)
        return
    if problem := misplaced(attestation, place):
        ledger.findings.add("E_ATTESTATION", problem, path, step.commit)
    if attestation.manifest != ledger.manifest(place.model, place.version):
        message = "it is about another manifest than this version has."
        ledger.findings.add("E_MANIFEST_DIGEST", message, path, step.commit)
    known = ledger.attested(place.model, place.version)
    expected = 1 + max((o.number for o in known if o.type == place.name), default=0)
    if place.seq != expected:
        message = f"the next {place.name} attestation is number {expected}."
        ledger.findings.add("E_ATTESTATION", message, path, step.commit)
    roles = author_roles(record, attestation)
    if record.seals and not roles:
        message = f"its author {attestation.created_by} has not signed it as attestor."
        ledger.findings.add("E_UNSIGNED", message, path, step.commit)
    if len(ledger.findings.problems) == before:
        known.append(attested(attestation, place.seq, roles[0]))
