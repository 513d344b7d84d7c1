"""Text of others in Markdown, so that it stays text.

Forges make links of ``@name`` and ``#1``, take lines that begin with ``/`` for commands
(GitLab) and let HTML through. In code none of that happens, and escaping it by hand is
different on each forge; so whatever people wrote is shown as code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_SPACE = re.compile(r"\s+")
_LEAST = 3


def code(text: object, limit: int | None = None) -> str:
    """Return a word or a sentence as code in a line, fit for a table as well.

    What is longer than ``limit`` characters is cut off, and that is shown.
    """
    plain = _SPACE.sub(" ", _CONTROL.sub("", str(text))).strip()
    if not plain:
        return ""
    if limit is not None and len(plain) > limit:
        plain = f"{plain[: limit - 1].rstrip()}…"
    fence = "`" * (_longest_run(plain) + 1)
    pad = " " if plain[0] == "`" or plain[-1] == "`" else ""
    # In a table a bar ends the cell, even in code; the backslash is not shown.
    return f"{fence}{pad}{plain}{pad}{fence}".replace("|", "\\|")


def block(text: str) -> str:
    """Return text of several lines as a block of code."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n")).strip("\n")
    fence = "`" * max(_LEAST, _longest_run(plain) + 1)
    return f"{fence}text\n{plain}\n{fence}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table; cells are Markdown already."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bound(text: str, limit: int, note: str) -> str:
    """Return a document of at most ``limit`` bytes in UTF-8, cut between lines.

    Args:
        text: Markdown without blocks, whose every line can be the last one.
        limit: Bytes, with the note.
        note: A line that says that something is missing.
    """
    if len(text.encode()) <= limit:
        return text
    room = limit - len(note.encode()) - 2
    kept: list[str] = []
    for line in text.split("\n"):
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, "", note])


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
