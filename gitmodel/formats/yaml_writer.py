"""Writing documents: block style, keys in the order given, nothing ambiguous.

- ``yaml_reader.read(dump(x)).value == x`` for every document that can be written.
- What the reader would refuse, this refuses to write, with all problems at once.
- Equal documents give equal bytes: pins depend on it.

Existing files that people edit are changed by :mod:`gitmodel.formats.yaml_editor`,
which keeps their comments.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.emitter import RoundTripEmitter
from ruamel.yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.tag import Tag

from gitmodel.domain.problem import Problem
from gitmodel.formats.document import Path, display, refusal
from gitmodel.formats.yaml_reader import BYTES_PER_NODE, MAX_BYTES, MAX_LEVELS
from gitmodel.formats.yaml_scalars import (
    UNWRITABLE,
    is_literal,
    is_plain,
    quoted,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_WRAP = 1 << 30  # columns
_TEXT = Tag(suffix="tag:yaml.org,2002:str")


def dump(document: Mapping[str, Any], name: str = "") -> bytes:
    """Return ``document`` as YAML, UTF-8, with a newline at its end.

    Args:
        document: Mappings with text keys, sequences, text, numbers, booleans, None.
        name: What messages call the file.

    Raises:
        InputError: It holds what no document may: NaN, numbers beyond 64 bits,
            NUL, more than 20 levels or 1 MiB.
        TypeError: It holds an object that is none of the types above.
    """
    if problems := unwritable(document, name):
        raise refusal(name or "the document", problems)
    data = render(document).encode()
    nodes, most = _nodes(document), MAX_BYTES // BYTES_PER_NODE
    if len(data) > MAX_BYTES:
        message = f"it has {len(data):,} bytes, and {MAX_BYTES:,} are allowed."
    elif nodes > most:
        message = f"it has more than {most:,} keys and values."
    else:
        return data
    raise refusal(name or "the document", [Problem("E_LIMIT", message, name)])


def unwritable(value: Any, name: str) -> tuple[Problem, ...]:
    """Return why ``value`` cannot be written, one problem for each place.

    Raises:
        TypeError: It holds an object of a type that YAML does not have here.
    """
    return tuple(
        Problem(code, f"{display(path)}: {reason}" if path else reason, name)
        for code, path, reason in _reasons(value, ())
    )


def render(value: Any) -> str:
    """Return a value that can be written as YAML in block style."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Emitter = _Emitter
    yaml.width = _NO_WRAP
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.emit(_stream(value), stream)
    return stream.getvalue()


class _Emitter(RoundTripEmitter):
    """Escapes whatever the reader would not accept as it is."""

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        """Write ``text`` on one line."""
        del split
        self.write_indicator(quoted(text), need_whitespace=True)


def _reasons(value: Any, path: Path) -> Iterator[tuple[str, Path, str]]:
    if _is_scalar(value):
        if reason := _scalar_reason(value):
            yield "E_YAML", path, reason
    elif len(path) >= MAX_LEVELS:
        yield "E_LIMIT", path, f"there are more than {MAX_LEVELS} levels."
    elif isinstance(value, Mapping):
        for key, item in value.items():
            inner = (*path, key)
            if reason := _key_reason(key):
                yield "E_YAML", inner, reason
            yield from _reasons(item, inner)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for index, item in enumerate(value):
            yield from _reasons(item, (*path, index))
    else:
        raise TypeError(f"{display(path)} is a {type(value).__name__}")


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _scalar_reason(value: Any) -> str | None:
    if isinstance(value, str):
        match = UNWRITABLE.search(value)
        return f"\\u{ord(match[0]):04X} is not allowed in text." if match else None
    try:
        written(value)
    except ValueError as error:
        return f"it {error}."
    return None


def _key_reason(key: Any) -> str | None:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is not text")
    if key == "<<":
        return "the merge key << is not allowed."
    return _scalar_reason(key)


def _nodes(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + len(value) + sum(map(_nodes, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return 1 + sum(map(_nodes, value))
    return 1


def _stream(value: Any) -> Iterator[Event]:
    yield StreamStartEvent()
    yield DocumentStartEvent(explicit=False)
    yield from _events(value)
    yield DocumentEndEvent(explicit=False)
    yield StreamEndEvent()


def _events(value: Any) -> Iterator[Event]:
    if isinstance(value, str):
        style = None if is_plain(value) else "|" if is_literal(value) else '"'
        yield _scalar(value, style)
    elif isinstance(value, Mapping):
        yield MappingStartEvent(None, None, implicit=True, flow_style=not value)
        for key, item in value.items():
            yield _scalar(key, None if is_plain(key) else '"')
            yield from _events(item)
        yield MappingEndEvent()
    elif isinstance(value, Sequence):
        yield SequenceStartEvent(None, None, implicit=True, flow_style=not value)
        for item in value:
            yield from _events(item)
        yield SequenceEndEvent()
    else:
        yield _scalar(written(value), None)


def _scalar(text: str, style: str | None) -> Event:
    # Implicit both plain and quoted: no tag is ever written. The emitter wants to
    # see one all the same where the text is empty.
    return ScalarEvent(None, _TEXT, (True, True, True), text, style=style)
