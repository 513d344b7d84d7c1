"""Telling those who must know of an event (R147, R151, R176).

Telling never fails: a rollback that went well went well, whoever could not be told.
Nor does anybody wait for anybody else: all are told side by side, until one deadline.
What happened is kept in this clone in any case.

What ``gitmodel.yaml`` names counts only as far as this machine allows it: programs,
files and addresses, by ``gitmodel.allow``. An address in the clone's own list needs no
such permission; it is one.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.event import Event
from gitmodel.domain.moment import to_text
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.operations import delivery
from gitmodel.operations.delivery import Delivery, failure
from gitmodel.registry import event_log, notifications

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.notifications import Listener

#: Seconds after which nobody is waited for any more.
DEADLINE = 10.0


def notify(
    handle: RegistryHandle, event: Event, *, seconds: float = DEADLINE
) -> tuple[Delivery, ...]:
    """Tell everybody who wants to hear of an event, and keep it in this clone.

    Nothing is raised: whoever could not be told is in the answer, and is warned about.

    Args:
        handle: The registry.
        event: What happened.
        seconds: After which nobody is waited for any more.
    """
    return begin(handle, event, seconds=seconds)()


def begin(
    handle: RegistryHandle, event: Event, *, seconds: float = DEADLINE
) -> Callable[[], tuple[Delivery, ...]]:
    """Begin to tell of an event, which is kept in this clone; nobody is waited for yet.

    Args:
        handle: The registry.
        event: What happened, or is about to.
        seconds: After which nobody is waited for any more.

    Returns:
        What waits for everybody, warns of those who could not be told, and returns what
        came of it.
    """
    event, failed = _identified(handle, event)
    listeners, unread = _listeners(handle)
    wanted = [each for each in listeners if event.is_heard(each.notification.on)]
    finish = delivery.begin(handle, event, wanted, seconds)

    def wait() -> tuple[Delivery, ...]:
        told = (*failed, *unread, *finish())
        for each in told:
            if not each.ok:
                hints = "".join(f" ({hint})" for hint in each.hints)
                handle.context.warn(
                    f"{each.name} does not know of {event.type}: {each.detail}{hints}"
                )
        return told

    return wait


def try_out(
    handle: RegistryHandle, name: str | None = None, *, seconds: float = DEADLINE
) -> tuple[Delivery, ...]:
    """Tell everybody that this is a test, whatever they want to hear of.

    Args:
        handle: The registry.
        name: Only this one; None for all.
        seconds: After which nobody is waited for any more.

    Raises:
        NotFoundError: There is nobody, or nobody of that name.
        InputError: ``gitmodel.yaml`` or the clone's own list is malformed.
    """
    listeners = (
        *notifications.of_registry(handle.view()),
        *notifications.of_clone(handle.repository),
    )
    chosen = [each for each in listeners if name in (None, each.notification.name)]
    if not chosen:
        names = sorted({each.notification.name for each in listeners})
        raise NotFoundError(
            f"Nobody called {name} is told of events."
            if name and names
            else "Nobody is told of events here.",
            f"Those who are: {', '.join(names)}"
            if names
            else "Add notifications to gitmodel.yaml, or to "
            f"{handle.repository.state_dir / notifications.LOCAL}",
        )
    event = Event(
        type="notify_test",
        time=to_text(handle.context.clock.now()),
        reason="Somebody tries whether you can be told.",
    )
    event, failed = _identified(handle, event)
    return (*failed, *delivery.begin(handle, event, chosen, seconds)())


def _identified(
    handle: RegistryHandle, event: Event
) -> tuple[Event, tuple[Delivery, ...]]:
    """Return the event with the registry that it is of, once it is kept."""
    started = time.monotonic()
    with suppress(GitmodelError):  # who cannot read it has all the more to tell
        event = replace(event, registry=str(handle.view().registry_id))
    try:
        event_log.keep(handle.repository, event)
    except Exception as error:  # noqa: BLE001 telling never fails
        return event, (failure(event_log.NAME, error, started),)
    return event, ()


def _listeners(
    handle: RegistryHandle,
) -> tuple[list[Listener], tuple[Delivery, ...]]:
    """Return everybody who can be found, and what could not be read."""
    found: list[Listener] = []
    failed: list[Delivery] = []
    started = time.monotonic()
    try:
        found += notifications.of_registry(handle.view())
    except Exception as error:  # noqa: BLE001 as above
        failed.append(failure("gitmodel.yaml", error, started))
    try:
        found += notifications.of_clone(handle.repository)
    except Exception as error:  # noqa: BLE001 as above
        failed.append(failure(notifications.LOCAL, error, started))
    return found, tuple(failed)
