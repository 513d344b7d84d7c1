"""Reads documents as gitmodel writes them, a hundred times faster than YAML.

Nearly every document in a registry was written by :mod:`gitmodel.formats.yaml_writer`,
whose output has one spelling. So: guess the value line by line, spell it again, and
believe the guess only if the bytes are the same. The guess need not be careful,
because the comparison is: what is returned is what :mod:`gitmodel.formats.yaml_reader`
would return. Anything unusual, such as a comment, gives None, and the caller reads
it the slow way.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gitmodel.formats.yaml_scalars import UNWRITABLE, is_plain, quoted, resolve, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST_KEY = 100  # beyond 128 the writer uses YAML's "? key" form
_LEVELS = 20
_LIMIT = 1 << 20
#: A line holds at most three parts; the strict reader allows 104,857 in all.
_LINES = 30_000


class _UnusualError(Exception):
    """The document is not of the form that is read quickly."""


def value_of(data: bytes) -> dict[str, Any] | None:
    """Return what the strict reader would return for ``data``, or None.

    Law: ``value_of(data) in (None, yaml_reader.read(data).value)``.
    """
    if len(data) > _LIMIT or data.count(b"\n") > _LINES:
        return None
    try:
        guess = _Guess(data.decode()).document()
        same = spelling(guess) == data
    except (_UnusualError, ValueError, RecursionError):
        return None
    return guess if same else None


def says(data: bytes, value: Mapping[str, Any]) -> bool:
    """Say whether ``data`` certainly spells ``value``, whatever the order of its keys.

    Law: ``says(data, x)`` implies ``yaml_reader.read(data).value == x``.
    """
    if len(data) > _LIMIT or data.count(b"\n") > _LINES:
        return False
    order: dict[str, int] = {}
    try:
        for line in data.decode().split("\n"):
            order.setdefault(line.lstrip(" -").partition(":")[0], len(order))
        return spelling(_ordered(value, order)) == data
    except (ValueError, RecursionError):
        return False


def _ordered(value: Any, order: Mapping[str, int]) -> Any:
    """Return ``value`` with its keys in the order in which lines begin with them."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: order.get(key, 0))
        return {key: _ordered(value[key], order) for key in keys}
    if isinstance(value, list):
        return [_ordered(item, order) for item in value]
    return value


def spelling(document: dict[str, Any]) -> bytes | None:
    """Return what the writer writes for ``document``, or None for the unusual.

    Law: ``spelling(x) in (None, yaml_writer.dump(x))``.
    """
    try:
        return "".join(_mapping(document, 0)).encode()
    except (_UnusualError, ValueError):
        return None


def _mapping(value: dict[str, Any], depth: int, first: str = "") -> Iterator[str]:
    """Yield lines; ``first`` stands in place of the first line's indent."""
    if depth >= _LEVELS or not value:
        raise _UnusualError
    indent = "  " * depth
    for key, item in value.items():
        yield f"{first or indent}{_key(key)}:"
        first = ""
        if isinstance(item, dict) and item:
            yield "\n"
            yield from _mapping(item, depth + 1)
        elif isinstance(item, list) and item:
            yield "\n"
            yield from _sequence(item, depth + 1)
        else:
            yield f" {_scalar(item)}\n"


def _sequence(value: list[Any], depth: int) -> Iterator[str]:
    dash = "  " * depth + "- "
    for item in value:
        if isinstance(item, dict) and item:
            yield from _mapping(item, depth + 1, dash)
        elif isinstance(item, list) and item:
            raise _UnusualError
        else:
            yield f"{dash}{_scalar(item)}\n"


@lru_cache(maxsize=4096)  # the same few keys, over and over
def _key(key: str) -> str:
    if len(key) > _LONGEST_KEY or not is_plain(key):
        raise _UnusualError
    return key


def _text(text: str) -> str:
    if UNWRITABLE.search(text) or "\n" in text or "\r" in text:
        raise _UnusualError
    return text if is_plain(text) else quoted(text)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    if value is None or isinstance(value, bool | int | float):
        return written(value)
    raise _UnusualError


class _Guess:
    """Guesses a document from its lines."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at = 0

    def document(self) -> dict[str, Any]:
        found = self._read_mapping(0)
        if self._at != len(self._lines) - 1:
            raise _UnusualError
        return found

    def _read_mapping(self, depth: int) -> dict[str, Any]:
        if depth >= _LEVELS:
            raise _UnusualError
        indent = "  " * depth
        found: dict[str, Any] = {}
        while self._line().startswith(indent) and not self._line().startswith(
            (f"{indent} ", f"{indent}- ")
        ):
            rest = self._line()[len(indent) :]
            if not rest:
                break
            key, value = _split(rest)
            if key in found:
                raise _UnusualError
            self._at += 1
            found[key] = self._nested(depth) if value is None else _guess(value)
        return found

    def _nested(self, depth: int) -> Any:
        if self._line().startswith("  " * (depth + 1) + "- "):
            return self._read_sequence(depth + 1)
        return self._read_mapping(depth + 1)

    def _read_sequence(self, depth: int) -> list[Any]:
        dash = "  " * depth + "- "
        found: list[Any] = []
        while self._line().startswith(dash):
            rest = self._line()[len(dash) :]
            if rest.startswith('"') or ":" not in rest:
                found.append(_guess(rest))
                self._at += 1
            else:
                # Continue the item as a mapping whose first line has lost its dash.
                self._lines[self._at] = " " * len(dash) + rest
                found.append(self._read_mapping(depth + 1))
        return found

    def _line(self) -> str:
        return self._lines[self._at] if self._at < len(self._lines) else ""


def _split(line: str) -> tuple[str, str | None]:
    """Return the key, and the text of a scalar that follows it on the line."""
    key, _, rest = line.partition(":")
    if not rest:
        return key, None
    return key, rest.removeprefix(" ")


def _guess(text: str) -> Any:
    if text.startswith('"'):
        return json.loads(text)
    if text == "{}":
        return {}
    if text == "[]":
        return []
    return resolve(text)
