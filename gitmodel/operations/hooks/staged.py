"""What a commit that is being made would change, read from the index alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitmodel.adapters.git import staging
from gitmodel.adapters.git.history import PathChange
from gitmodel.registry import layout
from gitmodel.registry.steps import Step
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.registry.handle import RegistryHandle

#: What is larger is no document; it is not read.
MAX_READ = 4 << 20
#: In all, so that a commit of however many files costs no more than this.
MAX_READ_ALL = 256 << 20
_ROOTS = frozenset(
    {
        layout.SETTINGS,
        layout.ATTRIBUTES,
        layout.LFS_CONFIG,
        *(root.rstrip("/") for root in layout.PROTECTED_ROOTS),
    }
)
_PLAIN = frozenset({0o100644, 0o100755})


def is_of_registry(path: str) -> bool:
    """Say whether a path is the registry's, or some file system takes it for that."""
    first = path.partition("/")[0]
    return not first.isascii() or first.lower() in _ROOTS


@dataclass(frozen=True)
class Staged:
    """The step from HEAD to the index.

    Attributes:
        handle: The registry.
        index: The file that git keeps it in; None for the work tree's own.
        changes: Every path that differs.
        chosen: What is looked at file by file: the changes, or the files that were
            named, as the index has them.
        sizes: Bytes of each new blob that is here.
    """

    handle: RegistryHandle
    index: Path | None
    changes: tuple[PathChange, ...]
    chosen: tuple[PathChange, ...]
    sizes: Mapping[str, int]

    @classmethod
    def read(
        cls, handle: RegistryHandle, index: Path | None, files: Sequence[str] = ()
    ) -> Staged:
        """Read what is staged.

        Raises:
            ConflictError: A merge is not resolved.
        """
        repository = handle.repository
        changes = staging.staged_changes(repository, index)
        chosen = changes
        if files:
            named = staging.entries(repository, files, index)
            by_path = {change.path: change for change in changes}
            chosen = tuple(
                by_path.get(path) or PathChange("A", path, 0, mode, "", oid)
                for path, (mode, oid) in named.items()
            )
        blobs = (c.new for c in (*changes, *chosen) if c.new_mode in _PLAIN)
        return cls(handle, index, changes, chosen, staging.sizes(repository, blobs))

    @cached_property
    def base(self) -> View:
        """The registry in HEAD; the empty one before the first commit."""
        return View(self.handle.reader, self.handle.repository.resolve("HEAD"))

    @cached_property
    def view(self) -> View:
        """The registry as the commit would have it."""
        tree = staging.write_tree(self.handle.repository, self.index)
        return _TreeView(self.handle.reader, tree)

    @property
    def is_registry(self) -> bool:
        """Whether this is one, before the commit or after it."""
        return (
            any(change.path == layout.SETTINGS for change in self.changes)
            or self.base.entry(layout.SETTINGS) is not None
        )

    @cached_property
    def step(self) -> Step:
        """What the commit changes in the protected directories."""
        changes = tuple(
            change
            for change in self.changes
            if change.path.startswith(layout.PROTECTED_ROOTS)
        )
        return Step("", changes, self.blobs(changes))

    def blobs(self, changes: Sequence[PathChange]) -> dict[str, bytes]:
        """Return the new bytes of each path that is not too large to be read."""
        wanted: list[PathChange] = []
        total = 0
        for change in changes:
            size = self.sizes.get(change.new)
            if change.new_mode not in _PLAIN or size is None or size > MAX_READ:
                continue
            total += size
            if total <= MAX_READ_ALL:
                wanted.append(change)
        read = self.handle.reader.read_many([change.new for change in wanted])
        return {
            change.path: found.data for change, found in zip(wanted, read, strict=True)
        }


class _TreeView(View):
    """The registry in a tree that no commit has yet."""

    def __init__(self, reader: ObjectReader, tree: str) -> None:
        super().__init__(reader, None)
        self.tree = tree
