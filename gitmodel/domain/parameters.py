"""Hyperparameters and labels, as ``key=value`` on a command line (R015).

- Keys are flat: ``optimizer.lr`` is one key, not a mapping in a mapping.
- A parameter's value is JSON where it reads as JSON with finite numbers, and text
  otherwise: ``3``, ``true``, ``null`` and ``[1, 2]`` are what they look like,
  ``adam`` and ``NaN`` are text, and so is ``"3"`` in quotes.
- A label's value is always text, on one line.

It does not know which parameters a framework has.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARAMETER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,199}")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,98}[A-Za-z0-9])?")
# Control characters, and the lone surrogates that stand for bytes outside UTF-8.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_DEEPEST = 12  # a document may have 20 levels, and parameters are not its root
_LONGEST = 256  # characters of a label
_PARAMETER_FORM = "Write --param learning_rate=0.01, or --param 'layers=[64, 32]'."
_LABEL_FORM = "Write --label team=risk."


def parse_parameter(text: str) -> tuple[str, Any]:
    """Read ``key=value``; ``value`` becomes a JSON value where it is one.

    Raises:
        InputError: The key is malformed, or the value cannot stand in a manifest:
            control characters, a repeated key in an object, too many levels.
    """
    key, value = _split(text, _PARAMETER, "parameter", _PARAMETER_FORM)
    try:
        read = json.loads(
            value,
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise _too_deep(key) from None
    except ValueError:  # not JSON, or not finite: then it is text
        return key, _writable(value, key)
    _inspect(read, key, 1)
    return key, read


def parse_parameters(texts: Iterable[str]) -> dict[str, Any]:
    """Read several parameters, in the order given.

    Raises:
        InputError: One is malformed, or a key is given twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, value = parse_parameter(text)
        if key in found:
            raise InputError(f"The parameter {key} is given twice.")
        found[key] = value
    return found


def parse_label(text: str) -> tuple[str, str]:
    """Read ``key=value`` as text.

    Raises:
        InputError: The key is malformed, or the value is too long or not one line.
    """
    key, value = _split(text, _LABEL, "label", _LABEL_FORM)
    if len(value) > _LONGEST or "\n" in value or "\t" in value:
        raise InputError(
            f"The label {key} is longer than {_LONGEST} characters or one line."
        )
    return key, _writable(value, key)


def parse_labels(texts: Iterable[str]) -> dict[str, str]:
    """Read several labels, in the order given.

    Raises:
        InputError: One is malformed, or a key is given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, value = parse_label(text)
        if key in found:
            raise InputError(f"The label {key} is given twice.")
        found[key] = value
    return found


def _split(
    text: str, pattern: re.Pattern[str], noun: str, form: str
) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or pattern.fullmatch(key) is None:
        raise InputError(f"{text!r} is not a {noun}.", form)
    return key, value


def _inspect(value: object, key: str, level: int) -> None:
    """Refuse what JSON can say and a manifest cannot."""
    if level > _DEEPEST:
        raise _too_deep(key)
    if isinstance(value, str):
        _writable(value, key)
    elif isinstance(value, list):
        for item in value:
            _inspect(item, key, level + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _writable(name, key)
            _inspect(item, key, level + 1)


def _writable(value: str, key: str) -> str:
    if _UNWRITABLE.search(value):
        raise InputError(f"{key} holds characters that no manifest can.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError("A parameter's object has the same key twice.")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _too_deep(key: str) -> InputError:
    return InputError(f"The parameter {key} has more than {_DEEPEST} levels.")
