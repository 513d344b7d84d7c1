"""What an admin has set for a repository: which branches are protected, and limits.

Everything has a default, so that a repository without any setting is protected too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

BRANCHES = "refs/heads/"
REQUESTS = "request/"
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0", ""})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one push may bring; ``git config gitmodel.<name>`` changes each.

    Attributes:
        refs: Refs of all kinds.
        commits: New commits of a protected branch.
        objects: New objects of all kinds.
        file: Bytes of the largest file.
        bytes: Bytes of all new objects together.
        paths: Paths that the new commits change, each commit counted by itself.
    """

    refs: int = 1_000
    commits: int = 10_000
    objects: int = 500_000
    file: int = 32 << 20
    bytes: int = 1 << 30
    paths: int = 500_000


_LIMITS = {
    "refs": "gitmodel.maxrefs",
    "commits": "gitmodel.maxcommits",
    "objects": "gitmodel.maxobjects",
    "file": "gitmodel.maxfile",
    "bytes": "gitmodel.maxbytes",
    "paths": "gitmodel.maxpaths",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for one repository.

    Attributes:
        protected: Short names or patterns of the branches that hold the registry.
        default: Whether nobody named them, so that it is the branch of HEAD.
        root: Digest that policy 1 must have; None to take the first one on trust.
        free_tags: Whether tags may be moved and deleted.
        submodules: Whether a protected branch may hold submodules.
        lfs: Directory with the LFS objects; None if this machine does not have them.
    """

    protected: tuple[str, ...]
    default: bool
    root: Digest | None = None
    free_tags: bool = False
    submodules: bool = False
    lfs: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def protects(self, ref: str) -> bool:
        """Say whether a ref is a branch that holds the registry."""
        name = ref.removeprefix(BRANCHES)
        if name == ref or name.startswith(REQUESTS):
            return False
        return any(fnmatchcase(name, each) for each in self.protected)


def read_rules(
    repository: Repository,
    *,
    protect: Sequence[str] = (),
    root: Digest | None = None,
    lfs: Path | None = None,
) -> Rules:
    """Return what holds, by what is given here, else by git's configuration.

    Raises:
        InputError: A setting is malformed.
    """
    protected = tuple(protect) or repository.config_all("gitmodel.protected")
    default = not protected
    if default:
        protected = (repository.head().branch or "",)
    said = repository.config("gitmodel.root")
    store = repository.config("gitmodel.lfs")
    return Rules(
        protected=protected,
        default=default,
        root=root or (Digest.parse(said) if said else None),
        free_tags=_flag(repository, "gitmodel.freetags"),
        submodules=_flag(repository, "gitmodel.submodules"),
        lfs=lfs or (repository.common_dir / store if store else None),
        limits=_limits(repository),
    )


def _limits(repository: Repository) -> Limits:
    given: dict[str, int] = {}
    for each in fields(Limits):
        text = repository.config(_LIMITS[each.name])
        if text is None:
            continue
        if not text.isdecimal():
            raise InputError(f"{_LIMITS[each.name]} must be a whole number: {text!r}")
        given[each.name] = int(text)
    return Limits(**given)


def _flag(repository: Repository, key: str) -> bool:
    text = (repository.config(key) or "").lower()
    if text not in _TRUE | _FALSE:
        raise InputError(f"{key} must be true or false: {text!r}")
    return text in _TRUE
