"""Who is to hear of events: what the registry says, and what this clone adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.notification import Notification, notifications
from gitmodel.errors import OutsideError
from gitmodel.formats import schema, yaml_quick
from gitmodel.registry import layout

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.view import View

#: Below the directory that gitmodel has in a clone.
LOCAL = "notifications.yaml"
_MOST = 2**20  # bytes, as of any document


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who is to hear of events.

    Attributes:
        notification: Who it is, and what they hear of.
        is_local: Whether this machine names them; else whoever can push does.
    """

    notification: Notification
    is_local: bool


def of_registry(view: View) -> tuple[Listener, ...]:
    """Return those that ``gitmodel.yaml`` names.

    Raises:
        InputError: It is malformed.
    """
    data = view.blob(layout.SETTINGS) or b""
    quick = yaml_quick.value_of(data)
    if quick is not None and "notifications" not in quick:
        return ()
    return _listeners(data, layout.SETTINGS, "Registry", is_local=False)


def of_clone(repository: Repository) -> tuple[Listener, ...]:
    """Return those that this clone adds; no commit changes them.

    Raises:
        InputError: The file is malformed.
        OutsideError: It cannot be read.
    """
    path = repository.state_dir / LOCAL
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise OutsideError(f"{path} cannot be read: {error.strerror}") from error
    return _listeners(data, str(path), "Notifications", is_local=True)


def _listeners(
    data: bytes, name: str, kind: str, *, is_local: bool
) -> tuple[Listener, ...]:
    # Always the whole schema: what is not in it could name a secret, or a way out.
    document = schema.read_document(data, name, kind)
    return tuple(Listener(each, is_local) for each in notifications(document.value))
