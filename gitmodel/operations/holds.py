"""What rollbacks hold, and how somebody lets it return (R171)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.hold_release import HoldRelease
from gitmodel.domain.holds import Holds
from gitmodel.domain.moment import to_text
from gitmodel.errors import NotFoundError, RefusedError
from gitmodel.formats import schema
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.hold_releases import KIND
from gitmodel.registry.stage_log import (
    logged_stages,
    read_history,
    require_sound_history,
)
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.selector import Selector
    from gitmodel.domain.transition import Transition
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One version that may not be promoted to a stage again.

    Attributes:
        seq: Of the rollback that took it out.
        since: When that was, RFC 3339.
        by: Who rolled back.
    """

    model: str
    version: str
    stage: str
    seq: int
    since: str
    by: str
    reason: str
    incident: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseResult:
    """What a release did.

    Attributes:
        hold: What held.
        commit: None if it would be made only.
    """

    hold: Hold
    commit: str | None = None


def list_holds(view: View, model: str | None = None) -> tuple[Hold, ...]:
    """Return every hold, by model and stage.

    Raises:
        NotFoundError: There is no such model.
    """
    if model is not None:
        view.versions(model)
    names = view.models() if model is None else (model,)
    return tuple(hold for name in names for hold in _of_model(view, name))


def _of_model(view: View, model: str) -> Iterator[Hold]:
    for stage in logged_stages(view):
        history = read_history(view, stage, model)
        for by in Holds.after(history.transitions).all(history.released):
            yield _hold(by)


def _hold(by: Transition) -> Hold:
    return Hold(
        model=by.model,
        version=by.origin.version if by.origin else "",
        stage=by.stage,
        seq=by.seq,
        since=by.created_at,
        by=by.requester,
        reason=by.reason,
        incident=by.incident,
    )


def release_hold(
    handle: RegistryHandle,
    selector: Selector,
    stage: str,
    *,
    reason: str,
    mode: Mode | None = None,
) -> ReleaseResult:
    """Let a version that was rolled back be promoted to that stage again.

    Raises:
        NotFoundError: Nothing holds it there.
        RefusedError: The signer may not roll back that stage.
        IntegrityError: The stage's log is not sound.
    """
    mode = mode or Mode()

    def build(view: View) -> Plan[ReleaseResult]:
        view.settings.require_stage(stage)
        found = resolve(view, selector).version
        history, records = require_sound_history(view, stage, found.model)
        by = history.held_by(found.digest)
        if by is None:
            raise NotFoundError(
                f"Nothing holds {found.model}@{found.version} from {stage}",
                f"gitmodel hold list {found.model}  shows what is held.",
                code="E_NOT_HELD",
            )
        rules = view.policy.rules_for(stage, found.model)
        if rules is None:
            raise RefusedError(f"The policy knows no stage {stage}", code="E_STAGE")
        role = rules.rollback.role
        principal = handle.acting_as(view, role)
        release = HoldRelease(
            model=found.model,
            stage=stage,
            seq=by.seq,
            transition=records[by.seq - 1].digest,
            policy=view.policy_digest,
            reason=reason,
            created_at=to_text(handle.context.clock.now()),
            created_by=principal,
        )
        path = layout.hold_release_path(stage, found.model, by.seq)
        schema.require("HoldRelease", release.to_document(), path)
        signed = sign_document(
            handle.signer,
            path,
            release.to_document(),
            kind=KIND,
            role=role,
            authority=Authority(view.registry_id, view.policy_digest),
        )
        message = CommitMessage(
            subject=f"release({found.model}): {found.version} may return to {stage}",
            body=reason,
            trailers=(
                ("Gitmodel-Action", "release"),
                ("Gitmodel-Model", found.model),
                ("Gitmodel-Stage", stage),
                ("Gitmodel-Version", str(found.version)),
                ("Gitmodel-Transition", str(release.transition)),
                ("Gitmodel-Principal", principal),
            ),
        )
        change = Change(message=message, principal=principal, files=dict(signed.files))
        return Plan(change, ReleaseResult(hold=_hold(by)))

    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit)
