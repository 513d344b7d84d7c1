"""Scan the stored bytes of a version for code; see ``formats.pickle_scan``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitmodel.adapters import picklescan
from gitmodel.domain.attestation import Finding, Tool
from gitmodel.formats import pickle_scan
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.formats.pickle_allowed import EDITION
from gitmodel.operations.claims import Claim
from gitmodel.operations.soundness import require_sound_version
from gitmodel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.pin import Release
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: As many as a document has room for.
MAX_FINDINGS = 500

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CODE = re.compile(r"\.(py|pyc|pyd|so|dll|dylib|sh)$", re.IGNORECASE)


def scan_version(
    handle: RegistryHandle, view: View, model: str, release: Release
) -> Claim:
    """Hash and scan every artifact; failed if anything at all was found.

    Raises:
        NotFoundError: Some bytes are not in this clone.
        IntegrityError: Some bytes, or the manifest, are not what was signed.
    """
    found = require_sound_version(handle, view, model, release)
    return scan_artifacts(handle, found.version.artifacts)


def scan_artifacts(
    handle: RegistryHandle,
    artifacts: Sequence[Artifact],
    watched: Callable[[BinaryIO], BinaryIO] = lambda file: file,
) -> Claim:
    """Scan stored artifacts whose bytes are known to be right.

    Args:
        handle: The registry.
        artifacts: Which.
        watched: What each file is read through.

    Raises:
        NotFoundError: Some bytes are not in this clone.
        OutsideError: Some bytes cannot be read.
    """
    second = picklescan.version()
    findings: list[Finding] = []
    for artifact in artifacts:
        findings.extend(_findings(handle, artifact, watched, second=second is not None))
    if len(findings) > MAX_FINDINGS:
        more = Finding(message=f"and {len(findings) - MAX_FINDINGS} more findings")
        findings = [*findings[:MAX_FINDINGS], more]
    version = f"{__version__} list {EDITION}"
    if second is not None:
        version += f" picklescan {second}"
    return Claim(
        result="failed" if findings else "passed",
        tool=Tool("gitmodel scan", version),
        findings=tuple(findings),
    )


def _findings(
    handle: RegistryHandle,
    artifact: Artifact,
    watched: Callable[[BinaryIO], BinaryIO],
    *,
    second: bool,
) -> Iterator[Finding]:
    if _CODE.search(artifact.path) and artifact.role != "code":
        yield _finding(artifact.path, "it is code, and its role does not say so")
    pointer = Pointer(artifact.digest, artifact.size)
    with watched(handle.store.open(pointer)) as file:
        for one in pickle_scan.scan(file, artifact.size, artifact.path):
            yield _finding(one.place, one.message)
        if second:
            file.seek(0)
            for message in picklescan.problems(file, artifact.path):
                yield _finding(artifact.path, message)


def _finding(place: str, message: str) -> Finding:
    return Finding(
        message=_CONTROL.sub("?", message)[:900],
        path=_CONTROL.sub("?", place)[:900],
        severity="high",
    )
