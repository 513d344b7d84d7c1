"""Where git looks for hooks, as the user has set it up.

gitmodel's own git processes run no hooks, so the setting that says so is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository


@dataclass(frozen=True, slots=True)
class HooksDirectory:
    """The directory with the hooks of a clone.

    Attributes:
        path: It need not exist.
        shared: Whether other repositories of this user or machine use it, too.
    """

    path: Path
    shared: bool = False


def hooks_directory(repository: Repository) -> HooksDirectory:
    """Return where the hooks of a clone are; all its work trees share them."""
    listed = repository.git.attempt(
        "config", "--show-scope", "-z", "--type=path", "--get-all", "core.hooksPath"
    )[1]
    fields = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    said = [
        (scope, value)
        for scope, value in zip(fields[::2], fields[1::2], strict=True)
        if scope != "command"
    ]
    if not said:
        return HooksDirectory(repository.common_dir / "hooks")
    scope, value = said[-1]
    # git runs hooks at the top of the work tree, and finds them from there.
    path = (repository.work_tree or repository.git_dir) / Path(value)
    return HooksDirectory(path, shared=scope in {"global", "system"})
