"""Says that a document is valid, some fifty times faster than jsonschema does.

Nearly every document is valid, and then nobody needs to hear why. So each schema is
compiled once into plain functions; what is not valid, or uses a keyword that is not
known here, is left to :mod:`gitmodel.formats.schema_messages`, which has the last word.

Law: ``is_valid(schema)(value)`` implies that the strict validator finds nothing.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from gitmodel.domain.moment import from_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test = Callable[[Any], bool]

_NOTES = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
#: Judged together with the keyword that they belong to, or after all others.
_LATER = frozenset({"then", "items", "additionalProperties"})
_SCALARS = (str, bool, int, float, type(None))


class _UnsureError(Exception):
    """The slow validator must decide."""


def is_valid(schema: Mapping[str, Any]) -> Test:
    """Return a function that says True for certainly valid values only."""
    try:
        test = _Compiler(schema).compile(schema)
    except _UnsureError:
        return lambda _: False

    def certainly(value: Any) -> bool:
        try:
            return test(value)
        except (_UnsureError, RecursionError):
            return False

    return certainly


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Test] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
}


def _equals(expected: Any) -> Test:
    if not isinstance(expected, _SCALARS):
        raise _UnsureError
    return lambda value: type(value) is type(expected) and value == expected


def _unique(value: Any) -> bool:
    if not isinstance(value, list) or len(value) <= 1:
        return True
    if all(isinstance(item, str) for item in value):
        return len(set(value)) == len(value)
    # Python's equality is coarser than JSON's: 1 == True. Then the slow one decides.
    if any(item in value[:index] for index, item in enumerate(value)):
        raise _UnsureError
    return True


def _is_moment(value: Any) -> bool:
    if isinstance(value, str):
        try:
            from_text(value)
        except ValueError:
            return False
    return True


def _is_regex(value: Any) -> bool:
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error:
            return False
    return True


_FORMATS: dict[str, Test] = {"date-time": _is_moment, "regex": _is_regex}


class _Compiler:
    """Turns schemas into tests; each returns what the strict validator would say."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions: Mapping[str, Any] = root.get("$defs", {})
        self._compiled: dict[str, Test] = {}

    def compile(self, schema: Any) -> Test:
        if schema is True or schema is False:
            return lambda _: schema
        if not isinstance(schema, dict):
            raise _UnsureError
        tests = []
        for keyword in schema:
            if keyword in _NOTES or keyword in _LATER:
                continue
            make = getattr(self, f"_{keyword.lstrip('$')}", None)
            if make is None:
                raise _UnsureError
            tests.append(make(schema[keyword], schema))
        if "properties" not in schema and "additionalProperties" in schema:
            tests.append(self._properties({}, schema))
        if "items" in schema:
            tests.append(self._every(schema["items"]))
        if not tests:
            return lambda _: True
        if len(tests) == 1:
            only: Test = tests[0]
            return only
        # What costs least, and says no most often, comes first in our schemas.
        return lambda value: all(test(value) for test in tests)

    def _ref(self, target: str, _: Any) -> Test:
        name = target.removeprefix("#/$defs/")
        if name not in self._definitions:
            raise _UnsureError
        if name not in self._compiled:
            # A definition may refer to itself.
            self._compiled[name] = lambda value: self._compiled[name](value)  # noqa: PLW0108 (not yet)
            self._compiled[name] = self.compile(self._definitions[name])
        return self._compiled[name]

    def _type(self, names: Any, _: Any) -> Test:
        if isinstance(names, str):
            return _TYPES[names]
        tests = [_TYPES[name] for name in names]
        return lambda value: any(test(value) for test in tests)

    def _const(self, expected: Any, _: Any) -> Test:
        return _equals(expected)

    def _enum(self, values: list[Any], _: Any) -> Test:
        tests = [_equals(value) for value in values]
        return lambda value: any(test(value) for test in tests)

    def _required(self, names: list[str], _: Any) -> Test:
        wanted = frozenset(names)
        return lambda value: not isinstance(value, dict) or wanted <= value.keys()

    def _properties(self, known: Mapping[str, Any], schema: Mapping[str, Any]) -> Test:
        tests = {name: self.compile(inner) for name, inner in known.items()}
        other = self.compile(schema.get("additionalProperties", True))

        def test(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            return all(tests.get(name, other)(item) for name, item in value.items())

        return test

    def _propertyNames(self, schema: Any, _: Any) -> Test:  # noqa: N802 (JSON Schema)
        inner = self.compile(schema)
        return lambda value: not isinstance(value, dict) or all(map(inner, value))

    def _every(self, schema: Any) -> Test:
        inner = self.compile(schema)
        return lambda value: not isinstance(value, list) or all(map(inner, value))

    def _anyOf(self, schemas: list[Any], _: Any) -> Test:  # noqa: N802
        tests = [self.compile(schema) for schema in schemas]
        return lambda value: any(test(value) for test in tests)

    def _allOf(self, schemas: list[Any], _: Any) -> Test:  # noqa: N802
        tests = [self.compile(schema) for schema in schemas]
        return lambda value: all(test(value) for test in tests)

    def _if(self, condition: Any, schema: Mapping[str, Any]) -> Test:
        when, then = self.compile(condition), self.compile(schema.get("then", True))
        return lambda value: not when(value) or then(value)

    def _pattern(self, pattern: str, _: Any) -> Test:
        search = re.compile(pattern.replace("$", r"\Z")).search
        return lambda value: not isinstance(value, str) or search(value) is not None

    def _format(self, name: str, _: Any) -> Test:
        if name not in _FORMATS:
            raise _UnsureError
        return _FORMATS[name]

    def _minLength(self, least: int, _: Any) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, str) or len(value) >= least

    def _maxLength(self, most: int, _: Any) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, str) or len(value) <= most

    def _minItems(self, least: int, _: Any) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, list) or len(value) >= least

    def _maxItems(self, most: int, _: Any) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, list) or len(value) <= most

    def _minProperties(self, least: int, _: Any) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, dict) or len(value) >= least

    def _maxProperties(self, most: int, _: Any) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, dict) or len(value) <= most

    def _minimum(self, least: float, _: Any) -> Test:
        return lambda value: not _is_number(value) or value >= least

    def _maximum(self, most: float, _: Any) -> Test:
        return lambda value: not _is_number(value) or value <= most

    def _uniqueItems(self, wanted: bool, _: Any) -> Test:  # noqa: N802
        return _unique if wanted else lambda _: True
