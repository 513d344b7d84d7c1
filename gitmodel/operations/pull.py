"""Pull one version: only its objects, verified while they are written, atomically."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gitmodel.adapters.lfs.checkout import copy_out_all
from gitmodel.adapters.lfs.ingest import hash_files
from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import Release
from gitmodel.errors import (
    ConflictError,
    InputError,
)
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations.fetching import fetch_missing
from gitmodel.operations.pull_forensic import (
    forensic_note,
    holds_note,
    require_usable,
    seal_off,
)
from gitmodel.operations.pull_target import (
    is_taken,
    put,
    require_replaceable,
    unwritable,
)
from gitmodel.operations.soundness import require_signed_version
from gitmodel.registry import layout
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.domain.ports import Progress
    from gitmodel.domain.selector import Selector
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """A version as it now lies on disk.

    Attributes:
        status: ``unchanged`` if the directory held exactly it already.
        verified: Always true: what does not verify is not written.
    """

    status: Literal["pulled", "unchanged"]
    model: str
    version: str
    manifest: str
    path: Path
    artifacts: tuple[Artifact, ...]
    verified: bool = True


def pull(
    handle: RegistryHandle,
    selector: Selector,
    destination: Path | None = None,
    *,
    replace: bool = False,
    forensic: bool = False,
) -> PullResult:
    """Write a version's artifacts, manifest and model.sig to a directory.

    Args:
        handle: The registry; it may be bare or read-only.
        selector: Which version.
        destination: By default ``MODEL-VERSION`` in the current directory.
        replace: Put it in the place of an earlier pull.
        forensic: To look into it, not to use it: also what is in quarantine, with a
            note that says why, and nothing that can be written to.

    Raises:
        RefusedError: It is in quarantine; or ``forensic``, and the signer may not.
        ConflictError: ``destination`` holds something else.
        NotFoundError: The version, or some of its bytes, cannot be had.
        IntegrityError: A signature or some bytes are wrong; nothing was written.
        OutsideError: The remote failed, or ``destination`` cannot be written.
    """
    view = handle.view()
    version = resolve(view, selector).version
    number = str(version.version)
    note = None
    if forensic:
        note = forensic_note(handle, view, version.model, number)
    else:
        require_usable(view, version.model, number)
    require_signed_version(view, version.model, Release(number, version.digest))
    asked = (destination or Path(f"{version.model}-{number}")).absolute()
    target = asked.parent.resolve() / asked.name
    result = PullResult(
        status="pulled",
        model=version.model,
        version=number,
        manifest=str(version.digest),
        path=target,
        artifacts=version.artifacts,
    )
    if is_taken(target):
        if _holds(view, target, version, handle.context.progress, note):
            return dataclasses.replace(result, status="unchanged")
        require_replaceable(target, replace=replace)
    fetch_missing(handle, view, version)
    try:
        _write(handle, view, version, number, target, replace=replace, note=note)
    except ConflictError:
        if _holds(view, target, version, handle.context.progress, note):
            return dataclasses.replace(result, status="unchanged")  # another pull
        raise
    except OSError as error:
        raise unwritable(target, error) from error
    return result


def _holds(
    view: View,
    target: Path,
    version: ModelVersion,
    progress: Progress,
    note: bytes | None,
) -> bool:
    """Say whether a directory holds the version, every byte of it and no more."""
    signature = view.blob(layout.oms_path(version.model, str(version.version)))
    try:
        if target.is_symlink() or not holds_note(target, version, note):
            return False
        if Digest.of((target / "manifest.yaml").read_bytes()) != version.digest:
            return False
        if (target / "model.sig").read_bytes() != signature:
            return False
        wanted = {
            target / "artifacts" / artifact.path: Pointer(
                artifact.digest, artifact.size
            )
            for artifact in version.artifacts
        }
        return hash_files(list(wanted), progress) == list(wanted.values())
    except (OSError, InputError):  # InputError: a link, or no file at all
        return False


def _write(
    handle: RegistryHandle,
    view: View,
    version: ModelVersion,
    number: str,
    target: Path,
    *,
    replace: bool,
    note: bytes | None,
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name[:50]}-", dir=target.parent))
    try:
        fresh = scratch / "version"
        (fresh / "artifacts").mkdir(parents=True)
        copy_out_all(
            handle.store,
            [
                (
                    Pointer(artifact.digest, artifact.size),
                    fresh / "artifacts" / artifact.path,
                )
                for artifact in version.artifacts
            ],
            handle.context.progress,
        )
        for name, path in (
            ("manifest.yaml", layout.manifest_path(version.model, number)),
            ("model.sig", layout.oms_path(version.model, number)),
        ):
            (fresh / name).write_bytes(view.blob(path) or b"")
        if note is not None:
            seal_off(fresh, note)
        put(fresh, target, scratch / "old", replace=replace)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
