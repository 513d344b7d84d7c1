"""Where registries with many versions are measured: made once, for all tables."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import gitmodel
from bench.timing import command

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Commits that come after the history that is verified first.
NEW = 10


@contextlib.contextmanager
def place(keep: Path | None) -> Iterator[Path]:
    """Yield a directory to work in; ``keep`` is one that stays."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="gitmodel-bench-") as name:
        yield Path(name)


def environment(root: Path) -> dict[str, str]:
    """Return, and set, the environment of a machine of its own."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    found = {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "PYTHONPATH": str(Path(gitmodel.__file__).parents[1]),
    }
    os.environ.update(found)
    return found


def registry(root: Path, versions: int) -> Path:
    """Return a registry of so many versions of ten models, one signed commit each.

    Every tenth version is promoted; ten more commits follow. It has no work tree.
    """
    from bench.quick_registry import Grower, make  # noqa: PLC0415 (reads HOME)

    path = root / f"registry-{versions}"
    if path.exists():
        return path
    began = time.perf_counter()
    make(path)
    _git(path, "config", "core.fsync", "none")
    grower = Grower(path)
    grower.grow(versions)
    grower.grow(NEW, promote_each=versions)
    _git(path, "repack", "-adq")
    seconds = time.perf_counter() - began
    print(f"made a registry of {versions} versions in {seconds:.0f} s")
    return path


def clone(root: Path, origin: Path) -> Path:
    """Return a clone with all its files and a full index, as people work in."""
    path = root / "clone"
    command(["git", "clone", "-q", origin, path], root, {})
    return path


def _git(cwd: Path, *args: str) -> str:
    return command(["git", *args], cwd, {})
