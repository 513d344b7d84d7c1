"""Whether a version is what it was signed to be, down to the last byte, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.lfs.store import State, as_error
from gitmodel.errors import IntegrityError, NotFoundError
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.versions import verify_version
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.pin import Release
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.versions import Found
    from gitmodel.registry.view import View


def require_signed_version(view: View, model: str, release: Release) -> Found:
    """Return a version whose manifest is signed, and the one that was meant.

    Raises:
        IntegrityError: It is not.
    """
    found = load(view, model, release.version)
    if found.version.digest != release.manifest:
        raise IntegrityError(
            f"The manifest of {model}@{release.version} is not the one that was "
            "promoted.",
            code="E_MANIFEST_DIGEST",
        )
    require_verified(view, found)
    return found


def require_verified(view: View, found: Found, *, late: bool = True) -> None:
    """Insist that a version verifies, but for its bytes.

    Args:
        view: Where to read.
        found: The version.
        late: Whether its late facts must verify too.

    Raises:
        IntegrityError: It does not; ``problems`` lists everything.
    """
    version = found.version
    findings = Findings()
    verify_version(view, findings, version.model, str(version.version), late=late)
    if findings.problems:
        first = findings.problems[0]
        raise IntegrityError(
            f"{version.model}@{version.version} does not verify: {first}",
            "gitmodel verify  shows everything that is wrong.",
            code=first.code,
            problems=[problem.to_dict() for problem in findings.problems],
        )


def require_sound_version(
    handle: RegistryHandle, view: View, model: str, release: Release
) -> Found:
    """Return a version that is signed and whose bytes, hashed now, are right.

    Raises:
        NotFoundError: Some bytes are not in this clone (``E_ARTIFACT_MISSING``).
        IntegrityError: A signature or some bytes are wrong.
    """
    found = require_signed_version(view, model, release)
    artifacts = found.version.artifacts
    missing = [
        artifact.path
        for artifact in artifacts
        if handle.store.state(artifact.digest, artifact.size) is State.MISSING
    ]
    if missing:
        raise NotFoundError(
            f"{len(missing)} of {len(artifacts)} artifacts of "
            f"{model}@{release.version} are not in this clone, such as {missing[0]}",
            f"gitmodel pull {model}@{release.version}  fetches them.",
            code="E_ARTIFACT_MISSING",
        )
    require_intact(handle, artifacts)
    return found


def require_intact(handle: RegistryHandle, artifacts: Sequence[Artifact]) -> None:
    """Hash stored artifacts now, and insist that each is what its digest says.

    Raises:
        IntegrityError: One is not.
    """
    pointers = [Pointer(artifact.digest, artifact.size) for artifact in artifacts]
    progress = handle.context.progress
    progress.start(sum(pointer.size for pointer in pointers), "Verifying")
    try:
        outcomes = handle.store.verify_all(pointers, progress)
    finally:
        progress.finish()
    if problems := [problem for problem in outcomes if problem is not None]:
        raise as_error(problems)
