"""One version: manifest, pointers, model signature; its bytes are left to ``bytes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.artifact import collisions
from gitmodel.domain.digest import Digest
from gitmodel.domain.manifest import ModelVersion
from gitmodel.errors import GitmodelError
from gitmodel.formats import oms
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations.verification.attestations import verify_attestations
from gitmodel.operations.verification.documents import (
    read_blob,
    require_role,
    verify_signed,
)
from gitmodel.registry import layout
from gitmodel.registry.authorship import model_author

if TYPE_CHECKING:
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.view import View


def verify_version(
    view: View, findings: Findings, model: str, number: str, *, late: bool = True
) -> ModelVersion | None:
    """Verify one version but for its bytes; None if its manifest cannot be read.

    Args:
        view: Where to read.
        findings: Told about every problem.
        model: Of the version.
        number: The version.
        late: Whether its late facts are looked at too.
    """
    path = layout.manifest_path(model, number)
    findings.versions += 1
    record = verify_signed(view, findings, path, "ModelVersion", "version")
    if record is None:
        return None
    require_role(record, findings, "publisher")
    try:
        version = ModelVersion.from_document(record.document, record.digest)
    except GitmodelError as error:
        findings.add_error(error, path)
        return None
    if (version.model, str(version.version)) != (model, number):
        findings.add(
            "E_NAME",
            f"the manifest is of {version.model}@{version.version}, not of its place.",
            path,
        )
    if record.seals and version.created_by not in record.sealed_by("publisher"):
        said = f"its creator {version.created_by} has not signed it."
        findings.add("E_UNSIGNED", said, path)
    for one, other in collisions([artifact.path for artifact in version.artifacts]):
        said = f"some file systems take {other} for {one}"
        findings.add("E_NAME_COLLISION", said, path)
    _verify_previous(view, findings, version, path)
    _verify_pointers(view, findings, version, number)
    # The policy of its time, not today's: keys come and go, versions stay.
    edition = view.edition_of(record.seals[0].policy) if record.seals else None
    _verify_model_signature(view, findings, version, number, edition or view.edition)
    if late:
        verify_attestations(view, findings, version)
    return version


def _verify_previous(
    view: View, findings: Findings, version: ModelVersion, path: str
) -> None:
    previous = version.document.get("previous")
    if previous is None:
        return
    before = layout.manifest_path(version.model, previous["version"])
    data = read_blob(view, findings, before)
    if data is None or str(Digest.of(data)) != previous["manifest"]:
        findings.add(
            "E_MANIFEST_DIGEST",
            f"{version.model}@{previous['version']} is not the manifest that it was "
            "made after.",
            path,
        )


def _verify_pointers(
    view: View, findings: Findings, version: ModelVersion, number: str
) -> None:
    directory = layout.artifacts_dir(version.model, number)
    present = view.files_below(directory)
    named = {artifact.path: artifact for artifact in version.artifacts}
    for name in sorted(present.keys() - named.keys()):
        findings.add(
            "E_EXTRA_FILE",
            "the manifest does not name this file.",
            f"{directory}/{name}",
        )
    for name, artifact in named.items():
        path = f"{directory}/{name}"
        if name not in present:
            findings.add("E_POINTER_MISSING", "the artifact has no pointer.", path)
            continue
        try:
            data = view.blob(path)
        except GitmodelError as error:
            findings.add("E_POINTER", f"it is no LFS pointer: {error.message}", path)
            continue
        if data is None or Pointer.parse(data) is None:
            findings.add("E_POINTER", "it is no LFS pointer.", path)
        elif data != Pointer(artifact.digest, artifact.size).to_bytes():
            findings.add(
                "E_POINTER", "the pointer and the manifest name different bytes.", path
            )
        else:
            findings.artifacts.append((path, artifact))


def _verify_model_signature(
    view: View,
    findings: Findings,
    version: ModelVersion,
    number: str,
    edition: Edition,
) -> None:
    path = layout.oms_path(version.model, number)
    data = read_blob(view, findings, path)
    if data is None:
        findings.add("E_OMS", "the version has no model.sig.", path)
        return
    expected = {"manifest.yaml": version.digest} | {
        f"artifacts/{artifact.path}": artifact.digest for artifact in version.artifacts
    }
    try:
        bundle = Bundle.from_bytes(data, path)
        author, signed = model_author(bundle, edition)
    except GitmodelError as error:
        findings.add_error(error, path)
        return
    findings.signatures += 1
    if not edition.policy.has_role(author.principal, "publisher"):
        findings.add("E_ROLE", f"{author.principal} is not a publisher.", path)
    for problem in oms.compare(signed, expected):
        findings.add("E_OMS", f"{problem.path}: {problem.message}", path)
