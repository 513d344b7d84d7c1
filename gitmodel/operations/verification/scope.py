"""What of a registry is looked at: all of it, or what concerns one version."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.adapters.git.trees import Entry
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.layout import Place
    from gitmodel.registry.view import View

#: A tree of a few objects can have more files than any memory.
MAX_FILES = 1_000_000
MAX_PATH = 4096
_AT_ONCE = 1000  # directories that are read together
_DIRECTORIES = tuple(root.rstrip("/") for root in layout.PROTECTED_ROOTS)


@dataclass(frozen=True, slots=True)
class Scope:
    """One version and the stages of its model; everything if the model is ""."""

    model: str = ""
    version: str = ""

    def enters(self, directory: str) -> bool:
        """Say whether something in a directory may matter, whatever its casing."""
        parts = directory.split("/")
        depth = {"models": 1, "log": 2}.get(parts[0])
        if not self.model or depth is None:
            return True
        if len(parts) > depth and fold(parts[depth]) != fold(self.model):
            return False
        if parts[0] == "models" and parts[2:3] == ["versions"] and len(parts) > 3:  # noqa: PLR2004
            return fold(parts[3]) == fold(self.version)
        return True

    def covers(self, path: str) -> bool:
        """Say whether a file in a directory that was entered matters."""
        directory, _, name = path.rpartition("/")
        if not self.model or not directory.startswith("stages/"):
            return True
        return f"{fold(name)}.".startswith(f"{fold(self.model)}.yaml.")

    def concerns(self, place: Place) -> bool:
        """Say whether what stands at a place matters."""
        if not self.model or not place.model:
            return True
        return place.model == self.model and place.version in {"", self.version}


EVERYTHING = Scope()


def fold(name: str) -> str:
    """Return what a name is to file systems that hardly tell names apart."""
    if name.isascii():
        return name.lower()
    seen = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen).casefold())


def files_in(view: View, scope: Scope, findings: Findings) -> dict[str, Entry]:
    """Return every path of the registry that is in scope, and all names of the root.

    A directory without a file stands for itself: git makes none, and commands would
    take it for a version or a model.

    Raises:
        IntegrityError: There are more than anybody can look at (``E_LIMIT``).
    """
    files: dict[str, Entry] = {}
    pending: list[tuple[str, str]] = []
    for name, entry in view.names("").items():
        if entry.is_tree and name in _DIRECTORIES:
            pending.append((name, entry.oid))
        else:
            files[name] = entry
    while pending:
        some = pending[-_AT_ONCE:]
        del pending[-_AT_ONCE:]
        with suppress(GitmodelError):  # it is told where it is met
            view.reader.read_ahead(oid for _, oid in some)
        for directory, oid in reversed(some):
            for name, entry in _entries(view, directory, oid, findings).items():
                path = f"{directory}/{name}"
                if entry.is_tree and entry.oid != view.reader.empty_tree:
                    if scope.enters(path):
                        pending.append((path, entry.oid))
                elif entry.is_tree or scope.covers(path):
                    files[path] = entry
            if len(files) + len(pending) > MAX_FILES or len(directory) > MAX_PATH:
                raise IntegrityError(
                    f"{directory[:100]} has more than {MAX_FILES:,} files, or a path "
                    f"of more than {MAX_PATH:,} characters: nobody can look at it all.",
                    code="E_LIMIT",
                )
    return files


def _entries(
    view: View, directory: str, oid: str, findings: Findings
) -> Mapping[str, Entry]:
    try:
        return view.reader.tree(oid)
    except GitmodelError as error:
        findings.add_error(error, directory)
        return {}
