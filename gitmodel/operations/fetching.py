"""Bring the bytes of one version into this clone, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.lfs import transfer
from gitmodel.adapters.lfs.store import as_error
from gitmodel.errors import NotFoundError, OutsideError
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations.soundness import require_sound_version
from gitmodel.registry import layout
from gitmodel.registry.lfs_config import patience_of, require_no_redirection
from gitmodel.registry.quarantines import require_not_quarantined
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.domain.pin import Release
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


def fetch_sound_version(
    handle: RegistryHandle, view: View, model: str, release: Release
) -> None:
    """Insist that a version is what was signed; fetch first what this clone lacks.

    Most clones have few bytes, and where those of the best version are must not decide
    which one a stage goes back to.

    Raises:
        RefusedError: It is in quarantine.
        NotFoundError: Bytes are not here, and cannot be had.
        IntegrityError: A signature or some bytes are wrong.
    """
    require_not_quarantined(view, model, release.version)
    try:
        require_sound_version(handle, view, model, release)
    except NotFoundError as error:
        if error.code != "E_ARTIFACT_MISSING" or not handle.repository.remotes():
            raise
        try:
            fetch_missing(handle, view, load(view, model, release.version).version)
        except (NotFoundError, OutsideError) as failure:
            raise error from failure
        require_sound_version(handle, view, model, release)


def fetch_missing(handle: RegistryHandle, view: View, version: ModelVersion) -> None:
    """Bring the artifacts of a version that this clone lacks into its store.

    Raises:
        NotFoundError: There is no remote, or it has them not (``E_ARTIFACT_MISSING``).
        IntegrityError: An artifact here, or one that came, is not what it must be.
        OutsideError: git-lfs or the server failed.
    """
    number = str(version.version)
    missing = [
        artifact
        for artifact in version.artifacts
        if artifact.size and not handle.store.has(artifact.digest, artifact.size)
    ]
    if not missing:
        return
    head = handle.repository.head()
    if not handle.repository.remotes():
        for artifact in missing:
            problem = handle.store.look(Pointer(artifact.digest, artifact.size))
            if problem is not None and problem.code != "E_ARTIFACT_MISSING":
                raise as_error([problem])
        raise NotFoundError(
            f"{len(missing)} artifacts of {version.model}@{number} are not in this "
            f"clone, such as {missing[0].path}, and it has no remote to ask.",
            code="E_ARTIFACT_MISSING",
        )
    require_no_redirection(handle.repository, view)
    remote = remote_of(handle.repository, head.ref or "")
    pointers = [Pointer(artifact.digest, artifact.size) for artifact in missing]
    transfer.fetch_objects(
        handle.store,
        handle.repository.work_tree or handle.repository.git_dir,
        remote,
        str(view.commit),
        layout.artifacts_dir(version.model, number),
        pointers,
        patience_of(handle.repository),
        handle.context.progress,
    )
    # A server may offer nothing to download for an object, and git-lfs is content.
    if problems := [each for each in map(handle.store.look, pointers) if each]:
        raise NotFoundError(
            f"The LFS server of {remote} gave nothing for {len(problems)} of "
            f"{len(pointers)} objects, such as {pointers[0].digest}",
            "git lfs env  shows which server was asked;  git lfs push --all "
            "REMOTE  in a clone that has the bytes uploads them.",
            code="E_ARTIFACT_MISSING",
        )
