"""What the operators and functions of conditions do to values.

A value is what JSON can say, and NaN. There is no conversion: true is not 1, text is
no number, nothing is true but true. What makes no sense is undecided, and says why;
it is never true and never false.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any


class UndecidedError(Exception):
    """A value cannot be had; the message says why. Never leaves a condition."""


class MissingError(UndecidedError):
    """What was asked for is not there: an index, a field."""


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
COMPARISONS = frozenset({*_ORDER, "==", "!="})


def number(value: Any) -> float:
    """Return a number as a float; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UndecidedError(f"{kind_of(value)} is not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise UndecidedError("a number is too large to compare") from error


def truth(value: Any) -> bool:
    """Return a truth value; nothing else counts as one."""
    if not isinstance(value, bool):
        raise UndecidedError(f"{kind_of(value)} is neither true nor false")
    return value


def calculate(sign: str, left: Any, right: Any) -> float:
    """Add, subtract, multiply or divide two numbers."""
    try:
        return _ARITHMETIC[sign](number(left), number(right))
    except ZeroDivisionError as error:
        raise UndecidedError("it divides by zero") from error


def compare(sign: str, left: Any, right: Any) -> bool:
    """Compare two values of one kind; only numbers have an order."""
    if sign in _ORDER:
        return _ORDER[sign](_comparable(left), _comparable(right))
    return _equal(left, right) == (sign == "==")


def item(holder: Any, key: Any) -> Any:
    """Return an element of a list, or a field of a mapping."""
    if isinstance(holder, list | tuple):
        if isinstance(key, str):
            raise UndecidedError("a list has numbers for its parts, not names")
        place = number(key)
        if not place.is_integer() or not 0 <= place < len(holder):
            raise MissingError(f"there is no [{place:g}] in a list of {len(holder)}")
        return holder[int(place)]
    if not isinstance(holder, Mapping):
        raise UndecidedError(f"{kind_of(holder)} has no parts")
    if not isinstance(key, str):
        raise UndecidedError("the fields of a mapping have names")
    if key not in holder:
        raise MissingError(f"there is no {key[:40]!a}")
    return holder[key]


def length(value: Any) -> float:
    """Return how many parts a list, a mapping or a text has."""
    if not isinstance(value, str | list | tuple | Mapping):
        raise UndecidedError(f"{kind_of(value)} has no length")
    return float(len(value))


def kind_of(value: Any) -> str:
    """Name the kind of a value, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _comparable(value: Any) -> float:
    found = number(value)
    if math.isnan(found):
        raise UndecidedError("NaN cannot be compared")
    return found


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is None and right is None
    for kind in (bool, str):
        if isinstance(left, kind) and isinstance(right, kind):
            return bool(left == right)
    if any(isinstance(side, bool | str) for side in (left, right)):
        raise UndecidedError(f"{kind_of(left)} and {kind_of(right)} cannot be compared")
    return _comparable(left) == _comparable(right)
