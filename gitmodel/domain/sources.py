"""Where measurements come from: the provider of a trigger's metric (R162, R168).

These are the wishes of a document, as values. Whether this machine grants them is
decided where they are asked: a program runs, and a secret leaves, only if the local
configuration says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from gitmodel.domain.gates import duration
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_TIMEOUT = timedelta(minutes=5)
_TIMEOUT = timedelta(seconds=10)
_EXEC_TIMEOUT = timedelta(seconds=30)
_LONGEST_TEXT = 8192
_MOST_WORDS = 64
_URL = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#][^\s\\]*)?", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
# Whoever can push must not be able to name the other secrets of a machine.
_VARIABLE = re.compile(r"GITMODEL_METRIC_[A-Z0-9_]{1,80}", re.ASCII)
#: Headers that say how a request is read; two opinions on that are an attack.
_OURS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "upgrade"}
)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """An instant query; its value is a list of numbers, one per series (R172)."""

    address: str
    query: str
    timeout: timedelta = _TIMEOUT


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a request: ``value`` as it is, or an environment variable's."""

    key: str
    value: str | None = None
    value_from_env: str | None = None


@dataclass(frozen=True, slots=True)
class WebSource:
    """A JSON document at an address; ``json_path`` says which part of it."""

    url: str
    method: Literal["GET", "POST"] = "GET"
    headers: tuple[Header, ...] = ()
    json_path: str | None = None
    timeout: timedelta = _TIMEOUT


@dataclass(frozen=True, slots=True)
class FileSource:
    """A JSON file, such as a scanner's report.

    Attributes:
        path: Absolute, or relative to the top of the work tree.
        max_age: What was last written before that is no data; None for any age.
        preset: ``evidently``: the value is the list of the tests that failed.
    """

    path: str
    json_path: str | None = None
    max_age: timedelta | None = None
    preset: Literal["evidently"] | None = None


@dataclass(frozen=True, slots=True)
class ExecSource:
    """A program that prints JSON or a number; never through a shell."""

    argv: tuple[str, ...]
    json_path: str | None = None
    timeout: timedelta = _EXEC_TIMEOUT


@dataclass(frozen=True, slots=True)
class AlertmanagerSource:
    """Alerts that are pushed here; its value is the list of those that fire."""

    alertname: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IntegritySource:
    """A directory of files that are served; its value lists what is wrong (R166)."""

    path: str


Source: TypeAlias = (
    PrometheusSource
    | WebSource
    | FileSource
    | ExecSource
    | AlertmanagerSource
    | IntegritySource
)


def source_from_dict(provider: Mapping[str, Any]) -> Source:
    """Read a ``provider``: an object with exactly one key, which is the kind.

    Raises:
        InputError: It names no kind or several, or one that cannot be asked.
    """
    if not hasattr(provider, "items") or len(provider) != 1:
        raise _impossible(f"it names exactly one of {', '.join(_READERS)}")
    ((kind, body),) = provider.items()
    reader = _READERS.get(kind)
    if reader is None:
        raise _impossible(f"it names exactly one of {', '.join(_READERS)}")
    if not hasattr(body, "items"):
        raise _impossible(f"{kind} holds keys and values")
    return reader(body)


def _prometheus(body: Mapping[str, Any]) -> PrometheusSource:
    _only(body, "address", "query", "timeout")
    address = _url(body, "address")
    if "?" in address or "#" in address:
        raise _impossible("address ends where /api/v1/query goes on")
    return PrometheusSource(address.rstrip("/"), _text(body, "query"), _timeout(body))


def _web(body: Mapping[str, Any]) -> WebSource:
    _only(body, "url", "method", "headers", "jsonPath", "timeout")
    method = body.get("method", "GET")
    if method not in ("GET", "POST"):
        raise _impossible("method is GET or POST")
    headers = body.get("headers", [])
    if not isinstance(headers, list) or len(headers) > _MOST_WORDS:
        raise _impossible(f"headers is a list of up to {_MOST_WORDS}")
    return WebSource(
        _url(body, "url"),
        cast("Literal['GET', 'POST']", method),
        tuple(_header(each) for each in headers),
        _optional(body, "jsonPath"),
        _timeout(body),
    )


