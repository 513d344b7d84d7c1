"""A step that registers: a whole version directory at once, signed by a publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.artifact import collisions
from gitmodel.domain.digest import Digest
from gitmodel.domain.manifest import ModelVersion
from gitmodel.errors import GitmodelError
from gitmodel.formats import oms, schema
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry import layout
from gitmodel.registry.authorship import model_author

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step


def judge_versions(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every version that a step touched."""
    touched = dict.fromkeys(
        (place.model, place.version)
        for place in places.values()
        if place.kind in {"manifest", "artifact", "oms"}
    )
    for model, number in touched:
        _judge_version(ledger, edition, step, model, number)


def _judge_version(
    ledger: Ledger, edition: Edition, step: Step, model: str, number: str
) -> None:
    path = layout.manifest_path(model, number)
    directory = f"{layout.version_dir(model, number)}/"
    files = {
        other.removeprefix(directory): data
        for other, data in step.blobs.items()
        if other.startswith(directory)
    }
    if "manifest.yaml" not in files:
        for name in files:
            if layout.classify(directory + name).kind in {"artifact", "oms"}:
                ledger.findings.add(
                    "E_EXTRA_FILE",
                    "it came without the manifest that names it.",
                    directory + name,
                    step.commit,
                )
        return
    ledger.findings.versions += 1
    record = added_record(ledger, step, path, "version", (edition,))
    if record is None:
        return
    problems = schema.problems("ModelVersion", record.document, path)
    ledger.findings.problems.extend(problems)
    if problems:
        return
    version = ModelVersion.from_document(record.document, record.digest)
    if (version.model, str(version.version)) != (model, number):
        ledger.findings.add(
            "E_NAME",
            f"the manifest is of {version.model}@{version.version}, not of its place.",
            path,
            step.commit,
        )
    if record.seals and version.created_by not in record.sealed_by("publisher"):
        said = f"its creator {version.created_by} has not signed it as publisher."
        ledger.findings.add("E_UNSIGNED", said, path, step.commit)
    _judge_previous(ledger, step, version, path)
    for problem in collisions([artifact.path for artifact in version.artifacts]):
        ledger.findings.add("E_NAME_COLLISION", str(problem), path, step.commit)
    ledger.manifests[model, number] = record.digest
    _judge_pointers(ledger, step, version, directory, files)
    _judge_model_signature(ledger, edition, step, version, directory, files)


def _judge_previous(
    ledger: Ledger, step: Step, version: ModelVersion, path: str
) -> None:
    """Judge what a version says it was made after; a merge may bring both at once."""
    previous = version.document.get("previous")
    if previous is None:
        return
    model, number = version.model, previous["version"]
    data = step.blobs.get(layout.manifest_path(model, number))
    known = Digest.of(data) if data is not None else ledger.manifest(model, number)
    if known is None or str(known) != previous["manifest"]:
        ledger.findings.add(
            "E_MANIFEST_DIGEST",
            f"{model}@{number} is not the manifest that it was made after.",
            path,
            step.commit,
        )


def _judge_pointers(
    ledger: Ledger,
    step: Step,
    version: ModelVersion,
    directory: str,
    files: Mapping[str, bytes],
) -> None:
    present = {name for name in files if name.startswith("artifacts/")}
    named = {f"artifacts/{artifact.path}": artifact for artifact in version.artifacts}
    for name in sorted(present - named.keys()):
        ledger.findings.add(
            "E_EXTRA_FILE",
            "the manifest does not name this file.",
            directory + name,
            step.commit,
        )
    for name, artifact in named.items():
        if files.get(name) == Pointer(artifact.digest, artifact.size).to_bytes():
            ledger.findings.artifacts.append((directory + name, artifact))
        else:
            ledger.findings.add(
                "E_POINTER",
                "it is not the pointer to what the manifest names.",
                directory + name,
                step.commit,
            )


def _judge_model_signature(
    ledger: Ledger,
    edition: Edition,
    step: Step,
    version: ModelVersion,
    directory: str,
    files: Mapping[str, bytes],
) -> None:
    path = f"{directory}model.sig"
    expected = {"manifest.yaml": version.digest} | {
        f"artifacts/{artifact.path}": artifact.digest for artifact in version.artifacts
    }
    try:
        bundle = Bundle.from_bytes(files.get("model.sig", b""), path)
        author, signed = model_author(bundle, edition)
    except GitmodelError as error:
        ledger.findings.add(error.code, error.message, path, step.commit)
        return
    ledger.findings.signatures += 1
    if not edition.policy.has_role(author.principal, "publisher"):
        ledger.findings.add(
            "E_ROLE", f"{author.principal} is not a publisher.", path, step.commit
        )
    for problem in oms.compare(signed, expected):
        ledger.findings.add(
            "E_OMS", f"{problem.path}: {problem.message}", path, step.commit
        )
