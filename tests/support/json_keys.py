"""Keys of a JSON answer, each with its type, and whether an answer has just these.

A key's path says where it stands: ``models[].latest`` is a key of every item of the
list ``models``; ``stages.*`` stands for all values of a mapping whose keys are names.
Types: text, integer, number, boolean, object (free), any; with ``?`` it may be null. A
path that ends in ``?`` may be missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Key:
    """One key of an answer."""

    path: str
    type: str
    meaning: str

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\[\]|[^.\[\]]+", self.path.removesuffix("?")))


def deviations(answer: Any, keys: Sequence[Key]) -> list[str]:
    """Return where an answer is not what ``keys`` say; empty when all is well."""
    return list(_compare(answer, (), keys))


def _compare(value: Any, at: tuple[str, ...], keys: Sequence[Key]) -> Iterator[str]:
    own = next((key for key in keys if key.steps == at), None)
    below = [key for key in keys if key.steps[: len(at)] == at and key is not own]
    steps = {key.steps[len(at)] for key in below}
    name = ".".join(at) or "the answer"
    if value is None and own is not None and own.type.endswith("?"):
        return
    if steps in ({"[]"}, {"*"}):
        wanted = list if steps == {"[]"} else dict
        if not isinstance(value, wanted):
            yield f"{name} is no {wanted.__name__}: {value!r}"
            return
        for item in value if isinstance(value, list) else value.values():
            yield from _compare(item, (*at, *steps), keys)
    elif steps:
        yield from _compare_mapping(value, at, keys, below, steps)
    elif own is None:
        yield f"{name} is not documented"
    elif own.type != "any" and not _is(value, own.type):
        yield f"{name} is no {own.type}: {value!r}"


def _compare_mapping(
    value: Any,
    at: tuple[str, ...],
    keys: Sequence[Key],
    below: Sequence[Key],
    steps: set[str],
) -> Iterator[str]:
    name = ".".join(at) or "the answer"
    if not isinstance(value, dict):
        yield f"{name} is no mapping: {value!r}"
        return
    optional = {key.steps[len(at)] for key in below if key.path.endswith("?")}
    if missing := steps - optional - value.keys():
        yield f"{name} lacks {sorted(missing)}"
    if unknown := value.keys() - steps:
        yield f"{name} has the undocumented {sorted(unknown)}"
    for step in sorted(steps & value.keys()):
        yield from _compare(value[step], (*at, step), keys)


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool) and wanted.rstrip("?") != "boolean":
        return False
    return isinstance(value, _TYPES[wanted.rstrip("?")])
