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
    """Two clones that agree with their remote, side by side in one directory."""

    hub: Path
    ours: Workbench
    theirs: Workbench

    def tip(self) -> str:
        """Return the commit that the remote has."""
        return git(self.hub, "rev-parse", "main")

    def copy(self, to: Path, home: Path | None = None) -> Team:
        """Return a copy that knows nothing of the original; see below for ``home``."""
        names = [path.name for path in (self.hub, self.ours.path, self.theirs.path)]
        hub, *clones = copy_repositories(self.hub.parent, to, *names, home=home)
        (to / "outside").mkdir()
        return Team(hub, *(Workbench(path, to / "outside") for path in clones))


def copy_repositories(
    source: Path, to: Path, *names: str, home: Path | None = None
) -> list[Path]:
    """Copy repositories of one directory, so that they find each other there.

    With ``home``, what is in the home of that directory goes there.
    """
    if home is not None:
        shutil.copytree(source / "home", home, dirs_exist_ok=True)
    for name in names:
        shutil.copytree(source / name, to / name, symlinks=True)
        config = to / name / ".git/config"
        if config.exists():
            text = config.read_text()
            if home is not None:
                text = text.replace(str(source / "home"), str(home))
            config.write_text(text.replace(str(source), str(to)))
    return [to / name for name in names]


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
    """Return the ids of the objects that a clone's own LFS store has."""
    return objects_in(bench.path / ".git/lfs")


def objects_in(store: Path) -> set[str]:
    """Return the ids of the objects in an LFS store."""
    return {path.name for path in (store / "objects").rglob("*") if path.is_file()}


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


def fresh(team: Team, to: Path) -> Workbench:
    """Return what anybody gets from the remote now, with all bytes."""
    return clone(team.hub, to, team.ours.outside, smudge=True)
