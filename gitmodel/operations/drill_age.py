"""When the way back of what is live was last tried, and how that went (R159)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gitmodel.domain.attestation import DRILL
from gitmodel.domain.moment import from_text
from gitmodel.operations.fitness import Check
from gitmodel.registry.attestations import read_rows
from gitmodel.registry.stage_log import read_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.attestation import Attestation
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: How old the newest drill of a stage may be.
_OFTEN = timedelta(days=90)


def check_drills(handle: RegistryHandle, view: View) -> Iterator[Check]:
    """Say which model of the last stage was not rehearsed for long, or not well.

    Nothing where one person is everybody: nobody else is to be ready.

    Raises:
        GitmodelError: A log or a document is malformed.
    """
    if len(view.policy.principals) == 1 or not view.settings.stages:
        return
    stage, now = view.settings.stages[-1], handle.context.clock.now()
    models = [model for model in view.models() if view.pin(stage, model) is not None]
    for model in models:
        newest = _newest(view, model, stage)
        if newest is None:
            found = "was never rehearsed"
        elif now - from_text(newest.created_at) > _OFTEN:
            found = f"was last rehearsed at {newest.created_at}"
        elif newest.result == "failed":
            found = f"failed its last drill, at {newest.created_at}"
        else:
            continue
        yield Check(
            "drills",
            False,
            f"the way back of {model} in {stage} {found}",
            f"gitmodel drill {model} {stage} --record",
            required=False,
        )
        return
    if models:
        yield Check("drills", True, f"{stage} was rehearsed", required=False)


def _newest(view: View, model: str, stage: str) -> Attestation | None:
    """Return the newest drill of a stage that counts; of whatever was live then."""
    history = read_history(view, stage, model)
    versions = dict.fromkeys(stay.release.version for stay in history.tenures())
    drills = [
        (row.attestation.created_at, row.number, row.attestation)
        for version in versions
        for row in read_rows(view, model, version)
        if row.attestation is not None
        and not row.problem
        and row.attestation.type == DRILL
        and row.attestation.drill is not None
        and row.attestation.drill.stage == stage
    ]
    # Several in one second are of one version, and numbered.
    newest = max(drills, key=lambda each: each[:2], default=None)
    return newest[2] if newest is not None else None
