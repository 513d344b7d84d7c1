"""Register a version: artifacts into the store, a signed manifest, one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.adapters.git.attributes import attribute_of
from gitmodel.adapters.lfs import ingest, scan, transfer
from gitmodel.adapters.signing import dsse
from gitmodel.domain.manifest import ModelVersion
from gitmodel.domain.names import model_name, refuse_case_collision
from gitmodel.domain.semver import Bump, Version
from gitmodel.errors import ConflictError
from gitmodel.formats import schema, yaml_writer
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations import drafting
from gitmodel.operations.drafting import Author
from gitmodel.operations.facts import Facts, gather
from gitmodel.operations.inspection import inspect_artifacts
from gitmodel.operations.naming import require_well_named
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.quarantines import require_clean
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.digest import Digest
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

_API = "gitmodel.dev/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterResult:
    """A version as it was registered.

    Attributes:
        id: The canonical id (R001).
        manifest: Digest of the manifest: the version's identity.
        commit: None for a dry run.
    """

    model: str
    version: str
    id: str
    manifest: str
    artifacts: tuple[Artifact, ...]
    commit: str | None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Which version it will be.

    Attributes:
        version: As given; None to derive it.
        bump: Which part to raise, from the highest version there is (R005, D4).
        allow_same_bytes: Register bytes that another version has already.
    """

    version: Version | None = None
    bump: Bump | None = None
    allow_same_bytes: bool = False


def register(
    handle: RegistryHandle,
    model: str,
    paths: Sequence[Path],
    *,
    naming: Naming | None = None,
    facts: Facts | None = None,
    roles: Mapping[str, str] | None = None,
    message: str = "",
    mode: Mode | None = None,
) -> RegisterResult:
    """Register the files at ``paths`` as a new version of ``model``.

    Args:
        handle: The registry.
        model: New or existing.
        paths: Files, and directories whose content is taken.
        naming: Which version; by default 1.0.0, then the next patch.
        facts: What the caller knows about the training, metrics and so on.
        roles: Artifact name → role, where the convention guesses wrong.
        message: Why, for the log.
        mode: Dry run, push.

    Raises:
        InputError: A name or a file is of a kind that cannot be registered.
        ConflictError: The version exists, or another one has the same bytes.
        RefusedError: The signer is no publisher, or it comes of what is in quarantine.
        OutsideError: The disk is full, or git failed.
    """
    naming, facts, mode = naming or Naming(), facts or Facts(), mode or Mode()
    model_name(model)
    view = handle.view()
    handle.writable_branch()
    principal = handle.acting_as(view, "publisher")
    require_well_named(view, model)
    # Refuse what can be refused before any gigabyte is read.
    version = _choose_version(view, model, naming)
    if mode.push and not mode.dry_run:
        transfer.require_client()
    facts = gather(handle, facts)
    author = Author(principal, handle.context.clock)
    drafting.require_valid(view, model, version, author, facts)
    sources = scan.collect(paths)
    drafting.require_files(facts, [source.name for source in sources])

    pointers = _take_in(handle, sources, dry_run=mode.dry_run)
    inspected = inspect_artifacts(
        sources, pointers, roles or {}, handle.store, handle.context.warn
    )

    def build(view: View) -> Plan[RegisterResult]:
        require_well_named(view, model)
        version = _choose_version(view, model, naming)
        artifacts = inspected.artifacts
        blobs = {
            layout.artifact_path(model, str(version), artifact.path): Pointer(
                artifact.digest, artifact.size
            ).to_bytes()
            for artifact in artifacts
        }
        if not naming.allow_same_bytes:
            _refuse_same_bytes(handle, view, model, list(blobs.values()))
        _require_lfs_attributes(handle, view, list(blobs))
        document = drafting.draft(view, model, version, author, artifacts, facts)
        drafting.bind_parents(view, document)
        if inspected.architecture is not None and "architecture" not in document:
            document["architecture"] = inspected.architecture.to_dict()
        path = layout.manifest_path(model, str(version))
        schema.require("ModelVersion", document, path)
        require_clean(view, document)
        signed = sign_document(
            handle.signer,
            path,
            document,
            kind="version",
            role="publisher",
            authority=Authority(view.registry_id, view.policy_digest),
        )
        files: dict[str, bytes | None] = {**blobs, **signed.files}
        files[layout.oms_path(model, str(version))] = _model_signature(
            handle, model, version, signed.digest, artifacts
        )
        if view.entry(layout.model_path(model)) is None:
            files[layout.model_path(model)] = yaml_writer.dump(
                {
                    "apiVersion": _API,
                    "kind": "Model",
                    "name": model,
                    "owners": [principal],
                }
            )
        registered = ModelVersion.from_document(document, signed.digest)
        change = Change(
            message=CommitMessage(
                subject=f"register({model}): {version}",
                body=message,
                trailers=(
                    ("Gitmodel-Action", "register"),
                    ("Gitmodel-Model", model),
                    ("Gitmodel-Version", str(version)),
                    ("Gitmodel-Manifest", str(signed.digest)),
                    ("Gitmodel-Principal", principal),
                ),
            ),
            principal=principal,
            files=files,
        )
        result = RegisterResult(
            model=model,
            version=str(version),
            id=registered.id,
            manifest=str(signed.digest),
            artifacts=artifacts,
            commit=None,
            dry_run=mode.dry_run,
        )
        return Plan(change, result)

    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit)


