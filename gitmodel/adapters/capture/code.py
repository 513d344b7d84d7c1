"""Which commit of which repository trained a model (R033).

- The repository is the one around a directory; inside a submodule it is the
  submodule, inside a linked worktree that worktree.
- Credentials never reach a manifest: what an ``https`` address carries before its
  host, after "?" or after "#", is removed.
- None means "there is no code to name here", never "something broke": no
  repository, the registry itself, a bare one, or one without commits. ``notice``
  hears which.

Not judged here: whether dirty code may be registered or promoted.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.capture.process import ask_git, reason
from gitmodel.adapters.capture.worktree import is_dirty
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_URL = re.compile(
    r"(?P<helper>[a-z0-9]+::)?(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user>[^/?#]*)@)?(?P<place>[^?#]*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeState:
    """The code of a training run.

    Attributes:
        commit: Full hex name of the commit that is checked out.
        dirty: Whether the work tree holds anything that the commit does not.
        repo: Address of the remote ``origin`` without credentials; None without one.
        path: The directory, relative to the repository's root; "" for the root.
    """

    commit: str
    dirty: bool
    repo: str | None = None
    path: str = ""

    def to_dict(self) -> dict[str, str | bool]:
        """Return the form that ``training.code`` of a manifest has."""
        found: dict[str, str | bool] = {}
        if self.repo is not None:
            found["repo"] = self.repo
        found["commit"] = self.commit
        found["dirty"] = self.dirty
        if self.path:
            found["path"] = self.path
        return found


def capture_code(
    directory: Path,
    *,
    exclude: Path | None,
    notice: Callable[[str], None] | None = None,
) -> CodeState | None:
    """Return the state of the repository around ``directory``, or None.

    Args:
        directory: Where the training code is.
        exclude: The registry's directory: it is not training code, and when it
            lies inside the code's work tree it does not make that dirty.
        notice: Hears one sentence that says why the answer is None.

    Raises:
        InputError: ``directory`` is no directory, or its name is not UTF-8.
        OutsideError: git is missing, fails, or distrusts the repository's owner.
    """
    if not directory.is_dir():
        raise InputError(f"{directory} is not a directory.")
    here = directory.resolve()
    tell = notice or _ignore
    answer = ask_git(here, "rev-parse", "--is-inside-work-tree", "--show-prefix")
    if answer.returncode:
        if b"not a git repository" not in answer.stderr:
            raise OutsideError(f"git cannot read {here}: {reason(answer)}.")
        tell(f"{directory} is not inside a git repository.")
        return None
    inside, _, rest = answer.stdout.partition(b"\n")
    if inside != b"true":
        tell(f"{directory} is not inside the work tree of a repository.")
        return None
    path = _utf8(rest[:-1]).rstrip("/")
    top = here.parents[path.count("/")] if path else here
    registry = exclude.resolve() if exclude is not None else None
    if registry is not None and _same_repository(top, registry):
        tell(f"{directory} is in the registry, which holds no training code.")
        return None
    head = ask_git(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head.returncode:
        tell(f"The repository around {directory} has no commit yet.")
        return None
    return CodeState(
        commit=head.stdout.decode("ascii").strip(),
        dirty=is_dirty(top, ignored=_below(top, registry)),
        repo=_origin(top),
        path=path,
    )


def without_credentials(url: str) -> str:
    """Return ``url`` without passwords and tokens; a user name for ssh stays.

    ``git@host:path`` and plain paths come back as they are.
    """
    match = _URL.match(url)
    if match is None:
        return url
    scheme = match["scheme"]
    user = ""
    if match["user"] and "ssh" in scheme.lower():
        user = match["user"].partition(":")[0] + "@"
    return f"{match['helper'] or ''}{scheme}://{user}{match['place']}"


def _origin(top: Path) -> str | None:
    # Not `remote get-url`: it applies url.*.insteadOf, where CI jobs keep tokens.
    answer = ask_git(top, "config", "-z", "--get-all", "remote.origin.url")
    url = without_credentials(
        answer.stdout.partition(b"\0")[0].decode(errors="replace")
    )
    return url if url and url.isprintable() else None


def _same_repository(top: Path, registry: Path) -> bool:
    """Say whether both are work trees of one repository."""
    if not registry.is_dir():
        return False
    question = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    ours, theirs = ask_git(top, *question), ask_git(registry, *question)
    return theirs.returncode == 0 and ours.stdout == theirs.stdout


def _below(top: Path, registry: Path | None) -> str | None:
    if registry is None or top not in registry.parents:
        return None
    return registry.relative_to(top).as_posix()


def _utf8(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The directory {os.fsdecode(name)!r} has a name that is not UTF-8."
        ) from error


def _ignore(_: str) -> None:
    """Let a notice pass unheard."""
