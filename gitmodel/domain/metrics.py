"""Metrics: finite numbers in named sets, and what became of them (R018).

- A metric is a number, or ``{value, direction, dataset, interval}``.
- ``accuracy=0.97`` belongs to the set ``validation``; ``test.accuracy=0.97`` to
  the set ``test``. Text before the first dot that cannot name a set is part of the
  metric's name, as in ``recall@0.5``.
- NaN, infinities, booleans and text are refused: a gate cannot compare them.
- A metric's direction is the one it states, else the one its name implies.

Not judged here: whether a change is significant (``interval`` is carried, not
used), and whether a model is good enough, which is for a stage's gates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitmodel.domain.direction import Direction, direction_of
from gitmodel.errors import InputError

__all__ = [
    "DEFAULT_SET",
    "Delta",
    "Direction",
    "Metric",
    "Number",
    "Verdict",
    "compare",
    "direction_of",
    "parse_metric",
    "parse_metrics",
    "read_metrics",
]

Number = int | float
Verdict = Literal["better", "worse", "same", "unknown"]

DEFAULT_SET = "validation"

_SET = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_@.:/+-]{0,99}")
_KEY = re.compile(rf"(?:(?P<set>{_SET.pattern})\.)?(?P<name>{_NAME.pattern})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")  # every such number is exact in JSON
_FIELDS = {"value", "direction", "dataset", "interval"}
_SAME = 1e-12  # relative; two computers that add in another order differ by less
_FORM = "Write --metric accuracy=0.97, or with its set: --metric test.accuracy=0.97."


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measured number.

    Attributes:
        value: Finite.
        direction: Which way is better, where the metric says so itself.
        dataset: What it was measured on.
        interval: Its confidence interval, lower bound first.
    """

    value: Number
    direction: Direction | None = None
    dataset: str | None = None
    interval: tuple[Number, Number] | None = None

    @classmethod
    def from_value(cls, found: object, where: str) -> Metric:
        """Read the form that a manifest has; ``where`` is for the message.

        Raises:
            InputError: It is neither a finite number nor a mapping around one.
        """
        if not isinstance(found, Mapping):
            return cls(value=_number(found, where))
        unknown = sorted(str(field) for field in found.keys() - _FIELDS)
        if unknown:
            raise InputError(
                f"{where} has fields that no metric has: {', '.join(unknown)}.",
                f"A metric has {', '.join(sorted(_FIELDS))}.",
            )
        if "value" not in found:
            raise InputError(f"{where} has no value.")
        dataset = found.get("dataset")
        if dataset is not None and not isinstance(dataset, str):
            raise InputError(f"{where}.dataset is not text.")
        direction = found.get("direction")
        return cls(
            value=_number(found["value"], f"{where}.value"),
            direction=None if direction is None else direction_of(where, direction),
            dataset=dataset,
            interval=_interval(found.get("interval"), f"{where}.interval"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What became of one metric between two versions.

    Attributes:
        name: The metric.
        set: The set it belongs to, such as ``validation``.
        before: Its value in the first version; None where it was not measured.
        after: Its value in the second.
        change: ``after - before``; None where either is missing.
        direction: Which way is better.
        verdict: ``unknown`` where a value is missing, or where the two state
            different data sets or directions and so cannot be compared.
    """

    name: str
    set: str
    before: Number | None
    after: Number | None
    change: Number | None
    direction: Direction
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "set": self.set,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "change": self.change,
            "direction": self.direction,
            "verdict": self.verdict,
        }


def parse_metric(text: str) -> tuple[str, str, Number]:
    """Read ``[set.]name=number`` as (set, name, number).

    Raises:
        InputError: It has another form, or the number is not finite.
    """
    key, equals, value = text.partition("=")
    match = _KEY.fullmatch(key)
    if not equals or match is None:
        raise InputError(f"{text!r} is not a metric.", _FORM)
    if _NUMBER.fullmatch(value) is None:
        raise InputError(f"The metric {key} is not a number: {value!r}.", _FORM)
    number: Number = int(value) if _WHOLE.fullmatch(value) else float(value)
    return match["set"] or DEFAULT_SET, match["name"], _number(number, key)


def parse_metrics(texts: Iterable[str]) -> dict[str, dict[str, Number]]:
    """Read several, by set and name, in the order given.

    Raises:
        InputError: One is malformed, or two name the same metric of the same set.
    """
    found: dict[str, dict[str, Number]] = {}
    for text in texts:
        of, name, number = parse_metric(text)
        if name in found.setdefault(of, {}):
            raise InputError(f"The metric {of}.{name} is given twice.")
        found[of][name] = number
    return found


def read_metrics(metrics: object) -> dict[str, dict[str, Metric]]:
    """Read the ``metrics`` of a manifest, or of a file that a trainer wrote.

    Raises:
        InputError: A name, a number or the nesting is not as the module says.
    """
    found: dict[str, dict[str, Metric]] = {}
    for of, measured in _named(metrics, _SET, "metrics"):
        found[of] = {
            name: Metric.from_value(value, f"metrics.{of}.{name}")
            for name, value in _named(measured, _NAME, f"metrics.{of}")
        }
    return found


def compare(before: object, after: object) -> tuple[Delta, ...]:
    """Compare the ``metrics`` of two manifests, ordered by set and name.

    ``compare(x, x)`` holds nothing but ``same``; swapping the arguments swaps
    ``better`` and ``worse``.

    Raises:
        InputError: Either is not as ``read_metrics`` wants it.
    """
    one, other = read_metrics(before), read_metrics(after)
    return tuple(
        _delta(of, name, one.get(of, {}).get(name), other.get(of, {}).get(name))
        for of in sorted(one.keys() | other.keys())
        for name in sorted(one.get(of, {}).keys() | other.get(of, {}).keys())
    )


def _delta(of: str, name: str, before: Metric | None, after: Metric | None) -> Delta:
    stated = [m.direction for m in (before, after) if m and m.direction]
    direction = direction_of(name, stated[0] if stated else None)
    change: Number | None = None
    verdict: Verdict = "unknown"
    if before is not None and after is not None:
        change = after.value - before.value
        if len(set(stated)) <= 1 and _same_data(before, after):
            verdict = _verdict(before.value, after.value, direction)
    return Delta(
        name=name,
        set=of,
        before=before.value if before else None,
        after=after.value if after else None,
        change=change if change is None or math.isfinite(change) else None,
        direction=direction,
        verdict=verdict,
    )


def _same_data(before: Metric, after: Metric) -> bool:
    named = {metric.dataset for metric in (before, after) if metric.dataset}
    return len(named) <= 1


def _verdict(before: Number, after: Number, direction: Direction) -> Verdict:
    if math.isclose(before, after, rel_tol=_SAME):
        return "same"
    return "better" if (after > before) == (direction == "higher") else "worse"


def _named(
    found: object, pattern: re.Pattern[str], where: str
) -> Iterable[tuple[str, Any]]:
    if not isinstance(found, Mapping):
        raise InputError(f"{where} is not a mapping.")
    for name in found:
        if not isinstance(name, str) or pattern.fullmatch(name) is None:
            raise InputError(f"{where} has an impossible name: {name!r}.")
    return found.items()


def _number(found: object, where: str) -> Number:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"{where} is not a number: {found!r}.")
    try:
        finite = math.isfinite(found)
    except OverflowError:  # an int that no float can hold
        finite = False
    if not finite:
        raise InputError(f"{where} is not a finite number.")
    return found


def _interval(found: object, where: str) -> tuple[Number, Number] | None:
    if found is None:
        return None
    if isinstance(found, str) or not isinstance(found, list | tuple):
        raise InputError(f"{where} is not a list of two numbers.")
    bounds = [_number(bound, where) for bound in found]
    if len(bounds) != 2 or bounds[0] > bounds[1]:  # noqa: PLR2004
        raise InputError(f"{where} is not [lower, upper].")
    return bounds[0], bounds[1]
