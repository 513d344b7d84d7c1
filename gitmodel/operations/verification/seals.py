"""Signatures that a step added, judged by the policy that was in force then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import canonical_json, yaml_quick, yaml_reader
from gitmodel.formats.bundle import Bundle
from gitmodel.registry import layout
from gitmodel.registry.authorship import describe, is_known
from gitmodel.registry.records import Record
from gitmodel.registry.seals import Seal, Signed, open_seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step


def added_record(
    ledger: Ledger, step: Step, path: str, kind: str, editions: Sequence[Edition]
) -> Record | None:
    """Return a document that a step added, with the signatures that came with it.

    Every signature must rest on one of ``editions``: those in force. Problems are
    reported; None means that the document itself cannot be used.
    """
    data = step.blobs.get(path)
    if data is None or ledger.registry_id is None:
        return None
    digest = Digest.of(data)
    seals: list[Seal] = []
    stated: Mapping[str, Any] | None = None
    flawed = False
    for signature in signatures_of(step, path):
        signed = Signed(path, digest, kind, signature, step.blobs[signature])
        try:
            seal, stated = open_in_force(signed, ledger.registry_id, editions)
        except GitmodelError as error:
            ledger.findings.add(error.code, error.message, signature, step.commit)
            flawed = True
            continue
        seals.append(seal)
    ledger.findings.signatures += len(seals)
    try:
        document = _read(data, path, stated)
    except GitmodelError as error:
        ledger.findings.add_error(error, path)
        return None
    if stated is None and not flawed:
        ledger.findings.add("E_UNSIGNED", "nobody has signed it.", path, step.commit)
    if stated is not None and stated != document:
        ledger.findings.add(
            "E_DOCUMENT_MISMATCH",
            "the YAML does not say what its signed statement says.",
            path,
            step.commit,
        )
    return Record(
        path=path,
        digest=digest,
        document=document,
        seals=tuple(seals),
        problems=(),
    )


def _read(
    data: bytes, path: str, stated: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Read a document; quickly, if it says what its signer says."""
    if stated is not None and yaml_quick.says(data, stated):
        return stated
    quick = yaml_quick.value_of(data)
    return quick if quick is not None else yaml_reader.read(data, path).value


def open_in_force(
    signed: Signed, registry_id: Digest, editions: Sequence[Edition]
) -> tuple[Seal, Mapping[str, Any]]:
    """Open a signature that must rest on a policy in force at this point.

    A key that was taken out of the policy signs nothing any more, whatever policy its
    signatures name and whatever date they bear: position decides.
    """
    by_digest = {edition.digest: edition for edition in editions}
    try:
        return open_seal(signed, registry_id, by_digest.get)
    except IntegrityError as error:
        bundle = Bundle.from_bytes(signed.bundle, signed.signature)
        if error.code == "E_OTHER_POLICY" and not any(
            is_known(bundle, edition) for edition in editions
        ):
            raise IntegrityError(
                f"The signature is by {describe(bundle)}, which was not in the policy "
                "in force.",
                code="E_IDENTITY" if bundle.keyless else "E_UNTRUSTED_KEY",
            ) from error
        raise


def signatures_of(step: Step, path: str) -> list[str]:
    """Return the signatures of a document that a step added."""
    start = f"{path}."
    return [
        other
        for other in step.blobs
        if other.startswith(start) and layout.classify(other).document == path
    ]


def judge_late_signatures(ledger: Ledger, edition: Edition, step: Step) -> None:
    """Judge signatures whose document had come in an earlier step.

    They must count under the policy in force now; what they add is for those to say
    who read them.
    """
    for path in step.blobs:
        place = layout.classify(path)
        if place.kind != "signature" or place.document in step.blobs:
            continue
        if layout.classify(place.document).kind == "quarantine":
            continue  # what it changes had to be known before
        digest = _known(ledger, place)
        if digest is None or ledger.registry_id is None:
            ledger.findings.add(
                "E_EXTRA_FILE",
                "the document that it signs is missing, or can be signed no more.",
                path,
                step.commit,
            )
            continue
        kind = "version" if place.version else "transition"
        signed = Signed(place.document, digest, kind, path, step.blobs[path])
        try:
            _, stated = open_in_force(signed, ledger.registry_id, (edition,))
            _require_said(ledger, place, stated)
        except GitmodelError as error:
            ledger.findings.add(error.code, error.message, path, step.commit)
            continue
        ledger.findings.signatures += 1


def _require_said(
    ledger: Ledger, place: layout.Place, stated: Mapping[str, Any]
) -> None:
    """Insist that a late signature states what its document says.

    It could be taken out no more, and the log that it stands in counts no longer.

    Raises:
        IntegrityError: It states something else.
    """
    if place.version:
        found = ledger.manifest_document(place.model, place.version)
        document = found[1] if found is not None else None
    else:
        chain = ledger.chain(place.stage, place.model)
        document = chain.transitions[place.seq - 1].to_document()
    if document is None or canonical_json.dumps(stated) != canonical_json.dumps(
        document
    ):
        raise IntegrityError(
            "its statement does not say what the YAML says.", code="E_DOCUMENT_MISMATCH"
        )


def _known(ledger: Ledger, place: layout.Place) -> Digest | None:
    """Return the digest of a document of the past, if it can still be signed.

    Only the newest transition of a pin, and rollbacks, which others may have to approve
    after the fact: a signature of any other could change nothing any more. Nothing that
    its author signs once, when it is made.
    """
    kind = layout.classify(place.document).kind
    if kind == "manifest":
        return ledger.manifest(place.model, place.version)
    if kind != "transition":
        return None
    chain = ledger.chain(place.stage, place.model)
    newest = len(chain.transitions)
    if not 0 < place.seq <= newest:
        return None
    late = chain.transitions[place.seq - 1].action == "rollback"
    return chain.digest_of(place.seq) if late or place.seq == newest else None
