"""One change to the text of a YAML document, found by the marks of its nodes.

Offsets count characters. "End" always means where the content of a node ends:
the parser's own mark of a block collection lies behind the comments that follow.
It does not judge the outcome; :mod:`gitmodel.formats.yaml_editor` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gitmodel.formats.yaml_scalars import is_literal, is_plain, quoted, written
from gitmodel.formats.yaml_writer import render

if TYPE_CHECKING:
    from gitmodel.formats.document import Path

_INDENT = 2
_Node = Any  # ruamel.yaml's own types know too little of its nodes


class Splice:
    """The text of a document, ready for one change."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._break = "\r\n" if "\r\n" in text else "\n"
        self._root: _Node = YAML(typ="safe", pure=True).compose(text)

    def set(self, path: Path, value: Any) -> str:
        """Return the text with the existing value at ``path`` replaced."""
        if not path:
            return render(value)
        parent, last = self._find(path[:-1]), path[-1]
        if isinstance(parent, MappingNode):
            key, node = self._entry(parent, last)
            if parent.flow_style or _stays_inline(node, value):
                return self._set_inline(key, node, value, flow=parent.flow_style)
            return self._set_block(parent, key, node, value)
        node = parent.value[last]
        end = self._end(node)
        flow = bool(parent.flow_style) or not _is_scalar(value)
        space = " " if _is_empty(node) else ""
        return self._replace(node.start_mark.index, end, space + _inline(value, flow))

    def add(self, path: Path, value: Any) -> str:
        """Return the text with a new key, or a new last item, at ``path``."""
        parent, last = self._find(path[:-1]), path[-1]
        end = self._end(parent)
        if parent.flow_style:
            end = self._last_end(parent)
            if isinstance(parent, MappingNode):
                item = _inline({last: value}, flow=True)[1:-1]
            else:
                item = _inline(value, flow=True)
            return self._replace(end, end, f", {item}")
        column = parent.start_mark.column
        if isinstance(parent, MappingNode):
            lines = _lines({last: value})
        else:
            lines = _children([value])
        return self._insert_lines(self._line_end(end), lines, column)

    def remove(self, path: Path) -> str:
        """Return the text without the key at ``path``, which is not the only one."""
        parent = self._find(path[:-1])
        key, node = self._entry(parent, path[-1])
        keys = [entry[0].value for entry in parent.value]
        index = keys.index(key.value)
        start, end = key.start_mark.index, self._entry_end(key, node)
        if parent.flow_style and index == len(keys) - 1:
            return self._replace(self._entry_end(*parent.value[index - 1]), end, "")
        line_start = self._text.rfind("\n", 0, start) + 1
        begins_line = self._text[line_start:start].strip() in {"", "?"}
        if parent.flow_style or not begins_line:
            following = parent.value[index + 1][0]
            return self._replace(start, following.start_mark.index, "")
        return self._replace(line_start, self._text.find("\n", end) + 1 or None, "")

    def _find(self, path: Path) -> _Node:
        node = self._root
        for step in path:
            if isinstance(node, MappingNode):
                node = self._entry(node, step)[1]
            else:
                node = node.value[step]
        return node

    def _entry(self, parent: _Node, name: str | int) -> tuple[_Node, _Node]:
        found: tuple[_Node, _Node] = next(
            (key, value) for key, value in parent.value if key.value == name
        )
        return found

    def _set_inline(self, key: _Node, node: _Node, value: Any, *, flow: bool) -> str:
        start, end = node.start_mark.index, self._entry_end(key, node)
        shown = _inline(value, flow or not _is_scalar(value))
        if not _is_empty(node):
            return self._replace(start, end, shown)
        colon = "" if self._text[end - 1] == ":" else ":"  # {key} has none
        return self._replace(end, end, f"{colon} {shown}")

    def _set_block(self, parent: _Node, key: _Node, node: _Node, value: Any) -> str:
        colon = self._text.index(":", key.end_mark.index) + 1
        end = self._entry_end(key, node)
        line_end = self._line_end(end)
        comment = ""
        if _is_inline(node):
            comment = self._text[end:line_end]
        elif node.start_mark.index > self._line_end(colon):
            comment = self._text[colon : self._line_end(colon)]
        if _is_scalar(value) or not value:
            head, lines = f" {_inline(value, flow=False)}", []
            if isinstance(value, str) and is_literal(value) and not comment.strip():
                first, *lines = _lines({"k": value})
                head, lines = first.removeprefix("k:"), _dedent(lines)
        else:
            head, lines = "", _children(value)
        column = parent.start_mark.column + _INDENT
        if isinstance(node, SequenceNode) and isinstance(value, list) and lines:
            column = column if _is_inline(node) else node.start_mark.column
        text = self._replace(colon, line_end, head + comment.rstrip())
        after = colon + len(head + comment.rstrip())
        return self._insert_lines(after, lines, column, text) if lines else text

    def _insert_lines(
        self, at: int, lines: list[str], column: int, text: str | None = None
    ) -> str:
        text = self._text if text is None else text
        block = "".join(
            f"{self._break}{' ' * column}{line}" if line else self._break
            for line in lines
        )
        tail = text[at:] or self._break
        return text[:at] + block + tail

    def _replace(self, start: int, end: int | None, new: str) -> str:
        return self._text[:start] + new + ("" if end is None else self._text[end:])

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        if end < 0:
            return len(self._text)
        return end - 1 if end > at and self._text[end - 1] == "\r" else end

    def _end(self, node: _Node) -> int:
        end: int = node.end_mark.index
        if isinstance(node, ScalarNode):
            if node.style not in {"|", ">"}:
                return end
            start: int = node.start_mark.index
            kept = node.value.endswith("\n\n") or not node.value.strip("\n")
            stripped = start + len(self._text[start:end].rstrip())
            return max(stripped, end - 1) if kept and node.value else stripped
        return end if node.flow_style or not node.value else self._last_end(node)

    def _last_end(self, node: _Node) -> int:
        if isinstance(node, MappingNode):
            return self._entry_end(*node.value[-1])
        return self._end(node.value[-1])

    def _entry_end(self, key: _Node, node: _Node) -> int:
        """Return where an entry ends; the mark of an empty value is the next key's."""
        if not _is_empty(node):
            return self._end(node)
        end: int = key.end_mark.index
        rest = self._text[end:]
        return end + rest.index(":") + 1 if rest.lstrip().startswith(":") else end


