"""What rollbacks keep from coming back, worked out move by move (R171)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.transition import Transition


@dataclass(slots=True)
class Holds:
    """The holds of one stage on versions of one model; take in its moves in order."""

    _by: dict[Digest, Transition] = field(default_factory=dict)

    @classmethod
    def after(cls, transitions: Iterable[Transition]) -> Holds:
        """Return what is held after all of ``transitions``, oldest first."""
        holds = cls()
        for transition in transitions:
            holds.take_in(transition)
        return holds

    def take_in(self, transition: Transition) -> None:
        """Take in the next move: a rollback holds what it takes out."""
        if transition.origin is not None:
            if transition.action == "rollback":
                self._by[transition.origin.manifest] = transition
            else:
                self._by.pop(transition.origin.manifest, None)
        if transition.target is not None:
            self._by.pop(transition.target.manifest, None)

    def on(self, manifest: Digest, released: Collection[int]) -> Transition | None:
        """Return the rollback that holds that manifest; None if nothing does.

        Args:
            manifest: Digest of the version's manifest.
            released: Numbers of the rollbacks that hold nothing any more.
        """
        by = self._by.get(manifest)
        return None if by is None or by.seq in released else by

    def all(self, released: Collection[int]) -> tuple[Transition, ...]:
        """Return every rollback that holds something, oldest first."""
        found = (by for by in self._by.values() if by.seq not in released)
        return tuple(sorted(found, key=lambda by: by.seq))
