"""One rollback, planned: what a pin gets back, and the signed record of it.

Nothing is written. A single rollback, several in one commit, and an emergency make the
same plans; they differ in what they do with them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.late_review import late_review
from gitmodel.domain.metrics import Delta, compare
from gitmodel.domain.names import incident_id, model_name
from gitmodel.domain.rollback_rules import RESPONDER
from gitmodel.errors import ConflictError, NotFoundError
from gitmodel.operations.moves import Move, record_move
from gitmodel.operations.rollback_target import choose, undone
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.pin import Release
    from gitmodel.operations.moves import Moved
    from gitmodel.operations.rollback_target import Unfit
    from gitmodel.operations.sighting import Sighting
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackResult:
    """What a rollback did, or would do.

    Attributes:
        origin: The version that the stage held before.
        target: The version that it holds now.
        reverts: The commits that were undone, newest first.
        skipped: Versions that were passed over as last known good, with the reason.
        target_since: When the target was promoted to the stage.
        origin_since: When what is live now came in.
        deltas: How the metrics change from ``origin`` to ``target``.
        commit: None for a plan or a dry run.
        branch: The branch that has the commit; a request's own while it is pending.
        needed: What a pending rollback still lacks.
        review: Who must approve it after the fact, and until when; "" for nobody.
    """

    status: Literal["rolled_back", "pending", "planned", "unchanged"]
    model: str
    stage: str
    origin: str
    target: str
    reverts: tuple[str, ...]
    incident: str | None
    transition: str | None
    seq: int
    target_since: str
    origin_since: str
    deltas: tuple[Delta, ...]
    skipped: tuple[tuple[str, str], ...]
    commit: str | None = None
    branch: str = ""
    needed: tuple[str, ...] = ()
    review: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A rollback that somebody asked for.

    Attributes:
        to: Where to; None for the last known good.
        seen: What the clone showed of the pin then.
        expect: Digest of the manifest that must be live still; None for any.
        emergency: Whether it waits for nobody.
    """

    model: str
    stage: str
    reason: str
    seen: Sighting
    to: str | None = None
    incident: str | None = None
    expect: Digest | None = None
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A rollback that could be made.

    Attributes:
        live: What the stage holds now.
        moved: The change; None if the stage is there already.
    """

    result: RollbackResult
    live: Release
    moved: Moved | None


def plan_rollback(
    handle: RegistryHandle, view: View, asked: Asked, unfit: Unfit | None = None
) -> Planned:
    """Plan one rollback, having verified its target down to the bytes.

    Args:
        handle: The registry.
        view: What it is planned upon.
        asked: Which rollback.
        unfit: Raises for versions that are about to be of no use.

    Raises:
        NotFoundError: The stage is empty, or has nothing to go back to.
        ConflictError: The target was never live there, somebody else moved the stage
            first, or it holds other than what was expected.
        RefusedError: The signer may not roll back this stage, or the target is in
            quarantine.
        IntegrityError: The target's bytes or signatures, or the log, are not sound.
    """
    model, stage = asked.model, asked.stage
    if asked.incident is not None:
        incident_id(asked.incident)
    view.settings.require_stage(stage)
    view.versions(model_name(model))
    role = _role(view, asked)
    principal = handle.acting_as(view, role)
    history, records = require_sound_history(view, stage, model)
    asked.seen.require_unmoved(history, records)
    live = history.current
    if live is None:
        raise NotFoundError(f"Stage {stage} holds no version of {model}")
    if asked.expect is not None and live.manifest != asked.expect:
        raise ConflictError(
            f"Stage {stage} holds {model}@{live.version} by now, and this rollback is "
            "about something else.",
            f"gitmodel log {model} --stage {stage}  shows who moved it.",
            code="E_STAGE_MOVED",
        )
    target = choose(handle, view, (model, stage), history, asked.to, unfit)
    tenure = target.tenure
    result = RollbackResult(
        status="unchanged",
        model=model,
        stage=stage,
        origin=live.version,
        target=tenure.release.version,
        reverts=(),
        incident=asked.incident,
        transition=None,
        seq=len(records),
        target_since=tenure.began.created_at,
        origin_since=history.transitions[-1].created_at,
        deltas=_deltas(view, model, live, tenure.release),
        skipped=target.skipped,
    )
    if tenure.ended is None:
        return Planned(result, live, None)
    pin, reverts = undone(handle, view, tenure)
    moved = record_move(
        handle,
        view,
        Move(
            action="rollback",
            model=model,
            stage=stage,
            target=tenure.release,
            pin=pin,
            history=history,
            records=records,
            principal=principal,
            role=role,
            reason=asked.reason,
            incident=asked.incident,
            reverts=reverts,
            emergency=asked.emergency,
        ),
    )
    done = replace(
        result,
        status="rolled_back",
        reverts=reverts,
        transition=str(moved.digest),
        seq=moved.transition.seq,
        review=str(late_review(view.policy, moved.transition, ()) or ""),
    )
    return Planned(done, live, moved)


def _role(view: View, asked: Asked) -> str:
    rules = view.policy.rules_for(asked.stage, asked.model)
    if rules is None:
        return RESPONDER
    return rules.requester_role("emergency" if asked.emergency else "rollback")


def _deltas(
    view: View, model: str, origin: Release, target: Release
) -> tuple[Delta, ...]:
    before = load(view, model, origin.version).version.metrics
    after = load(view, model, target.version).version.metrics
    return compare(before, after)
