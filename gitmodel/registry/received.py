"""What a server has verified of the pushes that it let in: where the next one goes on.

It names the registry, by its root, and the newest commits whose whole line was found
legal. That a commit is legal does not change, so it does not matter whether the push
that brought it landed in the end, nor which of two pushes at once wrote last. Without
the file everything is verified again.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.lock import exclusive
from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

#: Commits that are remembered; each push adds one for each protected branch.
_MOST = 64
#: Seconds to wait for another push that is writing; then this one is forgotten.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Received:
    """The registry, and commits up to which its history is legal, newest first."""

    registry: Digest
    commits: tuple[str, ...]


def path_of(repository: Repository) -> Path:
    """Return the file."""
    return repository.state_dir / "received.json"


def read(repository: Repository) -> Received | None:
    """Return what was verified; None if nothing was, or others could have written it.

    Many people may push to one directory. The owner of the repository is believed,
    and whoever runs this hook.
    """
    path = path_of(repository)
    try:
        found = path.lstat()
        owners = {0, os.getuid(), repository.git_dir.stat().st_uid}
        if (
            not stat.S_ISREG(found.st_mode)
            or found.st_uid not in owners
            or found.st_mode & 0o022
        ):
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        commits = tuple(map(str, data["commits"]))
        return Received(Digest.parse(data["registry"]), commits)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, GitmodelError):
        return None


def remember(repository: Repository, received: Received) -> None:
    """Add to what was verified; a repository that cannot be written forgets it."""
    path = path_of(repository)
    lock = exclusive(path.with_suffix(".lock"), patience=_PATIENCE)
    with suppress(OSError, GitmodelError), lock:
        known = read(repository)
        same = known is not None and known.registry == received.registry
        before = known.commits if known is not None and same else ()
        commits = list(dict.fromkeys((*received.commits, *before)))[:_MOST]
        data = {"registry": str(received.registry), "commits": commits}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(data), encoding="utf-8")
        temporary.chmod(0o644)
        temporary.replace(path)
