"""The night's one command: back to the last known good, and all that belongs to it.

One commit takes every named pin back, puts what was live into quarantine (captured
before anything moves: seed D1) and opens the incident, or notes in it. It waits for no
approval, which falls due afterwards, and for no slow check; signatures and bytes of
where it goes are verified as ever (R174 to R177, R181).

What cannot be done keeps nothing else from being done: where there is nothing to go
back to, what is live still goes into quarantine, and the incident says so. Asked again
for the same incident, a pin that this incident took back stays where it is: whoever is
not sure that it worked may run it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.names import incident_id
from gitmodel.errors import ConflictError, OutsideError
from gitmodel.operations.emergency_plan import EmergencyResult, Night, Step
from gitmodel.operations.rollback import ask_all
from gitmodel.registry.change import Plan
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.registry.done import Done
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

#: Seconds that the remote has to say what it has; it may never answer.
PATIENCE = 20.0
#: Stands in a plan for the reason, without which none of its documents can be made.
_UNSAID = "a plan"


def emergency(
    handle: RegistryHandle,
    places: Sequence[tuple[str, str]],
    *,
    incident: str,
    reason: str,
    to: str | None = None,
    expect: Digest | None = None,
    mode: Mode | None = None,
) -> EmergencyResult:
    """Take pins back now, whatever the policy wants to be asked first.

    Args:
        handle: The registry.
        places: Pairs of model and stage.
        incident: Its id; it is opened if it is not.
        reason: Why; people will read it wherever the versions are refused. A dry run
            needs none.
        to: Where one pin goes back to; None for the last known good.
        expect: Digest of the manifest that must be live still; None for any.
        mode: Dry run; push, which may fail without undoing anything here.

    Raises:
        RefusedError: The signer is no responder.
        ConflictError: Something else is live than what was expected.
        NotFoundError: There is no such model or stage.
        IntegrityError: The chain of quarantines, or that of the incident, is broken.
        InputError: The id is none, or a pin is named twice.
    """
    mode = mode or Mode()
    incident_id(incident)
    if mode.dry_run and not reason.strip():
        reason = _UNSAID
    branch = handle.writable_branch().removeprefix("refs/heads/")
    every = tuple(
        replace(asked, to=to, expect=expect)
        for asked in ask_all(
            handle, places, reason=reason, incident=incident, emergency=True
        )
    )

    def build(view: View) -> Plan[EmergencyResult]:
        result, change = Night(handle, view, incident, reason, every).plan()
        if mode.dry_run and result.status != "unchanged":
            result = replace(result, status="planned")
        return Plan(change, replace(result, branch=branch))

    if not mode.push or mode.dry_run or not handle.repository.remotes():
        done = transact(handle, build, replace(mode, push=False))
        return _made(done.result, done.commit)
    try:
        done = _pushed(handle, build, replace(mode, patience=PATIENCE))
    except OutsideError as error:
        # The remote may be down, or in wrong hands: here it must happen all the same.
        done = transact(handle, build, replace(mode, push=False))
        step = Step(
            name="push",
            subject=branch,
            outcome="failed",
            detail=error.message,
            error=error,
        )
        result = _made(done.result, done.commit)
        return replace(result, steps=(*result.steps, step), pushed=False)
    return replace(_made(done.result, done.commit), pushed=True)


def _pushed(
    handle: RegistryHandle, build: Callable[[View], Plan[EmergencyResult]], mode: Mode
) -> Done[EmergencyResult]:
    """Make the change there and here; join first what has parted, if it can be."""
    try:
        return transact(handle, build, mode)
    except ConflictError as error:
        if error.code != "E_DIVERGED":
            raise
        # It takes a while to import, and the night has better things to do.
        from gitmodel.operations.sync import sync  # noqa: PLC0415

        sync(handle)
        return transact(handle, build, mode)


def _made(result: EmergencyResult, commit: str | None) -> EmergencyResult:
    members = tuple(
        replace(member, commit=commit if member.status == "rolled_back" else None)
        for member in result.members
    )
    return replace(result, members=members, commit=commit)
