"""What this clone has verified before: where to go on, and what may not be undone.

It is a cache of this user's own work. Without it everything is verified again; a
state file that somebody else could have written is not believed.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError, IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Verified:
    """A commit up to which the history of a registry was found legal.

    Attributes:
        whole: Whether the tree of that commit was looked at, and right, as a whole.
    """

    registry: Digest
    commit: str
    whole: bool = False


def _path(repository: Repository) -> Path:
    return repository.state_dir / "state.json"


def read(repository: Repository) -> Verified | None:
    """Return what was verified; None if nothing was, or the commit is gone.

    Raises:
        IntegrityError: Others can write the file.
    """
    path = _path(repository)
    try:
        found = path.lstat()
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    mine = found.st_uid in (os.getuid(), 0)
    if not stat.S_ISREG(found.st_mode) or not mine or found.st_mode & 0o022:
        raise IntegrityError(
            f"{path} could have been written by somebody else.",
            f"rm {path}  makes the next verification a full one.",
            code="E_STATE_PERMS",
        )
    try:
        data = json.loads(text)
        registry = Digest.parse(data["registry"])
        if _COMMIT.fullmatch(data["commit"]) is None:
            return None
        return Verified(registry, data["commit"], data.get("whole") is True)
    except (ValueError, KeyError, TypeError, RecursionError, GitmodelError):
        return None


def write(repository: Repository, verified: Verified) -> None:
    """Remember a verification; a clone that cannot be written remembers nothing."""
    path = _path(repository)
    data = {
        "registry": str(verified.registry),
        "commit": verified.commit,
        "whole": verified.whole,
    }
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(data), encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(path)
    except OSError:
        return
