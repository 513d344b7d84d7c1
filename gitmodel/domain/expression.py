"""Conditions on measurements: ``len(result) > 0 && result[0] < 0.9`` (R163).

A small language of its own, for whoever can push may write a condition: it reaches
the values that it is given and nothing else, and ends after a bounded time.

- ``&& || !``, ``< <= == != > >=``, ``+ - * /``, ``( )``, ``[index]``, ``.field``;
- numbers, "text", true, false, null;
- ``len(x)``, ``isNaN(x)``, ``isInf(x)``, ``abs(x)``, and ``default(x, y)``, which is
  ``y`` where ``x`` is null or not there;
- a condition that cannot be decided - an index that is not there, a comparison with
  NaN, text where a number is asked for - is undecided: neither true nor false.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmodel.domain.expression_nodes import Run
from gitmodel.domain.expression_parser import Parser
from gitmodel.domain.expression_values import UndecidedError, truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.expression_nodes import Node


class Truth(NamedTuple):
    """What a condition came to.

    Attributes:
        value: None where it could not be decided.
        problem: Why it could not.
        nan: ``isNaN`` said yes on the way, so a number was not to be had.
        absent: ``default`` stepped in on the way, so something was not there.
    """

    value: bool | None
    problem: str = ""
    nan: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that was read.

    Attributes:
        text: As written.
        names: What it mentions of what it may be given.
    """

    text: str
    names: frozenset[str] = field(repr=False)
    _root: Node = field(repr=False, compare=False)

    def decide(self, names: Mapping[str, Any]) -> Truth:
        """Say whether it is true of ``names``, which has all that it mentions.

        Never raises, whatever JSON values they are.
        """
        run = Run(names)
        try:
            value = truth(self._root(run))
        except UndecidedError as error:
            return Truth(None, str(error), run.nan, run.absent)
        return Truth(value, "", run.nan, run.absent)


def parse_expression(text: str, known: frozenset[str]) -> Expression:
    """Read a condition that may mention the names ``known``.

    Raises:
        InputError: It is none; the message names the column (``E_EXPRESSION``).
    """
    parser = Parser(text, known)
    root = parser.read()
    return Expression(text, frozenset(parser.mentioned), root)
