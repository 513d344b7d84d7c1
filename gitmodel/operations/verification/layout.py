"""The tree as a whole: modes, strange files, colliding names, attributes."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from gitmodel.adapters.git.attributes import attribute_of
from gitmodel.adapters.git.trees import FILE
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.adapters.git.trees import Entry
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View


def verify_layout(
    repository: Repository, view: View, findings: Findings, base: View | None = None
) -> Mapping[str, Entry]:
    """Look at every path of the registry that ``base`` has not; return them.

    Args:
        repository: Where to look.
        view: The registry.
        findings: Told about every problem.
        base: A commit whose layout is known to be right; None for none.
    """
    if base is not None and _attributes_of(base) != _attributes_of(view):
        base = None  # what they say concerns old files too
    if base is None:
        files = around = view.files_below("")
    else:
        files, around = view.files_since(base)
    spellings: dict[str, str] = {}
    for path in around:
        if path.startswith(layout.PROTECTED_ROOTS):
            _note_spelling(findings, spellings, path)
    _verify_attributes(
        repository, findings, around, _verify_paths(view, findings, files)
    )
    if "lfs" in _lfs_config(view):
        findings.add(
            "E_LFSCONFIG",
            "it redirects LFS to a server of its own choice; name the server in "
            "each clone's configuration instead.",
            ".lfsconfig",
        )
    return files


def _verify_paths(
    view: View, findings: Findings, files: Mapping[str, Entry]
) -> list[str]:
    """Look at each path; return those of artifacts."""
    artifacts = []
    for path, entry in files.items():
        if not path.startswith(layout.PROTECTED_ROOTS):
            continue
        place = layout.classify(path)
        if place.kind == "other":
            findings.add("E_EXTRA_FILE", "no such file belongs in a registry.", path)
        elif entry.mode != FILE:
            findings.add(
                "E_MODE", f"its mode is {entry.mode:06o}; it must be 100644.", path
            )
        if place.kind == "artifact":
            artifacts.append(path)
        if place.kind == "signature" and view.entry(place.document) is None:
            findings.add("E_EXTRA_FILE", "the document that it signs is missing.", path)
    return artifacts


def _attributes_of(view: View) -> Entry | None:
    return view.entry(layout.ATTRIBUTES)


def _note_spelling(findings: Findings, spellings: dict[str, str], path: str) -> None:
    """Report directories and files that some file systems cannot tell apart."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        prefix = "/".join(parts[:depth])
        folded = unicodedata.normalize("NFC", prefix).casefold()
        if spellings.setdefault(folded, prefix) != prefix:
            findings.add(
                "E_NAME_COLLISION",
                f"it differs from {spellings[folded]} only by case or by how Unicode "
                "writes an accent.",
                path,
            )
            return


def _verify_attributes(
    repository: Repository,
    findings: Findings,
    files: Mapping[str, Entry],
    artifacts: list[str],
) -> None:
    sources = {
        path: entry.oid
        for path, entry in files.items()
        if path.rpartition("/")[2] == layout.ATTRIBUTES
    }
    if not artifacts:
        return
    filters = attribute_of(repository, "filter", artifacts, sources)
    for path in artifacts:
        if filters.get(path) != "lfs":
            findings.add("E_ATTRIBUTES", "git does not hand it to LFS.", path)


def _lfs_config(view: View) -> str:
    """Return '' unless ``.lfsconfig`` names a server."""
    text = (view.blob(".lfsconfig") or b"").decode("utf-8", "replace").lower()
    keys = (line.partition("=")[0].strip() for line in text.splitlines())
    return "lfs" if any(key in {"url", "pushurl", "lfsurl"} for key in keys) else ""
