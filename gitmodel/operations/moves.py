"""What promotion and rollback share: a new pin, a signed transition, a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import to_text
from gitmodel.domain.transition import Action, Transition
from gitmodel.formats import schema
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, Change, sign_document

if TYPE_CHECKING:
    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.pin import Release
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of one pin, before it is signed.

    Attributes:
        pin: The bytes of the pin afterwards.
        records: The pin's log so far.
        reverts: Commits that a rollback undoes, newest first.
        emergency: Whether it waits for nobody.
    """

    action: Action
    model: str
    stage: str
    target: Release
    pin: bytes
    history: StageHistory
    records: tuple[Record, ...]
    principal: str
    role: str
    reason: str
    incident: str | None = None
    reverts: tuple[str, ...] = ()
    emergency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The change that a move makes, and what it recorded."""

    change: Change
    transition: Transition
    digest: Digest


def record_move(handle: RegistryHandle, view: View, move: Move) -> Moved:
    """Return the change: the pin, the signed transition, and the commit's message."""
    origin = move.history.current
    transition = Transition(
        action=move.action,
        model=move.model,
        stage=move.stage,
        seq=len(move.history.transitions) + 1,
        prior=move.records[-1].digest if move.records else None,
        origin=origin,
        target=move.target,
        pin=Digest.of(move.pin),
        policy=view.policy_digest,
        requester=move.principal,
        reason=move.reason,
        incident=move.incident,
        created_at=to_text(handle.context.clock.now()),
        emergency=move.emergency,
    )
    path = layout.transition_path(move.stage, move.model, transition.seq)
    schema.require("Transition", transition.to_document(), path)
    signed = sign_document(
        handle.signer,
        path,
        transition.to_document(),
        kind="transition",
        role=move.role,
        authority=Authority(view.registry_id, view.policy_digest),
    )
    before = origin.version if origin else "nothing"
    change = Change(
        message=CommitMessage(
            subject=f"{move.action}({move.model}): {move.stage} "
            f"{before} -> {move.target.version}",
            body=move.reason,
            reverts=move.reverts,
            trailers=(
                ("Gitmodel-Action", move.action),
                ("Gitmodel-Model", move.model),
                ("Gitmodel-Stage", move.stage),
                ("Gitmodel-From", origin.version if origin else ""),
                ("Gitmodel-To", move.target.version),
                ("Gitmodel-Manifest", str(move.target.manifest)),
                ("Gitmodel-Transition", str(signed.digest)),
                ("Gitmodel-Incident", move.incident or ""),
                ("Gitmodel-Principal", move.principal),
            ),
        ),
        principal=move.principal,
        files={layout.pin_path(move.stage, move.model): move.pin, **signed.files},
    )
    return Moved(change=change, transition=transition, digest=signed.digest)
