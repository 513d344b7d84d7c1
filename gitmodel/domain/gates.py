"""The gates of a stage: what a version must have shown before it may enter.

A policy lists gates as objects with exactly one key each; a kind that is not known
here is refused when the policy is read, for a gate that nobody evaluates is open.
These are the rules as values; ``gating`` says whether a version meets them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import Type, gate_type
from gitmodel.domain.metrics import parse_metric
from gitmodel.domain.moment import from_text
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gitmodel.domain.metrics import Number

SECTIONS = ("lineage", "card", "environment", "code", "data")

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class AttestationGate:
    """The newest attestation of a type must have passed.

    Attributes:
        role: Only attestations in this role are looked at; None for any.
    """

    type: Type
    role: str | None


@dataclass(frozen=True, slots=True)
class MetricGate:
    """A metric must lie within bounds, which are allowed themselves."""

    set: str
    name: str
    minimum: Number | None
    maximum: Number | None


@dataclass(frozen=True, slots=True)
class NoRegressionGate:
    """A metric must not be worse than what the stage holds, by more than this."""

    set: str
    name: str
    tolerance: Number


@dataclass(frozen=True, slots=True)
class CompleteGate:
    """The manifest must have these sections, see ``SECTIONS``."""

    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelGate:
    """Labels that a version must have, or must not."""

    required: tuple[tuple[str, str], ...]
    forbidden: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SoakGate:
    """A version must have been live in an earlier stage for some time."""

    stage: str
    duration: timedelta


Gate = (
    AttestationGate
    | MetricGate
    | NoRegressionGate
    | CompleteGate
    | LabelGate
    | SoakGate
)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing is promoted: from ``start`` until before ``end``."""

    start: datetime
    end: datetime
    reason: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Freeze:
        """Read a window.

        Raises:
            InputError: It ends before it begins.
        """
        try:
            start, end = from_text(data["from"]), from_text(data["until"])
        except ValueError as error:
            raise _impossible(f"a freeze: {error}") from error
        if end <= start:
            raise _impossible(f"a freeze ends, {data['until']}, before it begins")
        return cls(start, end, data.get("reason", ""))


def read_gate(data: Mapping[str, Any]) -> Gate:
    """Read one gate of a policy.

    Raises:
        InputError: It is of no kind that is known here, or impossible.
    """
    if len(data) != 1:
        raise _impossible(f"a gate has exactly one kind, not {len(data)}")
    [(kind, body)] = data.items()
    reader = _READERS.get(kind)
    if reader is None:
        raise _impossible(f"there is no gate {str(kind)[:40]!a}")
    return reader(body)


def _attestation(body: Mapping[str, Any]) -> AttestationGate:
    if body.get("result", "passed") != "passed":
        raise _impossible("an attestation can be required to pass only")
    return AttestationGate(gate_type(body["type"]), body.get("role"))


def _metric(body: Mapping[str, Any]) -> MetricGate:
    of, name = metric_name(body["name"])
    minimum, maximum = body.get("min"), body.get("max")
    if minimum is None and maximum is None:
        raise _impossible(f"the gate on {name} has neither min nor max")
    return MetricGate(of, name, minimum, maximum)


def _no_regression(body: Mapping[str, Any]) -> NoRegressionGate:
    of, name = metric_name(body["metric"])
    return NoRegressionGate(of, name, _tolerance(body.get("tolerance", 0)))


def _complete(names: object) -> CompleteGate:
    if not isinstance(names, list) or not names or set(names) - set(SECTIONS):
        raise _impossible(f"complete takes some of {', '.join(SECTIONS)}")
    return CompleteGate(tuple(names))


def _label(body: Mapping[str, Any]) -> LabelGate:
    required = tuple(body.get("require", {}).items())
    forbidden = tuple(body.get("forbid", {}).items())
    if not required and not forbidden:
        raise _impossible("a label gate neither requires nor forbids anything")
    return LabelGate(required, forbidden)


def _soak(body: Mapping[str, Any]) -> SoakGate:
    return SoakGate(body["stage"], duration(body["for"]))


_READERS: Mapping[str, Callable[[Any], Gate]] = {
    "attestation": _attestation,
    "metric": _metric,
    "noRegression": _no_regression,
    "complete": _complete,
    "label": _label,
    "soak": _soak,
}


def metric_name(text: str) -> tuple[str, str]:
    """Return set and name of a metric such as ``validation.accuracy``.

    Raises:
        InputError: It is none.
    """
    of, name, _ = parse_metric(f"{text}=0")
    return of, name


def duration(value: object) -> timedelta:
    """Read ``24h``, ``7d``, ``30m``, ``90s``, or a number of seconds.

    Raises:
        InputError: It is none of these.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return timedelta(seconds=value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _impossible(f"{str(value)[:40]!a} is no duration such as 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def contradiction(gates: tuple[Gate, ...]) -> str | None:
    """Say why no version could ever pass all of them; None if one could."""
    bounds = [gate for gate in gates if isinstance(gate, MetricGate)]
    labels = [gate for gate in gates if isinstance(gate, LabelGate)]
    return _bounds_clash(bounds) or _labels_clash(labels)


def _bounds_clash(gates: list[MetricGate]) -> str | None:
    for one in gates:
        for other in gates:
            if (one.set, one.name) != (other.set, other.name):
                continue
            low, high = one.minimum, other.maximum
            if low is not None and high is not None and low > high:
                return f"{one.set}.{one.name} at least {low} and at most {high}"
    return None


def _labels_clash(gates: list[LabelGate]) -> str | None:
    required: dict[str, str] = {}
    for name, value in (pair for gate in gates for pair in gate.required):
        if required.setdefault(name, value) != value:
            return f"two values of the label {name}"
    for name, value in (pair for gate in gates for pair in gate.forbidden):
        if required.get(name) == value:
            return f"the label {name}={value}, both required and forbidden"
    return None


def _tolerance(value: object) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise _impossible(f"the tolerance {str(value)[:40]!a} is no number from 0")
    return value


def _impossible(what: str) -> InputError:
    return InputError(f"The policy asks for what cannot be: {what}.", code="E_POLICY")
