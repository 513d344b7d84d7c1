"""Commit messages that people can read and git can parse.

A subject, a free text, git's own "This reverts commit" lines, and trailers. The
trailers are for people and ``git log``; what counts is in the signed documents.

Text of people never becomes a trailer. git looks for trailers in the last paragraph,
but ends the message early at a line ``---`` or at a pair of scissors; such lines are
indented here, so that they are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUBJECT = 100
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_END = re.compile(r"^(?=---\s|---$|.*-{24} >8 -{24})", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitMessage:
    """The parts of a message.

    Attributes:
        subject: One line.
        body: The reason that a person gave; may be empty or have many lines.
        reverts: Commits that this one undoes, newest first.
        trailers: (key, value) pairs; pairs with an empty value are left out.
    """

    subject: str
    body: str = ""
    reverts: tuple[str, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        paragraphs = [_one_line(self.subject)[:_SUBJECT]]
        if body := _END.sub(" ", _clean(self.body).strip()):
            paragraphs.append(body)
        if self.reverts:
            lines = (f"This reverts commit {commit}." for commit in self.reverts)
            paragraphs.append("\n".join(lines))
        # Always last, so that a reason that looks like trailers is none.
        trailers = [
            f"{key}: {_one_line(value)}" for key, value in self.trailers if value
        ]
        if trailers:
            paragraphs.append("\n".join(trailers))
        return "\n\n".join(paragraphs) + "\n"


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
