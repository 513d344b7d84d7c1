"""Finds the comment that is to be replaced: ours, and marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.forge import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gitmodel.adapters.forge.answers import Fields


def upsert(
    comments: Iterable[Fields], marker: str, ours: Callable[[Fields], bool]
) -> int | None:
    """Return the number of the comment to replace; None to write a new one.

    Somebody else's comment with our mark is left alone: its author could change it
    again after us, and people would take that for our word.
    """
    start = mark(marker)
    for comment in comments:
        body = comment.value("body")
        if isinstance(body, str) and body.startswith(start) and ours(comment):
            return comment.number("id")
    return None
