"""The parts of a condition as functions: each takes a run and returns a value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from gitmodel.domain import expression_values as values
from gitmodel.domain.expression_values import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(slots=True)
class Run:
    """One evaluation.

    Attributes:
        names: What it is given.
        nan: ``isNaN`` said yes on the way.
        absent: ``default`` stepped in on the way.
    """

    names: Mapping[str, Any]
    nan: bool = False
    absent: bool = False


if TYPE_CHECKING:
    Node: TypeAlias = Callable[[Run], Any]

#: The functions of the language, with how many arguments they take.
ARGUMENTS = {"len": 1, "isNaN": 1, "isInf": 1, "abs": 1, "default": 2}


def constant(value: Any) -> Node:
    """Return what stands there as it is."""
    return lambda _: value


def named(name: str) -> Node:
    """Return what the run is given by a name."""
    return lambda run: run.names[name]


def junction(parts: Sequence[Node], *, decisive: bool) -> Node:
    """Join truths: by || where one true is decisive, by && where one false is.

    What comes after a decisive one is not looked at, so that
    ``len(result) > 0 && result[0] < 0.9`` can be decided of an empty list.
    """

    def node(run: Run) -> bool:
        decided = any(values.truth(part(run)) is decisive for part in parts)
        return decisive if decided else not decisive

    return node


def comparison(sign: str, left: Node, right: Node) -> Node:
    """Compare two values."""
    return lambda run: values.compare(sign, left(run), right(run))


def chain(first: Node, rest: Sequence[tuple[str, Node]]) -> Node:
    """Calculate from left to right."""

    def node(run: Run) -> Any:
        value = first(run)
        for sign, part in rest:
            value = values.calculate(sign, value, part(run))
        return value

    return node


def inverse(sign: str, inner: Node) -> Node:
    """Turn a truth or a number around."""
    if sign == "!":
        return lambda run: not values.truth(inner(run))
    return lambda run: -values.number(inner(run))


def path(base: Node, steps: Sequence[Node]) -> Node:
    """Go from a value to a part of it, step by step."""

    def node(run: Run) -> Any:
        value = base(run)
        for step in steps:
            value = values.item(value, step(run))
        return value

    return node


def call(name: str, arguments: Sequence[Node]) -> Node:
    """Call one of the functions of the language."""
    if name == "default":
        return _default(*arguments)
    if name == "isNaN":
        return _is_nan(*arguments)
    argument, function = arguments[0], _PLAIN[name]
    return lambda run: function(argument(run))


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "len": values.length,
    "isInf": lambda value: math.isinf(values.number(value)),
    "abs": lambda value: abs(values.number(value)),
}


def _default(wanted: Node, otherwise: Node) -> Node:
    def node(run: Run) -> Any:
        try:
            value = wanted(run)
        except MissingError:
            value = None
        if value is not None:
            return value
        run.absent = True
        return otherwise(run)

    return node


def _is_nan(argument: Node) -> Node:
    def node(run: Run) -> bool:
        found = math.isnan(values.number(argument(run)))
        run.nan = run.nan or found
        return found

    return node
