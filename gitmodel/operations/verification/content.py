"""Bytes: every artifact is in the store, and hashes to what was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.formats.lfs_pointer import Pointer

if TYPE_CHECKING:
    from gitmodel.adapters.lfs.store import Store
    from gitmodel.domain.ports import Progress
    from gitmodel.operations.verification.findings import Findings


def verify_content(store: Store, findings: Findings, progress: Progress) -> int:
    """Hash every artifact that was found; return how many bytes were right.

    An object that is not here is missing, not corrupt: nobody has changed it.
    """
    places: dict[Pointer, list[str]] = {}
    for path, artifact in findings.artifacts:
        places.setdefault(Pointer(artifact.digest, artifact.size), []).append(path)
    progress.start(sum(pointer.size for pointer in places), "Verifying")
    try:
        outcomes = store.verify_all(list(places), progress)
    finally:
        progress.finish()
    right = 0
    for (pointer, paths), problem in zip(places.items(), outcomes, strict=True):
        if problem is None:
            right += pointer.size
            continue
        for path in paths:
            findings.add(problem.code, problem.message, path)
    return right