def _is_empty(node: _Node) -> bool:
    return isinstance(node, ScalarNode) and not node.value and not node.style


def _is_inline(node: _Node) -> bool:
    """Say whether a node stands within lines: a scalar, ``[…]`` or ``{…}``."""
    if isinstance(node, ScalarNode):
        return node.style not in {"|", ">"}
    return bool(node.flow_style)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _stays_inline(node: _Node, value: Any) -> bool:
    if not _is_inline(node) or (isinstance(value, str) and is_literal(value)):
        return False
    in_brackets = not isinstance(node, ScalarNode) and bool(node.value)
    return _is_scalar(value) or not value or in_brackets


def _inline(value: Any, flow: bool) -> str:
    if isinstance(value, dict):
        entries = (
            f"{_inline(key, flow=True)}: {_inline(item, flow=True)}"
            for key, item in value.items()
        )
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_inline(item, flow=True) for item in value)}]"
    if isinstance(value, str):
        return value if is_plain(value, flow=flow) else quoted(value)
    return written(value)


def _children(value: Any) -> list[str]:
    """Return the lines of a collection that is not empty, in block style."""
    return _dedent(_lines({"k": value})[1:])


def _lines(value: Any) -> list[str]:
    return render(value).removesuffix("\n").split("\n")


def _dedent(lines: list[str]) -> list[str]:
    return [line[_INDENT:] for line in lines]
