"""The status of a version, always derived from pins and the log (R020, D11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.transition import Action

Status = Literal[
    "registered", "live", "previous", "rolled back", "archived", "quarantined"
]


class Statuses:
    """Answers about many versions of one model, having read its logs once."""

    def __init__(
        self,
        histories: Mapping[str, StageHistory],
        quarantined: Collection[Digest] = frozenset(),
    ) -> None:
        """Take the history of the model in every stage, in the registry's order.

        Args:
            histories: By stage.
            quarantined: The manifests, of those in the histories and of those that are
                asked about, that are in quarantine.
        """
        self._quarantined = quarantined
        self._current: dict[str, Digest] = {}
        #: How each manifest last left each stage; None while it is live there.
        self._departures: dict[str, dict[Digest, Action | None]] = {}
        self._next: set[Digest] = set()
        for stage, history in histories.items():
            if history.current is not None:
                self._current[stage] = history.current.manifest
            left = self._departures[stage] = {}
            for tenure in history.tenures():
                ended = tenure.ended.action if tenure.ended else None
                left.setdefault(tenure.release.manifest, ended)
            candidates = (release.manifest for release in history.last_known_good())
            best = next((each for each in candidates if each not in quarantined), None)
            if best is not None:
                self._next.add(best)

    def stages(self, manifest: Digest) -> tuple[str, ...]:
        """Return the stages that hold ``manifest`` now, in the registry's order."""
        return tuple(s for s, current in self._current.items() if current == manifest)

    def was_live(self, stage: str, manifest: Digest) -> bool:
        """Say whether a stage has ever held ``manifest``."""
        return manifest in self._departures[stage]

    def of(self, manifest: Digest) -> Status:
        """Say what became of a version; see :func:`status_of`."""
        if manifest in self._quarantined:
            return "quarantined"
        if manifest in self._current.values():
            return "live"
        departures = [left.get(manifest) for left in self._departures.values()]
        if "rollback" in departures:
            return "rolled back"
        if manifest in self._next:
            return "previous"
        return "archived" if any(departures) else "registered"


def live_stages(
    manifest: Digest, histories: Mapping[str, StageHistory]
) -> tuple[str, ...]:
    """Return the stages that hold ``manifest`` now, in the registry's order."""
    return Statuses(histories).stages(manifest)


def status_of(manifest: Digest, histories: Mapping[str, StageHistory]) -> Status:
    """Say what became of a version.

    ``quarantined`` if it is known to be, even while it is live; ``live`` somewhere;
    ``rolled back`` if it last left some stage by a rollback; ``previous`` if it is what
    some stage would go back to; ``archived`` if it was live once; else ``registered``.
    """
    return Statuses(histories).of(manifest)