def _header(body: Any) -> Header:
    if not hasattr(body, "items"):
        raise _impossible("a header has a key, and a value or valueFromEnv")
    _only(body, "key", "value", "valueFromEnv")
    key = _text(body, "key")
    if _HEADER.fullmatch(key) is None or key.lower() in _OURS:
        raise _impossible(f"{key[:40]!a} is no header that can be chosen")
    value, variable = _optional(body, "value"), _optional(body, "valueFromEnv")
    if (value is None) == (variable is None):
        raise _impossible(f"the header {key} has one of value and valueFromEnv")
    if value is not None and not value.isascii():
        raise _impossible(f"the header {key} is not ASCII")
    if variable is not None and _VARIABLE.fullmatch(variable) is None:
        raise _impossible(f"{variable[:40]!a} does not begin with GITMODEL_METRIC_")
    return Header(key, value, variable)


def _file(body: Mapping[str, Any]) -> FileSource:
    _only(body, "path", "jsonPath", "maxAge", "preset")
    preset = body.get("preset")
    if preset not in (None, "evidently"):
        raise _impossible("the only preset is evidently")
    if preset is not None and "jsonPath" in body:
        raise _impossible("it has one of jsonPath and preset")
    age = _duration(body["maxAge"], "maxAge") if "maxAge" in body else None
    return FileSource(
        _text(body, "path"),
        _optional(body, "jsonPath"),
        age,
        cast("Literal['evidently'] | None", preset),
    )


def _exec(body: Mapping[str, Any]) -> ExecSource:
    _only(body, "argv", "jsonPath", "timeout")
    argv = body.get("argv")
    if not isinstance(argv, list) or not 0 < len(argv) <= _MOST_WORDS:
        raise _impossible(f"argv is a list of 1 to {_MOST_WORDS} words")
    # An argument may be empty or hold line breaks; the program may not.
    if not all(isinstance(word, str) and _fits(word) for word in argv):
        raise _impossible("argv holds text without zero bytes")
    if not argv[0] or _UNSEEN.search(argv[0]):
        raise _impossible("argv begins with a program")
    return ExecSource(
        tuple(argv), _optional(body, "jsonPath"), _timeout(body, _EXEC_TIMEOUT)
    )


def _alertmanager(body: Mapping[str, Any]) -> AlertmanagerSource:
    _only(body, "alertname", "labels")
    labels = body.get("labels", {})
    if not hasattr(labels, "items") or len(labels) > _MOST_WORDS:
        raise _impossible(f"labels has up to {_MOST_WORDS} names and values")
    pairs = tuple(sorted(labels.items(), key=str))
    if not all(
        isinstance(text, str) and _fits(text) for pair in pairs for text in pair
    ):
        raise _impossible("labels are text")
    return AlertmanagerSource(_text(body, "alertname"), pairs)


def _integrity(body: Mapping[str, Any]) -> IntegritySource:
    _only(body, "path")
    return IntegritySource(_text(body, "path"))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Source]] = {
    "prometheus": _prometheus,
    "web": _web,
    "file": _file,
    "exec": _exec,
    "alertmanager": _alertmanager,
    "integrity": _integrity,
}


def _only(body: Mapping[str, Any], *known: str) -> None:
    strange = [key for key in body if key not in known]
    if strange:
        raise _impossible(f"{str(strange[0])[:40]!a} is none of {', '.join(known)}")


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value or not _fits(value):
        raise _impossible(f"{key} is missing, or no text")
    # PromQL is written over several lines; nothing else is.
    if key != "query" and _UNSEEN.search(value):
        raise _impossible(f"{key} holds a control character")
    return value


def _optional(body: Mapping[str, Any], key: str) -> str | None:
    return _text(body, key) if key in body else None


def _url(body: Mapping[str, Any], key: str) -> str:
    url = _text(body, key)
    if _URL.fullmatch(url) is None or not _has_host(url):
        raise _impossible(f"{key} is an http or https address without a password in it")
    return url


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond all, or half an IPv6 address
        return False


def _fits(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT and "\0" not in text


def _timeout(body: Mapping[str, Any], default: timedelta = _TIMEOUT) -> timedelta:
    if "timeout" not in body:
        return default
    found = _duration(body["timeout"], "timeout")
    if found > LONGEST_TIMEOUT:
        raise _impossible(f"timeout is at most {LONGEST_TIMEOUT.seconds} seconds")
    return found


def _duration(value: object, key: str) -> timedelta:
    try:
        found = duration(value)
    except (InputError, OverflowError):
        found = timedelta()
    if not found:
        raise _impossible(f"{key} is a duration such as 30s or 5m")
    return found


def _impossible(what: str) -> InputError:
    return InputError(f"The provider cannot be asked: {what}.", code="E_TRIGGER")
