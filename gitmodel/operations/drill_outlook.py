"""Who acts in an emergency of a stage, who hears of it, who approves it afterwards.

What a drill looks at beside the way back itself. Nobody is told anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.domain.rollback_rules import RESPONDER
from gitmodel.errors import GitmodelError
from gitmodel.operations.fitness import Check
from gitmodel.operations.notification_checks import obstacle
from gitmodel.registry import notifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.event import EventType
    from gitmodel.domain.policy import Policy
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: What an emergency tells, whether it goes well or not.
_TOLD: tuple[EventType, ...] = (
    "rollback_initiated",
    "rollback_completed",
    "rollback_failed",
    "incident_opened",
    "validation_failed",
)


def check_signer(handle: RegistryHandle, view: View) -> Check:
    """Say whether who signs here may act in an emergency."""
    try:
        principal = handle.acting_as(view, RESPONDER)
    except GitmodelError as error:
        grant = f"gitmodel policy grant NAME {RESPONDER}  by a root lets somebody act."
        hint = grant if error.code == "E_ROLE" else error.hint
        return Check("signer", False, error.message, hint)
    return Check("signer", True, f"{principal} may act as {RESPONDER}")


def outlook(
    handle: RegistryHandle, view: View, model: str, stage: str
) -> Iterator[Check]:
    """Yield what there is to know of people and of the policy.

    Args:
        handle: The registry.
        view: Where to read.
        model: Of which model.
        stage: Which stage.
    """
    yield _responders(view.policy)
    yield _reviewers(handle, view, model, stage)
    yield from _frozen(handle, view, model, stage)
    yield from _listeners(handle, view)


def _responders(policy: Policy) -> Check:
    role = policy.role(RESPONDER)
    members = role.members if role is not None else ()
    if len(members) > 1:
        return Check("responders", True, ", ".join(members))
    return Check(
        "responders",
        False,
        f"only {members[0] if members else 'nobody'} may act in an emergency",
        f"gitmodel policy grant NAME {RESPONDER}  lets somebody else act as well.",
        required=False,
    )


def _reviewers(handle: RegistryHandle, view: View, model: str, stage: str) -> Check:
    rules = view.policy.rules_for(stage, model)
    asked = rules.reviews("emergency") if rules is not None else ()
    owner = handle.principal(view)
    for quorum in asked:
        role = view.policy.role(quorum.role)
        others = [name for name in (role.members if role else ()) if name != owner]
        if len(others) < quorum.threshold:
            found = f"it asks for {quorum}, and there is "
            return Check(
                "approval afterwards",
                False,
                found + (f"only {', '.join(others)}" if others else "nobody else"),
                f"gitmodel policy grant NAME {quorum.role}  by a root mends that.",
                required=False,
            )
    names = "; ".join(
        f"{quorum}: {', '.join(name for name in role.members if name != owner)}"
        for quorum in asked
        if (role := view.policy.role(quorum.role)) is not None
    )
    hours = rules.rollback.within.total_seconds() / 3600 if rules is not None else 0
    return Check("approval afterwards", True, f"{names}, within {hours:g} hours")


def _frozen(
    handle: RegistryHandle, view: View, model: str, stage: str
) -> Iterator[Check]:
    rules = view.policy.rules_for(stage, model)
    now = handle.context.clock.now()
    for freeze in rules.freeze if rules is not None else ():
        if freeze.start <= now < freeze.end:
            found = f"until {to_text(freeze.end)}; it does not hold a rollback back"
            yield Check("freeze", True, found)


def _listeners(handle: RegistryHandle, view: View) -> Iterator[Check]:
    try:
        listeners = (
            *notifications.of_registry(view),
            *notifications.of_clone(handle.repository),
        )
    except GitmodelError as error:
        yield Check("told", False, error.message, error.hint, required=False)
        return
    events = [Event(type=kind, time="") for kind in _TOLD]
    hearing = [
        each
        for each in listeners
        if any(event.is_heard(each.notification.on) for event in events)
    ]
    if not hearing:
        hint = "gitmodel.yaml names who is told of events:  gitmodel notify --help"
        yield Check("told", False, "nobody would be told", hint, required=False)
    for listener in hearing:
        name = listener.notification.name
        problem, hint = obstacle(handle, listener)
        found = f"{name}: {problem}" if problem else name
        yield Check("told", not problem, found, hint, required=False)
