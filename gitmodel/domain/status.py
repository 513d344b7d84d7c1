"""The status of a version, always derived from pins and the log (R020, D11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.history import StageHistory

Status = Literal["registered", "live", "previous", "rolled back", "archived"]


def live_stages(
    manifest: Digest, histories: Mapping[str, StageHistory]
) -> tuple[str, ...]:
    """Return the stages that hold ``manifest`` now, in the registry's order."""
    return tuple(
        stage
        for stage, history in histories.items()
        if history.current is not None and history.current.manifest == manifest
    )


def status_of(manifest: Digest, histories: Mapping[str, StageHistory]) -> Status:
    """Say what became of a version.

    ``live`` somewhere; ``rolled back`` if it last left some stage by a rollback;
    ``previous`` if it is what some stage would go back to; ``archived`` if it was
    live once; else ``registered``.
    """
    if live_stages(manifest, histories):
        return "live"
    departures = [history.last_departure(manifest) for history in histories.values()]
    if "rollback" in departures:
        return "rolled back"
    for history in histories.values():
        best = next(history.last_known_good(), None)
        if best is not None and best.manifest == manifest:
            return "previous"
    return "archived" if any(departures) else "registered"