def _take_in(
    handle: RegistryHandle, sources: Sequence[scan.SourceFile], *, dry_run: bool
) -> list[Pointer]:
    """Put files into the store, or only hash them for a dry run."""
    paths = [source.path for source in sources]
    progress = handle.context.progress
    if dry_run:
        return ingest.hash_files(paths, progress)
    ingest.sweep(handle.store)
    return [item.pointer for item in ingest.ingest(paths, handle.store, progress)]


def _existing(view: View, model: str) -> tuple[Version, ...]:
    if view.entry(layout.model_dir(model)) is None:
        refuse_case_collision(model, view.models())
        return ()
    return view.versions(model)


def _choose_version(view: View, model: str, naming: Naming) -> Version:
    existing = _existing(view, model)
    highest = existing[-1] if existing else None
    if naming.version is None:
        if naming.bump is None and highest is None:
            return Version(1, 0, 0)
        return (highest or Version(0, 0, 0)).bump(naming.bump or "patch")
    if naming.version in existing:
        raise ConflictError(
            f"{model}@{naming.version} exists, and versions never change.",
            f"gitmodel register {model} … --bump patch  makes "
            f"{(highest or naming.version).bump('patch')}",
            code="E_VERSION_EXISTS",
        )
    refuse_case_collision(str(naming.version), map(str, existing))
    return naming.version


def _refuse_same_bytes(
    handle: RegistryHandle, view: View, model: str, pointers: list[bytes]
) -> None:
    """Refuse the bytes of an earlier version; equal pointers are equal blobs."""
    wanted = sorted(handle.blob_id(pointer) for pointer in pointers)
    for version in reversed(_existing(view, model)):
        files = view.files_below(layout.artifacts_dir(model, str(version)))
        if sorted(entry.oid for entry in files.values()) == wanted:
            raise ConflictError(
                f"{model}@{version} has exactly these bytes.",
                f"gitmodel promote {model}@{version} STAGE  uses that version;",
                "--allow-same-bytes  registers them again.",
                code="E_SAME_BYTES",
            )


def _require_lfs_attributes(
    handle: RegistryHandle, view: View, paths: list[str]
) -> None:
    """Insist that git hands every artifact to LFS, so that no clone gets a blob."""
    model_dir = paths[0].split("/versions/")[0]
    files = {
        path: entry.oid
        for directory in ("", "models/", f"{model_dir}/", f"{model_dir}/versions/")
        if (entry := view.entry(path := f"{directory}.gitattributes")) is not None
    }
    filters = attribute_of(handle.repository, "filter", paths, files)
    uncovered = [path for path in paths if filters.get(path) != "lfs"]
    if uncovered:
        raise ConflictError(
            f"{len(uncovered)} artifacts would not be LFS objects, such as "
            f"{uncovered[0]}",
            f"Put this line last in {layout.ATTRIBUTES} and commit it: "
            f"{layout.ARTIFACTS_PATTERN} filter=lfs diff=lfs merge=lfs -text",
            code="E_ATTRIBUTES",
        )


def _model_signature(
    handle: RegistryHandle,
    model: str,
    version: Version,
    manifest: Digest,
    artifacts: tuple[Artifact, ...],
) -> bytes:
    """Return the OpenSSF Model Signing bundle over manifest and artifacts."""
    files = [("manifest.yaml", manifest)]
    files += [(f"artifacts/{artifact.path}", artifact.digest) for artifact in artifacts]
    return dsse.oms_bundle(handle.signer, f"{model}-{version}", files).to_bytes()
