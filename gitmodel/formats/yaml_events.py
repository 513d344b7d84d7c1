"""From parser events to plain values, with the line of every part.

An explicit stack, so that no nesting exhausts Python's own. What is wrong is
collected and reading goes on, as long as it makes sense to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from gitmodel.formats.document import Document, Path
from gitmodel.formats.yaml_scalars import UNWRITABLE, resolve

_NOTHING: Any = object()  # no key yet, or a key that cannot be used


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    value: Any  # a dict or a list
    path: Path
    line: int
    key: Any = _NOTHING
    wants_value: bool = False
    keys: dict[str, int] = field(default_factory=dict)


class Assembly:
    """Builds one document out of events.

    Attributes:
        found: What is wrong so far, as (code, message, line).
    """

    def __init__(self, *, max_levels: int, max_nodes: int, max_found: int) -> None:
        self.found: list[tuple[str, str, int | None]] = []
        self._max_levels = max_levels
        self._max_nodes = max_nodes
        self._max_found = max_found
        self._nodes = 0
        self._open: list[_Open] = []
        self._root: Any = None
        self._documents = 0
        self._lines: dict[Path, int] = {}
        self._written: dict[Path, str] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there was no document, or nothing in it."""
        return self._root is None

    def document(self) -> Document:
        """Return what the events said; only meaningful if ``found`` is empty."""
        return Document(value=self._root, lines=self._lines, written=self._written)

    def take(self, event: Event) -> bool:
        """Take the next event; False means that reading further is pointless."""
        line: int = event.start_mark.line + 1
        if isinstance(event, NodeEvent):
            self._refuse_properties(event, line)
            self._nodes += 1
            if self._nodes > self._max_nodes:
                message = f"it has more than {self._max_nodes:,} keys and values."
                self._wrong(message, line, "E_LIMIT")
                return False
        if isinstance(event, ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, CollectionStartEvent):
            return self._start(event, line)
        elif isinstance(event, CollectionEndEvent):
            closed = self._open.pop()
            self._put(closed.value, closed.line)
        elif isinstance(event, AliasEvent):
            self._put(_NOTHING, line)
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._wrong("a file holds one document; this begins another.", line)
                return False
        return len(self.found) < self._max_found

    def _wrong(self, message: str, line: int, code: str = "E_YAML") -> None:
        self.found.append((code, message, line))

    def _refuse_properties(self, event: NodeEvent, line: int) -> None:
        if isinstance(event, AliasEvent):
            message = f"the alias *{event.anchor} is not allowed; repeat the value."
            self._wrong(message, line, "E_YAML_ALIAS")
        elif event.anchor is not None:
            message = f"the anchor &{event.anchor} is not allowed."
            self._wrong(message, line, "E_YAML_ALIAS")
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = _short(tag.replace("tag:yaml.org,2002:", "!!"))
            self._wrong(f"the tag {shown} is not allowed.", line)

    def _start(self, event: CollectionStartEvent, line: int) -> bool:
        if len(self._open) == self._max_levels:
            message = f"it has more than {self._max_levels} levels."
            self._wrong(message, line, "E_LIMIT")
            return False
        value: Any = {} if isinstance(event, MappingStartEvent) else []
        self._open.append(_Open(value, self._here(line), line))
        return True

    def _scalar(self, event: ScalarEvent, line: int) -> None:
        text: str = event.value
        if event.style:
            self._text(text, line)
            return
        value: Any = None
        try:
            value = resolve(text)
        except ValueError as error:
            advice = "write it in quotes if it is text"
            self._wrong(f"{_short(text)} {error}; {advice}.", line)
        if isinstance(value, str):
            self._text(value, line)
        else:
            self._put(value, line, text)

    def _text(self, text: str, line: int) -> None:
        if match := UNWRITABLE.search(text):
            self._wrong(f"\\u{ord(match[0]):04X} is not allowed in text.", line)
        self._put(text, line)

    def _here(self, line: int) -> Path:
        """Return the path of the value that begins now, and note its line."""
        parent = self._open[-1] if self._open else None
        if parent is None:
            path: Path = ()
        elif isinstance(parent.value, list):
            path = (*parent.path, len(parent.value))
        elif parent.wants_value and parent.key is not _NOTHING:
            path = (*parent.path, parent.key)
        else:
            return parent.path  # it cannot be used, but what is wrong in it counts
        self._lines.setdefault(path, line)  # a key has noted its own before
        return path

    def _put(self, value: Any, line: int, written: str | None = None) -> None:
        """Put a complete value where it belongs."""
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.value, dict):
            if not parent.wants_value:
                parent.key = self._key(parent, value, line, written)
                parent.wants_value = True
                return
            parent.wants_value = False
            if parent.key is _NOTHING:
                return
            parent.value[parent.key] = value
            path: Path = (*parent.path, parent.key)
        else:
            path = self._here(line)
            if parent is None:
                self._root = value
            else:
                parent.value.append(value)
        if written is not None:
            self._written[path] = written

    def _key(self, parent: _Open, key: Any, line: int, written: str | None) -> Any:
        if key is _NOTHING:  # an alias, which has been refused
            return _NOTHING
        if not isinstance(key, str):
            shown = _short(written) if written else "this key"
            advice = f'; write it in quotes: "{shown}"' if written else ""
            self._wrong(f"{shown} is not text, as a key must be{advice}.", line)
            return _NOTHING
        if key == "<<":
            self._wrong("the merge key << is not allowed.", line)
            return _NOTHING
        if key in parent.keys:
            first = parent.keys[key]
            message = f"the key {_short(key)!r} is here twice, first on line {first}."
            self._wrong(message, line)
            return _NOTHING
        parent.keys[key] = line
        self._lines[*parent.path, key] = line
        return key


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004
