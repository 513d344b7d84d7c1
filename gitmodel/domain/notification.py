"""Who hears of what: the receivers that documents name, as values (R151).

These are wishes. Whether this machine grants them, which programs run and where
secrets go, is decided where they are delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT = 5.0  # seconds
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes a POST.

    Attributes:
        url: Where it is; None where ``url_from_env`` names a variable that says so.
        headers_from_env: Pairs of a header, and the variable that holds its value.
        secret_from_env: The variable of the secret that signs the body.
        timeout: Seconds.
    """

    url: str | None
    url_from_env: str | None
    format: Literal["cloudevents", "slack"] = "cloudevents"
    headers_from_env: tuple[tuple[str, str], ...] = ()
    secret_from_env: str | None = None
    timeout: float = _TIMEOUT


@dataclass(frozen=True, slots=True)
class Program:
    """A program that reads the event on its standard input."""

    argv: tuple[str, ...]
    timeout: float = _TIMEOUT


@dataclass(frozen=True, slots=True)
class File:
    """A file that each event is appended to; relative to where this clone has them."""

    path: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server, and who gets mail through it."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    sender: str
    to: tuple[str, ...]
    username_from_env: str | None = None
    password_from_env: str | None = None
    timeout: float = _TIMEOUT


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """An Alertmanager; ``labels`` come on top of those of the event."""

    url: str
    labels: tuple[tuple[str, str], ...] = ()
    headers_from_env: tuple[tuple[str, str], ...] = ()
    timeout: float = _TIMEOUT


Receiver: TypeAlias = Webhook | Program | File | Mail | Alertmanager


@dataclass(frozen=True, slots=True)
class Notification:
    """One receiver, and the types of events and least severities that it hears of."""

    name: str
    on: frozenset[str]
    receiver: Receiver


def notifications(document: Mapping[str, Any]) -> tuple[Notification, ...]:
    """Read ``notifications`` of a schema-valid ``Registry`` or ``Notifications``.

    Raises:
        InputError: Two have one name, or one has no receiver, or several, or a
            receiver has no address, or two.
    """
    found = tuple(map(_notification, document.get("notifications", ())))
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise _impossible(f"two receivers are called {name}")
    return found


def variables(receiver: Receiver) -> tuple[str, ...]:
    """Return the names of the environment variables that a receiver needs."""
    names: list[str | None] = []
    if isinstance(receiver, Webhook | Alertmanager):
        names += [name for _, name in receiver.headers_from_env]
    if isinstance(receiver, Webhook):
        names += [receiver.url_from_env, receiver.secret_from_env]
    if isinstance(receiver, Mail):
        names += [receiver.username_from_env, receiver.password_from_env]
    return tuple(name for name in names if name)


def _notification(entry: Mapping[str, Any]) -> Notification:
    name = entry["name"]
    kinds = [kind for kind in _READERS if kind in entry]
    if len(kinds) != 1:
        raise _impossible(f"{name} has exactly one of {', '.join(_READERS)}")
    (kind,) = kinds
    return Notification(name, frozenset(entry["on"]), _READERS[kind](name, entry[kind]))


def _webhook(name: str, body: Mapping[str, Any]) -> Webhook:
    if ("url" in body) == ("urlFromEnv" in body):
        raise _impossible(f"{name} has exactly one of url and urlFromEnv")
    return Webhook(
        url=body.get("url"),
        url_from_env=body.get("urlFromEnv"),
        format=body.get("format", "cloudevents"),
        headers_from_env=_pairs(body, "headersFromEnv"),
        secret_from_env=body.get("secretFromEnv"),
        timeout=_timeout(body),
    )


def _program(_: str, body: Mapping[str, Any]) -> Program:
    return Program(tuple(body["argv"]), _timeout(body))


def _file(name: str, body: Mapping[str, Any]) -> File:
    path: str = body["path"]
    if {".", ".."} & set(path.split("/")):
        raise _impossible(f"the path of {name} goes by a straight way")
    return File(path)


def _mail(name: str, body: Mapping[str, Any]) -> Mail:
    if ("usernameFromEnv" in body) != ("passwordFromEnv" in body):
        raise _impossible(f"{name} has both usernameFromEnv and passwordFromEnv")
    tls = body.get("tls", "starttls")
    return Mail(
        host=body["host"],
        port=body.get("port", _PORTS[tls]),
        tls=tls,
        sender=body["from"],
        to=tuple(body["to"]),
        username_from_env=body.get("usernameFromEnv"),
        password_from_env=body.get("passwordFromEnv"),
        timeout=_timeout(body),
    )


def _alertmanager(_: str, body: Mapping[str, Any]) -> Alertmanager:
    return Alertmanager(
        url=body["url"].rstrip("/"),
        labels=_pairs(body, "labels"),
        headers_from_env=_pairs(body, "headersFromEnv"),
        timeout=_timeout(body),
    )


_READERS: Mapping[str, Callable[[str, Mapping[str, Any]], Receiver]] = {
    "webhook": _webhook,
    "exec": _program,
    "file": _file,
    "smtp": _mail,
    "alertmanager": _alertmanager,
}


def _pairs(body: Mapping[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(body.get(key, {}).items()))


def _timeout(body: Mapping[str, Any]) -> float:
    return float(body["timeout"].rstrip("s")) if "timeout" in body else _TIMEOUT


def _impossible(what: str) -> InputError:
    return InputError(f"notifications: {what}.", code="E_SCHEMA")
