"""Text from strangers inside Markdown that a forge renders.

Names, reasons and messages come from whoever can push a branch; a comment by CI is
read as the word of the project. So all of it goes into code spans: there, no dialect
knows markup, HTML, links, pictures, mentions, references or quick actions. Escaping
would not do: forges look for mentions and addresses in the rendered text, after
backslashes and character references are gone.
"""

from __future__ import annotations

import unicodedata

#: What could end a span or a cell, and what is shown in its place.
_LOOKALIKES = str.maketrans({"`": "'", "|": "¦"})
#: Controls, formats, surrogates, private and unassigned characters, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def code(text: str, limit: int = 200) -> str:
    """Return ``text`` as a code span on one line, which shows it and does nothing else.

    Args:
        text: Anything; "" gives "".
        limit: Characters that are kept; the rest is cut off, and that is shown.
    """
    line = "".join(map(_visible, " ".join(text.split()))).translate(_LOOKALIKES)
    if len(line) > limit:
        line = f"{line[: limit - 1].rstrip()}…"
    return f"`{line}`" if line else ""


def _visible(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN:
        return f"\\u{ord(character):04x}"
    return character


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table; its cells are Markdown already."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bound(text: str, limit: int, note: str) -> str:
    """Return a document of at most ``limit`` bytes in UTF-8, cut between lines.

    Args:
        text: Markdown whose every line can be the last one.
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
