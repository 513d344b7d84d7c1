"""The log of refused pushes, in the repository that refused them (R065).

One JSON object in each line. A log that grows too long becomes the older one, of
which one is kept; it is for people to read, and nothing rests on it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

_LIMIT = 1 << 20


def path_of(repository: Repository) -> Path:
    """Return the file."""
    return repository.state_dir / "refused.jsonl"


def record(repository: Repository, entry: Mapping[str, Any]) -> None:
    """Add an entry; a repository that cannot be written has no log."""
    path = path_of(repository)
    line = json.dumps(entry, ensure_ascii=True) + "\n"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if path.stat().st_size > _LIMIT:
                path.replace(path.with_suffix(".old.jsonl"))
        with path.open("a", encoding="ascii") as log:
            log.write(line)
