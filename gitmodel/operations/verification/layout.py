"""The tree as a whole: modes, strange files, names, what git does with the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.trees import FILE
from gitmodel.domain.names import model_name, stage_name
from gitmodel.domain.semver import Version
from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.handling import verify_attributes
from gitmodel.operations.verification.scope import EVERYTHING, Scope, files_in, fold
from gitmodel.registry import layout
from gitmodel.registry.lfs_config import redirection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.adapters.git.trees import Entry
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.layout import Place
    from gitmodel.registry.view import View

_DIRECTORIES = frozenset(root.rstrip("/") for root in layout.PROTECTED_ROOTS)
_FILES = frozenset({layout.SETTINGS, layout.ATTRIBUTES, layout.LFS_CONFIG})


def verify_layout(
    repository: Repository,
    view: View,
    findings: Findings,
    scope: Scope = EVERYTHING,
    base: View | None = None,
) -> Mapping[str, Entry]:
    """Look at every path of the registry that is in scope and new; return them.

    Args:
        repository: Where to look.
        view: The registry.
        findings: Told about every problem.
        scope: What matters.
        base: A commit whose layout is known to be right; None for none.
    """
    if base is not None and base.entry(layout.ATTRIBUTES) != view.entry(
        layout.ATTRIBUTES
    ):
        base = None  # what they say concerns old files too
    if base is None:
        files = around = files_in(view, scope, findings)
    else:
        files, around = view.files_since(base)
    files = {
        path: entry
        for path, entry in files.items()
        if path.startswith(layout.PROTECTED_ROOTS)
    }
    for name, entry in view.names("").items():
        _verify_root_name(findings, name, entry)
    names, spellings = _Names(findings), _Spellings(findings)
    for path, entry in files.items():
        place = layout.classify(path)
        _verify_file(findings, path, entry, place)
        if place.kind == "signature" and view.entry(place.document) is None:
            findings.add("E_EXTRA_FILE", "the document that it signs is missing.", path)
        names.verify(path, place)
    for path in around:
        if path.startswith(layout.PROTECTED_ROOTS):
            spellings.verify(path)
    verify_attributes(repository, view, findings, files)
    _verify_lfs_config(repository, view, findings)
    return files


def _verify_lfs_config(repository: Repository, view: View, findings: Findings) -> None:
    try:
        where = redirection(repository, view)
    except GitmodelError as error:
        findings.add_error(error, layout.LFS_CONFIG)
        return
    if where:
        findings.add("E_LFSCONFIG", where, layout.LFS_CONFIG)


def _verify_root_name(findings: Findings, name: str, entry: Entry) -> None:
    """Look at what stands beside the registry's directories, by its name alone."""
    folded = fold(name)
    if name in _FILES and entry.mode != FILE:
        message = f"its mode is {entry.mode:06o}; it must be 100644."
        findings.add("E_MODE", message, name)
    elif name in _DIRECTORIES and not entry.is_tree:
        findings.add("E_MODE", "it is no directory.", name)
    elif folded in _FILES | _DIRECTORIES and folded != name:
        findings.add(
            "E_NAME_COLLISION", f"some file systems take it for {folded}", name
        )


def _verify_file(findings: Findings, path: str, entry: Entry, place: Place) -> None:
    if entry.is_tree:
        findings.add("E_EXTRA_FILE", "it is a directory without a file.", path)
    elif place.kind == "other":
        findings.add("E_EXTRA_FILE", "no such file belongs in a registry.", path)
    if not entry.is_tree and entry.mode != FILE:
        message = f"its mode is {entry.mode:06o}; it must be 100644."
        findings.add("E_MODE", message, path)


class _Names:
    """Looks at each name of a model, stage or version once."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._seen: set[str] = set()

    def verify(self, path: str, place: Place) -> None:
        """Look at the names that make up a path."""
        self._one(path, place.model, model_name)
        self._one(path, place.stage, stage_name)
        self._one(path, place.version, Version.parse)

    def _one(self, path: str, name: str, read: Callable[[str], object]) -> None:
        key = f"{read.__name__} {name}"
        if not name or key in self._seen:
            return
        self._seen.add(key)
        try:
            read(name)
        except GitmodelError as error:
            self._findings.add(error.code, error.message, path)


class _Spellings:
    """Finds directories and files that some file systems cannot tell apart."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._known: set[str] = set()
        self._spelled: dict[str, str] = {}

    def verify(self, path: str) -> None:
        """Look at a path and at each directory above it, unless that was done."""
        prefix = path
        while prefix and prefix not in self._known:
            self._known.add(prefix)
            first = self._spelled.setdefault(fold(prefix), prefix)
            if first != prefix:
                self._findings.add(
                    "E_NAME_COLLISION",
                    f"it differs from {first} only by case or by how Unicode writes "
                    "an accent.",
                    path,
                )
                return
            prefix = prefix.rpartition("/")[0]
