"""The attestations of one version, as the tree has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.attestation import Attestation
from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.documents import verify_signed
from gitmodel.registry import layout
from gitmodel.registry.attestations import author_roles, misplaced, places_of, unfounded

if TYPE_CHECKING:
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View


def verify_attestations(view: View, findings: Findings, version: ModelVersion) -> None:
    """Verify each: signed by its author, about this manifest, none missing."""
    expected: dict[str, int] = {}
    for place in places_of(view, version.model, str(version.version)):
        path = layout.attestation_path(
            place.model, place.version, place.name, place.seq
        )
        number = expected.get(place.name, 1)
        if place.seq != number:
            message = f"the {place.name} attestation {number} is missing."
            findings.add("E_ATTESTATION", message, path)
        expected[place.name] = place.seq + 1
        record = verify_signed(view, findings, path, "Attestation", "attestation")
        if record is None:
            continue
        try:
            attestation = Attestation.from_document(record.document)
            strange = unfounded(view, attestation)
        except GitmodelError as error:
            findings.add_error(error, path)
            continue
        if problem := misplaced(attestation, place):
            findings.add("E_ATTESTATION", problem, path)
        if strange:
            findings.add("E_ATTESTATION", strange, path)
        if attestation.manifest != version.digest:
            message = "it is about another manifest than this version has."
            findings.add("E_MANIFEST_DIGEST", message, path)
        if not author_roles(record, attestation) and not record.problems:
            message = (
                f"its author {attestation.created_by} has not signed it as attestor."
            )
            findings.add("E_UNSIGNED", message, path)
