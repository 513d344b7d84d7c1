"""Telling listeners of an event: side by side, each in its own way, not for ever."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gitmodel.adapters.shield import uninterrupted
from gitmodel.domain.notification import Alertmanager, File, Mail, Program, Webhook
from gitmodel.errors import GitmodelError
from gitmodel.registry.allowed import require_allowed, require_allowed_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gitmodel.domain.event import Event
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.notifications import Listener

#: Where files lie that a document names by a relative path.
_EVENTS = "events"
#: Seconds between the end of an attempt and that of all: time to say why, and to clean
#: up behind a program.
_MARGIN = 0.5
_LEAST = 0.1  # seconds
_Remote: TypeAlias = Webhook | Alertmanager | Mail


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of telling somebody.

    Attributes:
        name: Who.
        ok: Whether they took it.
        detail: What they said, or why it failed; one sentence.
        seconds: How long it took.
        hints: What would help.
    """

    name: str
    ok: bool
    detail: str
    seconds: float
    hints: tuple[str, ...] = ()


def begin(
    handle: RegistryHandle, event: Event, listeners: Sequence[Listener], seconds: float
) -> Callable[[], tuple[Delivery, ...]]:
    """Begin to tell all of them, side by side, and return at once.

    Returns:
        What waits for them, and returns what came of it, in their order. Whoever has
        not been told ``seconds`` after the beginning is not waited for.
    """
    started = time.monotonic()
    results: dict[int, Delivery] = {}

    def attempt(index: int, listener: Listener) -> None:
        name = listener.notification.name
        try:
            detail = _deliver(handle, listener, event, seconds)
        except Exception as error:  # noqa: BLE001 telling never fails
            results[index] = failure(name, error, started)
        else:
            took = time.monotonic() - started
            results[index] = Delivery(name, ok=True, detail=detail, seconds=took)

    # Daemons: whoever hangs for good must not keep this process from its end.
    threads = [
        threading.Thread(target=attempt, args=each, daemon=True)
        for each in enumerate(listeners)
    ]
    # A Ctrl-C that one of them took would not wait for a change that is landing.
    with uninterrupted():
        for thread in threads:
            thread.start()

    def finish() -> tuple[Delivery, ...]:
        for thread in threads:
            thread.join(max(0.0, started + seconds - time.monotonic()))
        late = TimeoutError()
        return tuple(
            results.get(index) or failure(each.notification.name, late, started)
            for index, each in enumerate(listeners)
        )

    return finish


def require_permission(handle: RegistryHandle, listener: Listener) -> Path | None:
    """Insist that this machine allows what a listener is told by.

    What it says itself, in its own list or in a variable, it has allowed.

    Returns:
        The program to run or the file to write, if it is not in the clone.

    Raises:
        RefusedError: It does not (``E_NOT_ALLOWED``).
        NotFoundError: There is no such program.
    """
    receiver = listener.notification.receiver
    address: str | None
    match receiver:
        case File(path):
            inside = not path.startswith("/")
            return None if inside else require_allowed(handle.repository, path)
        case Program(argv):
            return require_allowed(handle.repository, argv[0])
        case Mail(host, port):
            shown = f"[{host}]" if ":" in host else host
            address = f"smtp://{shown}:{port}"
        case Webhook(address) | Alertmanager(address):
            pass
    if address is not None and not listener.is_local:
        require_allowed_address(handle.repository, address)
    return None


def _deliver(
    handle: RegistryHandle, listener: Listener, event: Event, seconds: float
) -> str:
    receiver = listener.notification.receiver
    allowed = require_permission(handle, listener)
    if isinstance(receiver, File):
        return _append(handle, receiver, allowed, event)
    limit = max(_LEAST, min(receiver.timeout, seconds - _MARGIN))
    if isinstance(receiver, Program):
        from gitmodel.adapters.notify import program  # noqa: PLC0415 (rarely used)

        if allowed is None:
            raise AssertionError("programs are never inside of a clone")
        return program.send(allowed, receiver.argv[1:], event, limit)
    return _send(handle, receiver, event, limit)


def _append(
    handle: RegistryHandle, receiver: File, allowed: Path | None, event: Event
) -> str:
    from gitmodel.adapters.notify import file  # noqa: PLC0415 (rarely used)

    if allowed is not None:
        return file.send(allowed, event)
    relative = f"{_EVENTS}/{receiver.path}"
    return file.append(handle.repository.state_dir, relative, event)


def _send(handle: RegistryHandle, receiver: _Remote, event: Event, limit: float) -> str:
    # TLS and mail take longer to import than everything else takes to roll back.
    from gitmodel.adapters.notify import alertmanager, mail, webhook  # noqa: PLC0415

    environment = handle.context.environment
    match receiver:
        case Webhook():
            return webhook.send(receiver, event, environment, limit)
        case Alertmanager():
            return alertmanager.send(receiver, event, environment, limit)
        case Mail():
            return mail.send(receiver, event, environment, limit)


def failure(name: str, error: Exception, started: float) -> Delivery:
    """Return what an error means for whoever was to be told since ``started``."""
    took = time.monotonic() - started
    if isinstance(error, GitmodelError):
        return Delivery(name, False, error.message, took, error.hints)
    # Other words than these could quote an address or a header.
    said = getattr(error, "strerror", None) or type(error).__name__
    if isinstance(error, TimeoutError):
        said = "it takes too long"
    return Delivery(name, False, said, took)
