"""Does what watching decided, as the robot that watches may, and says what came of it.

A decision is about one manifest. Where something else is live by now, it is void. What
fails is told as critical and not tried again: a person has to look (R152). Only where
another command was at work is it tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from gitmodel.domain.automation import TRIGGERED
from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.errors import ConflictError, GitmodelError, OutsideError
from gitmodel.operations import recovery
from gitmodel.operations.emergency import emergency
from gitmodel.operations.notify import notify
from gitmodel.operations.rollback import rollback
from gitmodel.operations.sync import sync
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitmodel.domain.watch_event import Decision
    from gitmodel.operations.recovery import FollowUp
    from gitmodel.operations.rollback_plan import RollbackResult
    from gitmodel.registry.handle import RegistryHandle

#: What goes by without anybody's doing.
_PASSING = frozenset({"E_LOCKED", "E_REF_LOCKED", "E_REF_MOVED", "E_PUSH_REJECTED"})
#: Seconds that a remote has to say what it has; it may keep us waiting on purpose.
PATIENCE = 20.0
_STAMP = "%Y%m%dT%H%M%SZ"


Status: TypeAlias = Literal[
    "done", "pending", "rehearsed", "void", "postponed", "failed"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of a decision.

    Attributes:
        status: ``pending``: others must approve it. ``void``: somebody was faster.
            ``postponed``: somebody else was at work; the next round may.
        detail: For people, one line.
        error: Why it failed, or what of it did.
        rest: Does what comes after the commit - telling, validating - and returns what
            came of all of it. It may take long, and no other stage is to wait for it.
    """

    decision: Decision
    status: Status
    detail: str
    commit: str | None = None
    incident: str | None = None
    error: GitmodelError | None = None
    rest: Callable[[], Acted] | None = field(default=None, repr=False, compare=False)

    def and_then(
        self, rest: Callable[[Acted], Acted], waits: Sequence[Callable[[], object]] = ()
    ) -> Acted:
        """Return it with more to do, once ``waits`` are over."""

        def work() -> Acted:
            for wait in waits:
                wait()
            return rest(self)

        return replace(self, rest=work)


def act(handle: RegistryHandle, decision: Decision, *, push: bool) -> Acted:
    """Carry out a decision up to its commit; it never raises for what is refused.

    Args:
        handle: The registry.
        decision: What to do.
        push: Whether to push what is done.
    """
    if decision.dry_run:
        return Acted(decision=decision, status="rehearsed", detail="a dry run")
    place = decision.model, decision.stage
    mode = Mode(push=push, patience=PATIENCE)
    waits: list[Callable[[], object]] = []
    try:
        match decision.action:
            case "propose":
                return _propose(handle, decision, mode)
            case "emergency":
                return _emergency(handle, decision, mode, waits)
            case _:
                return _roll_back(handle, decision, mode, waits)
    except GitmodelError as error:
        if error.code == "E_STAGE_MOVED":
            return _failed(decision, "void", error).and_then(_as_it_is, waits)
        if error.code in _PASSING:
            return _failed(decision, "postponed", error).and_then(_as_it_is, waits)
        failure = error

        def rest(acted: Acted) -> Acted:
            recovery.report_failure(handle, place, failure, incident=None)
            return acted

        return _failed(decision, "failed", error).and_then(rest, waits)


def _as_it_is(acted: Acted) -> Acted:
    return acted


def _failed(decision: Decision, status: Status, error: GitmodelError) -> Acted:
    return Acted(decision=decision, status=status, detail=error.message, error=error)


def _propose(handle: RegistryHandle, decision: Decision, mode: Mode) -> Acted:
    reason = f"Proposed by trigger {decision.reason}"
    result = rollback(
        handle,
        decision.model,
        decision.stage,
        reason=reason,
        expect=decision.manifest,
        mode=replace(mode, by_request=True),
    )
    return _waiting(handle, decision, result)


