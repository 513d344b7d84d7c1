"""Canonical JSON: the one spelling of a value that gets signed, and its reader.

- Written: keys sorted by code point, no spaces, UTF-8 as it is, no NaN.
- Read strictly: UTF-8, no duplicate keys, no NaN or infinity, no lone
  surrogates, so that two readers never see two meanings in the same bytes.

This is not RFC 8785 (JCS): numbers are spelled as Python spells them. Verifiers
check the bytes that they were given and never write them again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection


def dumps(value: object) -> bytes:
    """Return the canonical JSON of ``value``; ``loads(dumps(v)) == v``.

    Raises:
        InputError: It holds something that JSON cannot say in one way only: a key
            that is no string, NaN, a date, a lone surrogate, itself.
    """
    try:
        _require_text_keys(value)
        text = json.dumps(
            value,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
            default=_mapping,
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"Cannot be written as canonical JSON: {error}.") from error


def loads(data: bytes) -> Any:
    """Read strict JSON.

    Raises:
        InputError: ``data`` is not strict JSON.
    """
    try:
        text = data.decode()
        value = _DECODER.decode(text)
        if "\\u" in text:  # the only way in for a lone surrogate
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not strict JSON ({error}).", code="E_JSON") from error
    return value


def members(
    value: object, what: str, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Any]:
    """Return ``value``, an object with exactly the named members.

    Raises:
        InputError: It is no object, lacks a member, or has one too many; the
            message is a clause that begins with ``what``.
    """
    if not isinstance(value, dict):
        raise InputError(f"{what} is not an object.", code="E_JSON")
    if missing := [name for name in required if name not in value]:
        raise InputError(f"{what} lacks {missing[0]!r}.", code="E_JSON")
    if extra := value.keys() - set(required) - set(optional):
        raise InputError(f"{what} has an unknown {min(extra)!r:.80}.", code="E_JSON")
    return value


def _require_text_keys(value: object) -> None:
    # json.dumps turns 1 and None into "1" and "null": two keys could become one.
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not a string")
            _require_text_keys(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _require_text_keys(item)


def _mapping(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant
)
