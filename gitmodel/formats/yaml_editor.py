"""Changing a document that people edit, touching no more text than needed.

Comments, order, quotes and blank lines stay as they were everywhere but in what
is replaced. ruamel.yaml's own round trip cannot promise that: it re-indents, and
drops the comment that follows a replaced list. So the parser only says where
things stand, and the text is spliced (:mod:`gitmodel.formats.yaml_splice`).

Law: ``read(edit(data, changes)).value`` is the old value with the changes made.
It is checked on every edit, so an exotic document is refused, never damaged.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

from gitmodel.errors import InputError
from gitmodel.formats.document import Path, display, refusal
from gitmodel.formats.yaml_reader import parse, read
from gitmodel.formats.yaml_splice import Splice
from gitmodel.formats.yaml_writer import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: As a value in ``changes``: take the key away.
REMOVE: Final[Any] = object()

_Step = tuple[str, Path, Any]  # what to do, where, with which value


def edit(data: bytes, changes: Mapping[Path, Any], name: str = "") -> bytes:
    """Return the document with values set, added or removed.

    Args:
        data: The file; its root is a mapping.
        changes: New values by path, such as ``{("labels", "team"): "risk"}``;
            mappings on the way are made where they are missing.
        name: What messages call the file.

    Raises:
        InputError: The file is malformed, a path leads through a scalar, a value
            cannot be written, or the file is laid out so that it must be edited
            by hand.
    """
    value = read(data, name).value
    text = data.decode()
    for path, wanted in changes.items():
        old, value = value, _changed(value, path, wanted, name)
        if problems := unwritable(value, name):
            raise refusal(name, problems)
        text = _rewritten(text, old, value, path)
    edited = text.encode()
    document, _ = parse(edited, name)
    if document is None or not _same(document.value, value):
        raise InputError(
            f"{name or 'The document'} is laid out in a way that cannot be edited "
            "safely.",
            f"Change it by hand: {', '.join(map(display, changes))}.",
            code="E_EDIT",
        )
    return edited


def _rewritten(text: str, old: Any, new: Any, path: Path) -> str:
    start: Path = ()
    for step in path:  # as deep as both have it
        inner = _at(old, step), _at(new, step)
        if None in inner:
            break
        (old, new), start = inner, (*start, step)
    for action, place, value in _steps(old, new, start):
        splice = Splice(text)
        if action == "set":
            text = splice.set(place, value)
        elif action == "add":
            text = splice.add(place, value)
        else:
            text = splice.remove(place)
    return text


def _changed(old: Any, path: Path, value: Any, name: str) -> Any:
    new = copy.deepcopy(old)
    holder = new
    for step in path[:-1]:
        if (
            isinstance(holder, dict)
            and holder.get(step) is None
            and value is not REMOVE
        ):
            holder[step] = {}
        holder = _at(holder, step)
    if not _put(holder, path[-1], value):
        raise InputError(f"{name}: there is no place for {display(path)}.")
    return new


def _at(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _put(holder: Any, step: str | int, value: Any) -> bool:
    if holder is None and value is REMOVE:
        return True  # it is not there
    if isinstance(holder, dict) and isinstance(step, str):
        if value is REMOVE:
            holder.pop(step, None)
        else:
            holder[step] = value
        return True
    if not isinstance(holder, list) or not isinstance(step, int) or value is REMOVE:
        return False
    if not 0 <= step <= len(holder):
        return False
    holder[step : step + 1] = [value]
    return True


def _steps(old: Any, new: Any, path: Path) -> Iterator[_Step]:
    """Name the smallest changes that lead from one value to another."""
    if _same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        for key in old:
            if key not in new:
                yield "remove", (*path, key), None
        for key, value in new.items():
            yield from _step(old, key, value, path)
    elif _grown(old, new):
        for index, value in enumerate(new):
            yield from _step(old, index, value, path)
    else:
        yield "set", path, new


def _step(old: Any, key: str | int, value: Any, path: Path) -> Iterator[_Step]:
    there = key in old if isinstance(old, dict) else int(key) < len(old)
    if there:
        yield from _steps(old[key], value, (*path, key))
    else:
        yield "add", (*path, key), value


def _grown(old: Any, new: Any) -> bool:
    """Say whether two lists are to be compared place by place.

    Only where most places are alike: otherwise the comment beside one item would
    end up beside another.
    """
    if not isinstance(old, list) or not isinstance(new, list):
        return False
    alike = sum(map(_alike, old, new))
    return 0 < len(old) <= len(new) and alike * 2 >= len(old)


def _alike(one: Any, other: Any) -> bool:
    both_mappings = isinstance(one, dict) and isinstance(other, dict)
    return _same(one, other) or (both_mappings and one.keys() == other.keys())


def _same(one: Any, other: Any) -> bool:
    # As JSON, because 1 == True == 1.0.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