def _waiting(
    handle: RegistryHandle,
    decision: Decision,
    result: RollbackResult,
    waits: Sequence[Callable[[], object]] = (),
) -> Acted:
    wish = f"{decision.model}#{decision.stage}"
    ready = f"gitmodel promote --finalize {wish}  lands it"
    then = f"gitmodel approve {wish}, then {ready}" if result.needed else ready
    detail = f"{result.origin} -> {result.target} waits on {result.branch}: {then}"
    event = Event(
        type="trigger_alert",
        time=to_text(handle.context.clock.now()),
        reason=detail,
        model=decision.model,
        stage=decision.stage,
        origin=result.origin,
        target=result.target,
        severity="warning" if decision.action == "propose" else "critical",
    )
    acted = Acted(
        decision=decision, status="pending", detail=detail, commit=result.commit
    )

    def rest(acted: Acted) -> Acted:
        notify(handle, event)
        return acted

    return acted.and_then(rest, waits)


def _roll_back(
    handle: RegistryHandle,
    decision: Decision,
    mode: Mode,
    waits: list[Callable[[], object]],
) -> Acted:
    place, reason = (decision.model, decision.stage), TRIGGERED + decision.reason
    waits.append(recovery.announce(handle, [place], reason=reason, incident=None))

    def attempt(mode: Mode) -> RollbackResult:
        return rollback(
            handle, *place, reason=reason, expect=decision.manifest, mode=mode
        )

    unpushed: GitmodelError | None = None
    try:
        result = _joining(handle, attempt, mode)
    except OutsideError as error:
        if not mode.push:
            raise
        # The remote may be down, or kept from us: here it must happen all the same.
        unpushed, mode = error, replace(mode, push=False)
        result = attempt(mode)
    if result.status == "pending":
        return _waiting(handle, decision, result, waits)
    acted = Acted(
        decision=decision,
        status="done",
        detail=f"{result.origin} -> {result.target}",
        commit=result.commit,
        error=unpushed,
    )

    def rest(acted: Acted) -> Acted:
        follow_up = recovery.look_after(handle, [result], recovery.Care(mode=mode))
        recovery.report(handle, [result], follow_up, reason=reason)
        if unpushed is not None:
            recovery.report_failure(handle, place, unpushed, incident=None)
        return _after(acted, follow_up)

    return acted.and_then(rest, waits)


def _joining(
    handle: RegistryHandle, attempt: Callable[[Mode], RollbackResult], mode: Mode
) -> RollbackResult:
    """Attempt it; where this clone and the remote have parted, join them first."""
    try:
        return attempt(mode)
    except ConflictError as error:
        if error.code != "E_DIVERGED":
            raise
        sync(handle, patience=mode.patience)
        return attempt(mode)


def _emergency(
    handle: RegistryHandle,
    decision: Decision,
    mode: Mode,
    waits: list[Callable[[], object]],
) -> Acted:
    place, reason = (decision.model, decision.stage), TRIGGERED + decision.reason
    incident = f"watch-{decision.at.strftime(_STAMP)}-{decision.manifest.hex[:8]}"
    waits.append(recovery.announce(handle, [place], reason=reason, incident=incident))
    result = emergency(
        handle,
        [place],
        incident=incident,
        reason=reason,
        expect=decision.manifest,
        mode=mode,
    )
    made = [each for each in result.members if each.commit]
    acted = Acted(
        decision=decision,
        status="done" if made else "failed",
        detail="; ".join(f"{step.name}: {step.detail}" for step in result.steps),
        commit=result.commit,
        incident=incident,
        error=result.failure,
    )

    def rest(acted: Acted) -> Acted:
        care = recovery.Care(mode=mode, emergency=True)
        follow_up = recovery.look_after(handle, made, care)
        recovery.report_emergency(handle, result, follow_up, reason=reason)
        return _after(acted, follow_up)

    return acted.and_then(rest, waits)


def _after(acted: Acted, follow_up: FollowUp) -> Acted:
    """Return what was done, with what came after it."""
    if follow_up.is_well:
        return acted
    hint = "what is live now failed its validation: gitmodel validate  shows how"
    trouble = follow_up.failures[0] if follow_up.failures else None
    return replace(
        acted, detail=f"{acted.detail}; {hint}", error=acted.error or trouble
    )
