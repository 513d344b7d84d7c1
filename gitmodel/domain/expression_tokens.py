"""The words of a condition, each with the column at which it begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1000

Kind = Literal["number", "text", "name", "sign", "end"]
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<text>"(?:[^"\\]|\\["'\\])*"|'(?:[^'\\]|\\["'\\])*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||<=|>=|==|!=|[-!<>+*/()\[\].,])
    |(?P<end>\Z))""",
    re.VERBOSE | re.ASCII,
)
_ESCAPED = re.compile(r"\\(.)")
#: What people write who know other languages.
_MEANT = {"=": "==", "&": "&&", "|": "||", "≤": "<=", "≥": ">=", "≠": "!="}


@dataclass(frozen=True, slots=True)
class Token:
    """One word.

    Attributes:
        text: As written; for text, what is between the quotes.
        column: Of its first character, from 1.
    """

    kind: Kind
    text: str
    column: int


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a condition; the last is of the kind ``end``.

    Raises:
        InputError: It is too long, or has a character that begins no word
            (``E_EXPRESSION``).
    """
    if len(text) > LONGEST:
        raise unreadable(text, 1, f"it is longer than {LONGEST} characters")
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise unreadable(text, at + 1, _strange(text[at]))
        for kind in ("number", "text", "name", "sign", "end"):
            found = match[kind]
            if found is not None:
                if kind == "text":
                    found = _ESCAPED.sub(r"\1", found[1:-1])
                yield Token(kind, found, match.start(kind) + 1)
                if kind == "end":
                    return
        at = match.end()


def unreadable(text: str, column: int, why: str) -> InputError:
    """Return the error that says what is wrong with a condition, and where."""
    shown = text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004
    return InputError(
        f"The condition {shown!a} cannot be read at column {column}: {why}.",
        "Write a condition such as 'len(result) > 0 && result[0] < 0.9'.",
        code="E_EXPRESSION",
    )


def _strange(character: str) -> str:
    if character in _MEANT:
        return f"there is no {character!a}; {_MEANT[character]} may be meant"
    if character in "\"'":
        return "this text does not end"
    return f"there is no {character!a}"
