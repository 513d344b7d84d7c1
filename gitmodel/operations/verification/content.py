"""Bytes: every artifact is in the store, and hashes to what was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.adapters.lfs.store import Store
    from gitmodel.domain.ports import Progress
    from gitmodel.operations.verification.findings import Findings


def verify_content(store: Store, findings: Findings, progress: Progress) -> int:
    """Hash every artifact that was found; return how many bytes were read.

    An object that is not here is missing, not corrupt: nobody has changed it.
    """
    by_digest = {
        artifact.digest: (path, artifact) for path, artifact in findings.artifacts
    }
    outcomes = store.verify_all(
        [(artifact.digest, artifact.size) for _, artifact in by_digest.values()],
        progress,
    )
    read = 0
    for (path, artifact), outcome in zip(by_digest.values(), outcomes, strict=True):
        if outcome == "ok":
            read += artifact.size
        elif outcome == "missing":
            findings.add(
                "E_ARTIFACT_MISSING",
                "its bytes are not in this clone, so they cannot be verified.",
                path,
            )
        else:
            findings.add(
                "E_ARTIFACT_DIGEST", f"its stored bytes are not what was signed: {outcome}.", path
            )
    return read
