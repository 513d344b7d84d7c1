"""Finds versions: by selector, by name, by content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.manifest import ModelVersion
from gitmodel.errors import IntegrityError, NotFoundError
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.catalog_store import version_of
from gitmodel.registry.parsing import as_found
from gitmodel.registry.quarantines import quarantined
from gitmodel.registry.records import Record, read_record
from gitmodel.registry.stage_log import require_sound_history

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitmodel.domain.selector import Selector
    from gitmodel.domain.semver import Version
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True)
class Found:
    """A version, and the signed manifest that it was read from."""

    version: ModelVersion
    record: Record


def load(view: View, model: str, version: str) -> Found:
    """Read one version.

    Raises:
        NotFoundError: There is no such version.
        IntegrityError: Its manifest is malformed, or gone.
    """
    path = layout.manifest_path(model, version)
    record = read_record(view, path, "version")
    if record is None and view.entry(layout.version_dir(model, version)) is not None:
        raise IntegrityError(
            f"{path} is missing, or is no plain file.",
            "gitmodel verify  shows everything that is wrong.",
            code="E_MISSING",
        )
    if record is None:
        known = view.versions(model)
        raise NotFoundError(
            f"{model} has no version {version}",
            f"Its highest version is {known[-1]};  gitmodel list {model}  shows all."
            if known
            else f"gitmodel register {model} FILE…  registers its first version.",
        )
    found = _in_its_place(model, version, record.document, record.digest)
    return Found(found, record)


def read_manifests(
    view: View, model: str, versions: Sequence[str]
) -> Iterator[ModelVersion]:
    """Yield versions that are there, in order, with no look at signatures.

    For people to look at: nothing says who wrote them.

    Raises:
        IntegrityError: A manifest is malformed, or gone.
    """
    directories = [
        view.entry(layout.version_dir(model, version)) for version in versions
    ]
    view.reader.read_ahead(entry.oid for entry in directories if entry is not None)
    entries = [view.entry(layout.manifest_path(model, version)) for version in versions]
    oids = [entry.oid for entry in entries if entry is not None and entry.is_file]
    read = view.reader.read_all(oids)
    for version, entry in zip(versions, entries, strict=True):
        if entry is None or not entry.is_file:
            yield load(view, model, version).version
            continue
        data = next(read).data
        with as_found():
            path = layout.manifest_path(model, version)
            document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
        yield _in_its_place(model, version, document, Digest.of(data))


def _in_its_place(
    model: str, version: str, document: Mapping[str, Any], digest: Digest
) -> ModelVersion:
    path = layout.manifest_path(model, version)
    with as_found():
        schema.require("ModelVersion", document, path)
        found = ModelVersion.from_document(document, digest)
    if (found.model, str(found.version)) != (model, version):
        raise IntegrityError(
            f"{path} is the manifest of {found.model}@{found.version}, not of its "
            "place.",
            "gitmodel verify  shows everything that is wrong.",
            code="E_NAME",
        )
    return found


def manifest_digest(view: View, model: str, version: Version | str) -> Digest:
    """Return the digest of a manifest's bytes."""
    data = view.blob(layout.manifest_path(model, str(version)))
    if data is None:
        raise NotFoundError(f"{model} has no version {version}")
    return Digest.of(data)


def resolve(view: View, selector: Selector) -> Found:
    """Find the version that a selector names.

    Raises:
        NotFoundError: It names none.
        IntegrityError: A pin is not what its log says, or names a version that is not
            here, or other bytes.
    """
    model = selector.model
    known = view.versions(model)
    match selector.kind:
        case "version":
            return load(view, model, str(selector.version))
        case "latest":
            releases = [version for version in known if not version.prerelease]
            if not releases:
                rest = f"  {model}@{known[-1]}  is its highest." if known else ""
                raise NotFoundError(f"{model} has no release yet.{rest}")
            return load(view, model, str(releases[-1]))
        case "partial":
            size = len(selector.prefix)
            matching = [
                version
                for version in known
                if not version.prerelease
                and (version.major, version.minor)[:size] == selector.prefix
            ]
            if not matching:
                raise NotFoundError(
                    f"{model} has no release {'.'.join(map(str, selector.prefix))}.x.",
                    f"gitmodel list {model}  shows its versions.",
                )
            return load(view, model, str(matching[-1]))
        case "digest":
            return _by_digest(view, model, selector.digest)
        case "stage":
            return _live(view, model, str(selector.stage))
        case "lkg":
            return _last_known_good(view, model, str(selector.stage))


def _by_digest(view: View, model: str, digest: Digest | None) -> Found:
    known = view.versions(model)
    said = version_of(view, model, digest)
    # Only a hint about where to look first.
    likely = sorted(known, key=lambda version: str(version) != said)
    for version in likely:
        if manifest_digest(view, model, version) == digest:
            return load(view, model, str(version))
    raise NotFoundError(f"{model} has no version with manifest {digest}")


def _live(view: View, model: str, stage: str) -> Found:
    view.settings.require_stage(stage)
    view.versions(model)
    history, _ = require_sound_history(view, stage, model)
    release = history.current
    if release is None:
        raise NotFoundError(
            f"Stage {stage} holds no version of {model}",
            f"gitmodel promote {model}@VERSION {stage}  puts one there.",
        )
    try:
        found = load(view, model, release.version)
    except NotFoundError as error:
        raise IntegrityError(
            f"The pin of {stage} names {model}@{release.version}, "
            "which is not in this registry.",
            code="E_PIN_DANGLING",
        ) from error
    if found.version.digest != release.manifest:
        raise IntegrityError(
            f"The pin of {stage} and the manifest of {model}@{release.version} "
            "disagree about its digest.",
            "gitmodel verify  shows everything that is wrong.",
            code="E_MANIFEST_DIGEST",
        )
    return found


def _last_known_good(view: View, model: str, stage: str) -> Found:
    view.settings.require_stage(stage)
    view.versions(model)
    history, _ = require_sound_history(view, stage, model)
    best = next(
        (
            release
            for release in history.last_known_good()
            if quarantined(view, model, release.version) is None
        ),
        None,
    )
    if best is None:
        raise NotFoundError(f"Stage {stage} has no last known good of {model}")
    return load(view, model, best.version)
