"""What a stage has held, and what it can safely go back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.pin import Release
    from gitmodel.domain.transition import Action, Transition


@dataclass(frozen=True, slots=True)
class Tenure:
    """One stay of a release in a stage.

    Attributes:
        began: The transition that brought it in.
        ended: The transition that took it out; None while it is live.
    """

    release: Release
    began: Transition
    ended: Transition | None


@dataclass(frozen=True, slots=True)
class StageHistory:
    """All transitions of one model in one stage, oldest first.

    Attributes:
        released: Numbers of the rollbacks that hold nothing any more.
    """

    transitions: tuple[Transition, ...]
    released: frozenset[int] = frozenset()

    @property
    def current(self) -> Release | None:
        """What the stage holds now; None if it is empty."""
        return self.transitions[-1].target if self.transitions else None

    def tenures(self) -> Iterator[Tenure]:
        """Yield every stay, newest first."""
        ended: Transition | None = None
        for transition in reversed(self.transitions):
            if transition.target is not None:
                yield Tenure(transition.target, transition, ended)
            ended = transition

    def was_live(self, manifest: Digest) -> bool:
        """Say whether the stage has ever held that manifest."""
        return any(tenure.release.manifest == manifest for tenure in self.tenures())

    def last_departure(self, manifest: Digest) -> Action | None:
        """Return how that manifest last left; None if it never did or is live."""
        for tenure in self.tenures():
            if tenure.release.manifest == manifest:
                return tenure.ended.action if tenure.ended else None
        return None

    def held_by(self, manifest: Digest) -> Transition | None:
        """Return the rollback that keeps that manifest from coming back (R171)."""
        return Holds.after(self.transitions).on(manifest, self.released)

    def last_known_good(self) -> Iterator[Release]:
        """Yield rollback targets, best first (``design`` §5; seeds D1 to D3).

        Walks the stage's history backwards and leaves out what is live now and
        what last left by a rollback. The caller takes the first one whose bytes
        and signatures verify now. Never yields the current manifest.
        """
        current = self.current
        seen = {current.manifest} if current else set()
        for tenure in self.tenures():
            manifest = tenure.release.manifest
            if manifest in seen:
                continue
            seen.add(manifest)
            if tenure.ended is None or tenure.ended.action != "rollback":
                yield tenure.release

    def latest_tenure(self, manifest: Digest) -> Tenure | None:
        """Return the newest stay of that manifest, the one a rollback goes back to."""
        for tenure in self.tenures():
            if tenure.release.manifest == manifest:
                return tenure
        return None
