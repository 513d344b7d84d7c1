"""Conditions on versions for ``list --where``: ``accuracy>=0.9``, ``test.f1 > 0.8``.

A metric that was not measured meets no condition (R072). More conditions are all
to be met.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from gitmodel.errors import InputError
from gitmodel.operations.list import metric_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.operations.list import Measured

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_PATTERN = re.compile(
    r"\s*(?:metrics\.)?([A-Za-z][\w-]*(?:\.[\w-]+)?)\s*(>=|<=|==|!=|>|<)\s*"
    r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*",
    re.ASCII,
)


def parse_condition(text: str) -> Callable[[Measured], bool]:
    """Return the condition that ``text`` states.

    Raises:
        InputError: It states none.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text!r} is not a condition.",
            "Write METRIC OPERATOR NUMBER, such as 'accuracy>=0.9' or 'test.f1 > 0.8'.",
        )
    key = match[1] if "." in match[1] else f"validation.{match[1]}"
    compare, bound = _OPERATORS[match[2]], float(match[3])

    def holds(version: Measured) -> bool:
        value = metric_value(version, key)
        return value is not None and compare(value, bound)

    return holds
