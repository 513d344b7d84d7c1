"""Reads JSON that a source of measurements wrote, and numbers that stand alone.

Tools that measure write NaN and Infinity, which JSON does not have, so these are read.
Everything else is strict, and bounded: two readers must not see two meanings, and what
was read must be fit to be kept and sent on.
"""

from __future__ import annotations

import json
from typing import Any

from gitmodel.errors import InputError

_DEEPEST = 64


def read(data: bytes) -> Any:
    """Return the value that ``data`` holds.

    Raises:
        InputError: It is not JSON, says something twice, or is nested too deeply; the
            message is a clause that quotes nothing of it (``E_JSON``).
    """
    try:
        value = _DECODER.decode(data.decode("utf-8-sig"))
        # Lone surrogates can only come in by escapes, and nobody could write them.
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise _bad("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad(f"it is not JSON ({where})") from error
    except UnicodeError as error:
        raise _bad("it is not JSON in UTF-8") from error
    except ValueError as error:
        raise _bad(f"it is not JSON ({error})") from error
    _require_shallow(value)
    return value


def _require_shallow(value: object) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            item
            for each in level
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise _bad(f"it is nested more than {_DEEPEST} deep")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _bad(why: str) -> InputError:
    return InputError(why, code="E_JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
