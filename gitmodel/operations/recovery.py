"""A rollback with all that belongs to it: tell, go back, see whether it helped.

What people, triggers and drills run. The rollback itself is one commit, made by
``rollback`` or ``emergency``; nothing that comes after it can undo it or hide it:
whoever could not be told, and every check that failed, is said beside it (R147, R151,
R187).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.automation import FURTHER_BACK
from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.errors import GitmodelError
from gitmodel.operations.notify import begin, notify
from gitmodel.operations.rollback import carry_out
from gitmodel.operations.rollback_plan import Asked
from gitmodel.operations.sighting import look
from gitmodel.registry.model_checks import read_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitmodel.domain.event import EventType
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.emergency_plan import EmergencyResult
    from gitmodel.operations.post_rollback import PostRollbackResult
    from gitmodel.operations.rollback_plan import RollbackResult
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.transaction import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What came after rollbacks that have landed.

    Attributes:
        validations: Of each rollback of a model that asks for checks, those that went
            further back included.
        further: Rollbacks that were made because validation had failed.
        failures: What could not be done; the rollbacks stand all the same.
    """

    validations: tuple[PostRollbackResult, ...] = ()
    further: tuple[RollbackResult, ...] = ()
    failures: tuple[GitmodelError, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether what is live now passed the checks that were carried out."""
        newest = {(each.model, each.stage): each for each in self.validations}
        return not self.failures and all(
            each.passed or each.status == "skipped" for each in newest.values()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How rollbacks are looked after.

    Attributes:
        mode: As the rollbacks were made.
        emergency: Whether going further back waits for nobody either.
        skip: Carry out no checks, and put that on record.
        tell: Hears, in a few words, which check comes next.
    """

    mode: Mode
    emergency: bool = False
    skip: bool = False
    tell: Callable[[str], None] = lambda _: None


def look_after(
    handle: RegistryHandle, rollbacks: Sequence[RollbackResult], care: Care
) -> FollowUp:
    """Validate what is live after each rollback; go further back where that fails.

    As far back as the policy allows, step by step, and never to what a rollback took
    out: so it comes to an end (R187).
    """
    validations: list[PostRollbackResult] = []
    further: list[RollbackResult] = []
    failures: list[GitmodelError] = []
    for made in rollbacks:
        if not _asks_for_checks(handle, made.model):
            continue
        current, steps = made, None
        try:
            while True:
                found = _validate(handle, current, care)
                validations.append(found)
                if found.passed or care.skip:
                    break
                steps = _further_back(handle, made) if steps is None else steps
                if not steps:
                    break
                steps -= 1
                current = _again(handle, current, found, care)
                further.append(current)
                if current.status != "rolled_back":
                    break
        except GitmodelError as error:
            failures.append(error)
    return FollowUp(
        validations=tuple(validations),
        further=tuple(further),
        failures=tuple(failures),
    )


def _asks_for_checks(handle: RegistryHandle, model: str) -> bool:
    """Say whether a model wants to be looked at; one that cannot be read does."""
    try:
        return bool(read_checks(handle.view(), model))
    except GitmodelError:
        return True  # the validation says what is wrong, and fails


def _validate(
    handle: RegistryHandle, made: RollbackResult, care: Care
) -> PostRollbackResult:
    # Probes take a while to import, and many models have none.
    from gitmodel.operations.post_rollback import validate_rollback  # noqa: PLC0415

    return validate_rollback(
        handle, made.model, made.stage, mode=care.mode, skip=care.skip, tell=care.tell
    )


def _further_back(handle: RegistryHandle, made: RollbackResult) -> int:
    rules = handle.view().policy.rules_for(made.stage, made.model)
    return rules.rollback.further_back if rules is not None else 0


def _again(
    handle: RegistryHandle, last: RollbackResult, found: PostRollbackResult, care: Care
) -> RollbackResult:
    failed = ", ".join(check.name for check in found.failed)
    asked = Asked(
        model=last.model,
        stage=last.stage,
        reason=f"{found.version}{FURTHER_BACK}{failed}",
        seen=look(handle, last.model, last.stage),
        incident=last.incident,
        emergency=care.emergency,
    )
    return carry_out(handle, asked, replace(care.mode, by_request=False))


def announce(
    handle: RegistryHandle,
    places: Sequence[tuple[str, str]],
    *,
    reason: str,
    incident: str | None,
) -> Callable[[], tuple[Delivery, ...]]:
    """Begin to tell that rollbacks are about to be made; nobody is waited for yet."""
    waits = [
        begin(
            handle,
            Event(
                type="rollback_initiated",
                time=to_text(handle.context.clock.now()),
                reason=reason,
                model=model,
                stage=stage,
                incident=incident,
            ),
        )
        for model, stage in places
    ]
    return lambda: tuple(delivery for wait in waits for delivery in wait())


def report_failure(
    handle: RegistryHandle,
    place: tuple[str, str],
    error: GitmodelError,
    *,
    incident: str | None,
) -> tuple[Delivery, ...]:
    """Tell that a rollback could not be made: somebody has to see to it (R152)."""
    model, stage = place
    event = Event(
        type="rollback_failed",
        time=to_text(handle.context.clock.now()),
        reason=error.message,
        model=model,
        stage=stage,
        incident=incident,
        details={"code": error.code, "hints": list(error.hints)},
    )
    return notify(handle, event)


def report(
    handle: RegistryHandle,
    rollbacks: Sequence[RollbackResult],
    follow_up: FollowUp,
    *,
    reason: str,
) -> tuple[Delivery, ...]:
    """Tell what was rolled back, and what its validation made of it."""
    now = to_text(handle.context.clock.now())
    told: list[Delivery] = []
    for made in (*rollbacks, *follow_up.further):
        if made.status != "rolled_back":
            continue
        event = Event(
            type="rollback_completed",
            time=now,
            reason=reason,
            model=made.model,
            stage=made.stage,
            origin=made.origin,
            target=made.target,
            incident=made.incident,
            commit=made.commit,
        )
        told += notify(handle, event)
    for found in follow_up.validations:
        if found.status == "none":
            continue
        kind: EventType = "validation_passed" if found.passed else "validation_failed"
        event = Event(
            type=kind,
            time=now,
            reason=", ".join(check.name for check in found.failed),
            model=found.model,
            stage=found.stage,
            target=found.version,
            commit=found.commit,
        )
        told += notify(handle, event)
    return tuple(told)


def report_emergency(
    handle: RegistryHandle,
    result: EmergencyResult,
    follow_up: FollowUp,
    *,
    reason: str,
) -> tuple[Delivery, ...]:
    """Tell what an emergency did, and what it could not do."""
    now = to_text(handle.context.clock.now())
    told: list[Delivery] = []
    for step in result.steps:
        if step.error is not None and step.name == "rollback":
            model, _, stage = step.subject.partition("#")
            told += report_failure(
                handle, (model, stage), step.error, incident=result.incident
            )
    if result.commit is not None:
        told += notify(
            handle,
            Event(
                type="incident_opened",
                time=now,
                reason=reason,
                incident=result.incident,
                commit=result.commit,
                details={"quarantined": list(result.quarantined)},
            ),
        )
    made = [each for each in result.members if each.commit]
    return (*told, *report(handle, made, follow_up, reason=reason))
