"""Finds versions: by selector, by name, by content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.manifest import ModelVersion
from gitmodel.errors import InputError, IntegrityError, NotFoundError
from gitmodel.formats import schema
from gitmodel.registry import layout
from gitmodel.registry.records import Record, read_record
from gitmodel.registry.stage_log import read_history

if TYPE_CHECKING:
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
        InputError: Its manifest is malformed.
    """
    path = layout.manifest_path(model, version)
    record = read_record(view, path, "version")
    if record is None:
        known = view.versions(model)
        raise NotFoundError(
            f"{model} has no version {version}",
            f"Its highest version is {known[-1]};  gitmodel list {model}  shows all."
            if known
            else f"gitmodel register {model} FILE…  registers its first version.",
        )
    try:
        return Found(ModelVersion.from_document(record.document, record.digest), record)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        schema.require("ModelVersion", record.document, path)
        raise InputError(f"{path} is malformed: {error}", code="E_SCHEMA") from error


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
        IntegrityError: A pin names a version that is not here, or other bytes.
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
    for version in view.versions(model):
        if manifest_digest(view, model, version) == digest:
            return load(view, model, str(version))
    raise NotFoundError(f"{model} has no version with manifest {digest}")


def _live(view: View, model: str, stage: str) -> Found:
    pin = view.pin(view.settings.require_stage(stage), model)
    if pin is None:
        raise NotFoundError(
            f"Stage {stage} holds no version of {model}",
            f"gitmodel promote {model}@VERSION {stage}  puts one there.",
        )
    try:
        found = load(view, model, pin.release.version)
    except NotFoundError as error:
        raise IntegrityError(
            f"The pin of {stage} names {model}@{pin.release.version}, "
            "which is not in this registry.",
            code="E_PIN_DANGLING",
        ) from error
    if found.version.digest != pin.release.manifest:
        raise IntegrityError(
            f"The pin of {stage} and the manifest of {model}@{pin.release.version} "
            "disagree about its digest.",
            "gitmodel verify  shows everything that is wrong.",
            code="E_MANIFEST_DIGEST",
        )
    return found


def _last_known_good(view: View, model: str, stage: str) -> Found:
    history = read_history(view, view.settings.require_stage(stage), model)
    best = next(history.last_known_good(), None)
    if best is None:
        raise NotFoundError(f"Stage {stage} has no last known good of {model}")
    return load(view, model, best.version)
