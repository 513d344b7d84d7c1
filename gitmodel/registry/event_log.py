"""What happened in this clone, as lines of JSON: kept even if nobody can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.lock import exclusive
from gitmodel.adapters.notify import file

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.domain.event import Event

NAME = "events.jsonl"
OLDER = "events.1.jsonl"
_MOST = 4 * 2**20  # bytes; then the file becomes the older one
_PATIENCE = 2.0  # seconds


def keep(repository: Repository, event: Event, *, most: int = _MOST) -> None:
    """Append an event to ``.git/gitmodel/events.jsonl``.

    Args:
        repository: Whose.
        event: What happened.
        most: Bytes after which a new file is begun; one older file stays.

    Raises:
        ConflictError: Others have held the file for too long.
        OutsideError: It cannot be written.
    """
    place = repository.state_dir
    with exclusive(place / "events.lock", patience=_PATIENCE):
        path = place / NAME
        if path.is_file() and path.stat().st_size >= most:
            path.replace(place / OLDER)
        file.append(place, NAME, event)
