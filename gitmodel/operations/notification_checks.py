"""Could those who are to hear of events be told from here? Nobody is told anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.notification import variables
from gitmodel.errors import GitmodelError
from gitmodel.operations.delivery import require_permission
from gitmodel.operations.fitness import Check
from gitmodel.registry import notifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.notifications import Listener
    from gitmodel.registry.view import View


def check_notifications(handle: RegistryHandle, view: View) -> Iterator[Check]:
    """Say who would hear nothing; nothing at all where nobody is to hear anything.

    Raises:
        InputError: A list of those who are told is malformed.
    """
    listeners = (
        *notifications.of_registry(view),
        *notifications.of_clone(handle.repository),
    )
    for listener in listeners:
        name = listener.notification.name
        problem, hint = obstacle(handle, listener)
        if problem:
            found = f"{name}: {problem}"
            yield Check("notifications", False, found, hint, required=False)
            return
    if listeners:
        names = ", ".join(each.notification.name for each in listeners)
        yield Check("notifications", True, names, required=False)


def obstacle(handle: RegistryHandle, listener: Listener) -> tuple[str, str]:
    """Return what keeps a listener from hearing, and what helps; both may be empty."""
    try:
        require_permission(handle, listener)
    except GitmodelError as error:
        return error.message, " ".join(error.hints)
    for name in variables(listener.notification.receiver):
        if not handle.context.environment.get(name):
            return f"the variable {name} is not set", f"export {name}=…"
    return "", ""
