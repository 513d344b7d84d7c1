"""What jsonschema finds, said so that the author of a file can mend it.

Imports jsonschema, which takes 100 ms: only :mod:`gitmodel.formats.schema` uses
this module, when there is something to check.
"""

from __future__ import annotations

import difflib
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from gitmodel.domain.moment import from_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema import TypeChecker
    from jsonschema.protocols import Validator

    from gitmodel.formats.document import Document, Path

_Finding = tuple["Path", str]

_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_formats = FormatChecker(formats=())


def strict_validator(schema: Mapping[str, Any]) -> Validator:
    """Return a compiled validator with the rules of gitmodel's documents."""
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    )
    strict: type[Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": _pattern}, type_checker=types
    )
    return strict(schema, format_checker=_formats)


def explain(validator: Validator, document: Document) -> list[_Finding]:
    """Return one (path, message) for each place that is wrong, in file order."""
    found: dict[Path, str] = {}
    for error in validator.iter_errors(document.value):
        for leaf in _leaves(error):
            for path, message in _messages(leaf, document, validator.schema):
                found.setdefault(path, message)
    places = {path: place for place, path in enumerate(document.lines)} if found else {}
    return sorted(found.items(), key=lambda finding: _place(finding[0], places))


def _place(path: Path, places: Mapping[Path, int]) -> int:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, 0)


def _is_integer(_: TypeChecker, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: TypeChecker, value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(
    validator: Validator, pattern: str, value: object, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    del validator
    if isinstance(value, str) and not _compiled(pattern).search(value):
        yield ValidationError("does not match")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # As in ECMAScript, "$" is the very end, not before a newline at the end.
    return re.compile(pattern.replace("$", r"\Z"))


@_formats.checks("date-time", ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(from_text(value))


@_formats.checks("regex", re.error)
def _is_regex(value: object) -> bool:
    return not isinstance(value, str) or bool(re.compile(value))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the errors of the form that the value resembles, or the error itself."""
    if error.validator not in {"anyOf", "oneOf"}:
        yield error
        return
    forms: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        forms.setdefault(inner.relative_schema_path[0], []).append(inner)
    alike = [
        errors for errors in forms.values() if not any(map(_is_of_another_type, errors))
    ]
    if len(alike) == 1:
        for inner in alike[0]:
            yield from _leaves(inner)
    else:
        yield error


def _is_of_another_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _messages(
    error: ValidationError, document: Document, root: Any
) -> Iterator[_Finding]:
    path: Path = tuple(error.absolute_path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if "propertyNames" in error.absolute_schema_path:
        yield (*path, value), f"this is not {_title(error)}."
    elif error.validator == "required":
        for key in rule:
            if key not in value:
                yield (*path, key), "it is missing."
    elif error.validator == "additionalProperties":
        known = list(schema.get("properties", ()))
        for key in value:
            if key not in known:
                yield (*path, key), _unknown(key, known, value)
    elif error.validator == "uniqueItems":
        place = next(i for i, item in enumerate(value) if item in value[:i])
        yield (*path, place), f"{_shown(value[place])} is in the list twice."
    else:
        shown = document.written.get(path) or _shown(value)
        yield path, _message(error, shown, root)


def _message(error: ValidationError, shown: str, root: Any) -> str:
    rule: Any = error.validator_value
    if error.validator == "type":
        return _wrong_type(error, shown)
    if error.validator in {"anyOf", "oneOf"}:
        forms = [_form(form, root) for form in rule]
        if any(_is_of_another_type(inner) for inner in error.context or ()):
            return f"{shown} is neither {' nor '.join(forms)}."
        return f"it needs {' or '.join(forms)}."
    if error.validator == "enum":
        near = _hint(error.instance, rule)
        return f"{shown} is not one of {', '.join(rule)}.{near}"
    say = _SAY.get(str(error.validator))
    return f"{say(shown, rule)}." if say else f"{shown} is not {_title(error)}."


_SAY: dict[str, Callable[[str, Any], str]] = {
    "const": lambda shown, rule: f"{shown} must be {_shown(rule)}",
    "minItems": lambda _, rule: f"it needs at least {rule} of them",
    "maxItems": lambda _, rule: f"it may have at most {rule} of them",
    "minProperties": lambda _, rule: f"it needs at least {rule} of them",
    "minLength": lambda _, __: "it must not be empty",
    "maxLength": lambda _, rule: f"it is longer than {rule} characters",
    "minimum": lambda shown, rule: f"{shown} is less than {rule}",
    "maximum": lambda shown, rule: f"{shown} is more than {rule}",
}


def _wrong_type(error: ValidationError, shown: str) -> str:
    value: Any = error.instance
    wanted: Any = error.validator_value
    title = _title(error, _TYPE_NAMES[wanted])
    if wanted == "string" and isinstance(value, bool | int | float):
        kind = "a boolean" if isinstance(value, bool) else "a number"
        return f'{shown} is {kind}; write it in quotes: "{shown}"'
    if wanted in {"integer", "number"} and isinstance(value, str):
        return f"{shown} is text and must be {title}; leave out the quotes if it is."
    if value is None:
        return f"it is empty and must be {title}."
    if isinstance(value, dict | list):
        return f"it is {_TYPE_NAMES[_type_of(value)]} and must be {title}."
    return f"{shown} is not {title}."


def _unknown(key: str, known: list[str], value: Mapping[str, Any]) -> str:
    free = [name for name in known if name not in value]
    hint = _hint(key, free)
    if not hint and known:
        hint = f" The fields are: {', '.join(known)}."
    return f"there is no such field.{hint}"


def _hint(value: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(value)[:100], known, 1)
    return f" Did you mean {near[0]}?" if near else ""


def _title(error: ValidationError, default: str = "as it must be") -> str:
    schema: Any = error.schema
    title: str = schema.get("title", default)
    return title


def _form(form: Mapping[str, Any], root: Any) -> str:
    name = form.get("$ref", "").rpartition("/")[2]
    title: str = (root["$defs"][name] if name else form)["title"]
    return title


def _type_of(value: object) -> str:
    return "object" if isinstance(value, dict) else "array"


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return f"this {_TYPE_NAMES[_type_of(value)].removeprefix('a ')}"
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."  # noqa: PLR2004
