"""One promotion, judged and not yet signed: what one and what many share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.pin import Pin, Release
from gitmodel.formats import yaml_writer
from gitmodel.operations.gates import Refusal, approvals_needed, decide_promotion
from gitmodel.operations.moves import Move
from gitmodel.operations.soundness import require_verified
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.sighting import Sighting
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked for, and what their clone showed them at that time."""

    selector: Selector
    stage: str
    reason: str
    seen: Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A promotion that nothing speaks against.

    Attributes:
        origin: The version that the stage holds; None for an empty stage.
        move: What is to be signed; None if the stage holds the version already.
        needed: Which approvals it must wait for.
    """

    model: str
    version: str
    origin: str | None
    move: Move | None
    needed: tuple[Refusal, ...]


def judge_promotion(handle: RegistryHandle, view: View, asked: Asked) -> Judged:
    """Judge a promotion by the registry as it is; nothing is signed.

    Raises:
        NotFoundError: There is no such version or stage.
        RefusedError: The signer may not, or a gate says no; all refusals are listed.
        IntegrityError: The stage's log or the version's signature is broken.
        ConflictError: The stage moved since, or what the selector names.
    """
    stage = asked.stage
    view.settings.require_stage(stage)
    found = resolve(view, asked.selector)
    model, version = found.version.model, str(found.version.version)
    target = Release(version, found.version.digest)
    principal = handle.acting_as(view, "promoter")
    history, records = require_sound_history(view, stage, model)
    origin = history.current.version if history.current else None
    if history.current == target:
        return Judged(model=model, version=version, origin=origin, move=None, needed=())
    asked.seen.require_unmoved(history, records)
    asked.seen.require_same_version(found)
    require_verified(view, found, late=False)
    now = handle.context.clock.now()
    decision = decide_promotion(view, found, stage, now=now)
    decision.require(f"Promoting {model}@{version} to {stage}")
    move = Move(
        action="promote",
        model=model,
        stage=stage,
        target=target,
        pin=yaml_writer.dump(Pin(stage, model, target).to_document()),
        history=history,
        records=records,
        principal=principal,
        role="promoter",
        reason=asked.reason,
    )
    return Judged(
        model=model,
        version=version,
        origin=origin,
        move=move,
        needed=approvals_needed(view, stage, model),
    )
