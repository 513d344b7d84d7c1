"""Many versions: read in lots, and shared out among the processors.

Each process reads the documents of its own share; the trees they are in were read
before. What they find is reported in the order of the versions, as one would find it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from gitmodel.adapters import workers
from gitmodel.domain.semver import Version
from gitmodel.errors import InputError
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.versions import verify_version
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gitmodel.registry.view import View

    #: A model, a version of it, and all files of that version.
    Share = tuple[str, str, Sequence[str]]

#: Versions that are worth a process of their own.
_LEAST_PIECE = 300
#: Versions whose files are read together.
_LOT = 100


def verify_versions(view: View, findings: Findings, files: Iterable[str]) -> None:
    """Verify every version that has one of ``files``, lowest first of each model."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in files:
        place = layout.classify(path)
        if place.version:
            found.setdefault((place.model, place.version), []).append(path)
    shares = [
        (model, version, found[model, version])
        for model, version in sorted(found, key=_order)
    ]
    if not _verify_beside(view, findings, shares):
        _verify_in_order(view, findings, shares)


def _order(version: tuple[str, str]) -> tuple[str, bool, Version | str]:
    """Sort by model and precedence: each version is held against the one before."""
    model, number = version
    try:
        return model, False, Version.parse(number)
    except InputError:
        return model, True, number


def _verify_in_order(view: View, findings: Findings, shares: Sequence[Share]) -> None:
    for start in range(0, len(shares), _LOT):
        lot = shares[start : start + _LOT]
        view.read_ahead(path for _, _, files in lot for path in files)
        for model, version, _ in lot:
            verify_version(view, findings, model, version)


def _verify_beside(view: View, findings: Findings, shares: Sequence[Share]) -> bool:
    """Verify many versions at once; False if that could not be done."""
    parts = min(workers.processors(), len(shares) // _LEAST_PIECE)
    if parts < 2:  # noqa: PLR2004
        return False
    bounds = [len(shares) * part // parts for part in range(parts + 1)]

    def task(start: int, end: int) -> Callable[[], Findings]:
        def run() -> Findings:
            found = Findings()
            with view.reader.twin() as reader:
                own = view.read_by(reader)
                _verify_in_order(own, found, shares[start:end])
            return found

        return run

    results = workers.spread([task(*pair) for pair in pairwise(bounds)])
    pieces = [found for found in results if found is not None]
    if len(pieces) < parts:
        return False
    for piece in pieces:
        findings.add_all(piece)
    return True
