"""Remotes and clones: bare hubs, fresh clones, and people who are faster."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Team:
    """Two clones that agree with their remote, in one directory with a home."""

    hub: Path
    ours: Workbench
    theirs: Workbench

    def tip(self) -> str:
        """Return the commit that the remote has."""
        return git(self.hub, "rev-parse", "main")

    def copy(self, to: Path) -> Team:
        """Return a copy that knows nothing of the original."""
        names = [path.name for path in (self.hub, self.ours.path, self.theirs.path)]
        copy_home_and(self.hub.parent, to, *names)
        (to / "outside").mkdir()
        hub, *clones = (to / name for name in names)
        return Team(hub, *(Workbench(path, to / "outside") for path in clones))


def copy_home_and(source: Path, to: Path, *names: str) -> None:
    """Copy a home and repositories, which find each other in the new place."""
    for name in ("home", *names):
        shutil.copytree(source / name, to / name, symlinks=True, dirs_exist_ok=True)
        config = to / name / ".git/config"
        if config.exists():
            text = config.read_text().replace(str(source), str(to))
            config.write_text(text)


def make_hub(path: Path) -> Path:
    """Make an empty bare repository that accepts pushes of ``main``."""
    git(path.parent, "init", "-q", "--bare", path)
    return path


def clone(
    source: Path | str, to: Path, outside: Path, *options: str, smudge: bool = False
) -> Workbench:
    """Clone with stock git; with ``smudge`` git-lfs downloads the artifacts at once."""
    skip = () if smudge else ("-c", "filter.lfs.process=git-lfs filter-process --skip")
    git(to.parent, *skip, "clone", "-q", *options, source, to)
    return Workbench(to, outside)


def stored(bench: Workbench) -> set[str]:
    """Return the ids of the objects that a clone's LFS store has."""
    objects = bench.path / ".git/lfs/objects"
    return {path.name for path in objects.rglob("*") if path.is_file()}


def digests(bench: Workbench, *selectors: str) -> set[str]:
    """Return the ids of the LFS objects of versions."""
    return {
        artifact["sha256"].removeprefix("sha256:")
        for selector in selectors
        for artifact in bench.do("show", selector)["artifacts"]
        if artifact["size"]
    }


def overtake(bench: Workbench, *commands: str) -> None:
    """Run shell commands once, after this clone's next fetch and before its push.

    What git calls at the other end of a push runs them first, so a race is lost at
    exactly this point, every time.
    """
    program = bench.path.parent / f"{bench.path.name}-receive-pack"
    marker = program.with_suffix(".done")
    steps = " && ".join(commands)
    program.write_text(
        f"#!/bin/sh\n[ -e {shlex.quote(str(marker))} ] || {{\n"
        f": > {shlex.quote(str(marker))}\n( {steps} ) >&2 || exit 1\n}}\n"
        'exec git-receive-pack "$@"\n'
    )
    program.chmod(0o755)
    bench.git("config", "remote.origin.receivepack", str(program))


def pushes(other: Workbench) -> str:
    """Return the shell command by which another clone pushes what it has."""
    return f"git -C {shlex.quote(str(other.path))} push -q origin main"
