"""What a model wants to be looked at after a rollback: ``validation.postRollback``.

These are wishes of ``model.yaml``, which anybody who pushes may edit. Whether this
machine grants them is decided where they are carried out (R184 to R186).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from gitmodel.domain.gates import duration
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SECONDS = 300
_REQUESTS = 20
_STATUS = 200
_TIMEOUT = timedelta(seconds=10)
_KINDS = ("command", "http", "scan", "integrity")
#: What an argument may stand for.
PLACEHOLDERS = ("{model}", "{version}", "{stage}", "{path}")
_LATENCY = re.compile(r"([1-9][0-9]{0,5})(ms|s)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number must be.

    Attributes:
        json_path: Where it is in JSON; None if it is all there is.
    """

    json_path: str | None
    minimum: float | None
    maximum: float | None

    def objection(self, value: float) -> str:
        """Say what is wrong with a number; "" for nothing. NaN is never well."""
        if self.minimum is not None and not value >= self.minimum:
            return f"at least {self.minimum} is asked for"
        if self.maximum is not None and not value <= self.maximum:
            return f"at most {self.maximum} is asked for"
        return ""


@dataclass(frozen=True, slots=True)
class CommandProbe:
    """A program that exits with 0, and may print a number.

    Attributes:
        timeout: None for as long as the check may take.
    """

    argv: tuple[str, ...]
    timeout: timedelta | None
    metric: Bounds | None

    @property
    def wants_files(self) -> bool:
        """Whether it looks at the artifacts of the version."""
        return "{path}" in self.argv

    def words(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return the program and its arguments, with what they stand for."""
        return tuple(values.get(word, word) for word in self.argv)


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """GET requests, one after the other.

    Attributes:
        p95: Milliseconds; None for any.
        timeout: Of one answer.
    """

    url: str
    requests: int
    status: int
    p95: float | None
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class ScanProbe:
    """A look for code in the stored artifacts."""


@dataclass(frozen=True, slots=True)
class IntegrityProbe:
    """The stored bytes hashed again; with a path, the files that are there, too."""

    path: str | None


Probe: TypeAlias = CommandProbe | HttpProbe | ScanProbe | IntegrityProbe


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and how long it may take in all."""

    name: str
    probe: Probe
    max_seconds: int = MAX_SECONDS


def post_rollback_checks(document: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return the checks that a schema-valid ``Model`` document asks for, in order.

    Raises:
        InputError: They could not be carried out (``E_VALIDATION``).
    """
    bodies = document.get("validation", {}).get("postRollback", [])
    checks = tuple(_check(body) for body in bodies)
    names = [check.name.casefold() for check in checks]
    for check, name in zip(checks, names, strict=True):
        if names.count(name) > 1:
            raise _impossible(check.name, "there are two of that name")
    return checks


def _check(body: Mapping[str, Any]) -> Check:
    name = body["name"]
    kinds = [kind for kind in _KINDS if kind in body]
    if len(kinds) != 1:
        raise _impossible(name, f"it has exactly one of {', '.join(_KINDS)}")
    seconds = body.get("maxSeconds", MAX_SECONDS)
    return Check(name, _probe(name, kinds[0], body[kinds[0]]), seconds)


def _probe(name: str, kind: str, body: Any) -> Probe:
    match kind:
        case "command":
            return _command(name, body)
        case "http":
            latency = body.get("p95")
            return HttpProbe(
                url=body["url"],
                requests=body.get("requests", _REQUESTS),
                status=body.get("expectStatus", _STATUS),
                p95=None if latency is None else _milliseconds(name, latency),
                timeout=_duration(name, body) or _TIMEOUT,
            )
        case "scan":
            return ScanProbe()
        case _:
            return IntegrityProbe(None if body is True else body["path"])


def _command(name: str, body: Mapping[str, Any]) -> CommandProbe:
    argv = tuple(body["argv"])
    if not argv[0] or argv[0] in PLACEHOLDERS:
        raise _impossible(name, "argv begins with a program")
    for word in argv:
        # Half a placeholder would reach the program as it is, and nobody would notice.
        if word not in PLACEHOLDERS and any(each in word for each in PLACEHOLDERS):
            raise _impossible(
                name, f"in {word[:60]!a}, a placeholder is not the whole argument"
            )
    metric = body.get("metric")
    return CommandProbe(
        argv, _duration(name, body), _bounds(name, metric) if metric else None
    )


def _bounds(name: str, body: Mapping[str, Any]) -> Bounds:
    found = Bounds(body.get("jsonPath"), body.get("min"), body.get("max"))
    if (
        found.minimum is not None
        and found.maximum is not None
        and found.minimum > found.maximum
    ):
        raise _impossible(name, "its min is more than its max")
    return found


def _duration(name: str, body: Mapping[str, Any]) -> timedelta | None:
    if "timeout" not in body:
        return None
    try:
        found = duration(body["timeout"])
    except InputError:
        found = timedelta()
    if not found:
        raise _impossible(name, "its timeout is a duration such as 30s")
    return found


def _milliseconds(name: str, text: str) -> float:
    found = _LATENCY.fullmatch(text)
    if found is None:
        raise _impossible(name, "p95 is a time such as 100ms")
    return float(found[1]) * (1 if found[2] == "ms" else 1000)


def _impossible(name: str, why: str) -> InputError:
    return InputError(
        f"The check {name[:64]!a} cannot be carried out: {why}.", code="E_VALIDATION"
    )
