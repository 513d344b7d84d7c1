"""Versions that quarantines name, found by what others have in common with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.domain.quarantine import VersionSubject

    #: The digest of a manifest, or those of all files of a version.
    Key = str | frozenset[str]


@dataclass(slots=True)
class NamedVersions:
    """An index that grows and shrinks with the chain; several may have one key."""

    _by: dict[Key, dict[VersionSubject, None]] = field(default_factory=dict)
    _keys: dict[VersionSubject, tuple[Key, ...]] = field(default_factory=dict)

    def add(self, subject: VersionSubject, files: frozenset[str]) -> None:
        """Take in a version; with no files it is found by its manifest alone."""
        keys: tuple[Key, ...] = (str(subject.manifest), *((files,) if files else ()))
        self._keys[subject] = keys
        for key in keys:
            self._by.setdefault(key, {})[subject] = None

    def remove(self, subject: VersionSubject) -> None:
        """Forget a version."""
        for key in self._keys.pop(subject, ()):
            named = self._by[key]
            del named[subject]
            if not named:
                del self._by[key]

    def find(self, key: Key) -> VersionSubject | None:
        """Return the version that was named last of those with ``key``."""
        named = self._by.get(key)
        return next(reversed(named)) if named else None
