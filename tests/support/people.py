"""People with a home, a key and a clone each, who share nothing but a remote."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.signing import keys, locations
from tests.support.cli import Answer, gitmodel
from tests.support.isolation import isolate
from tests.support.remotes import clone
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner


@dataclass(frozen=True)
class Person:
    """Somebody who works in a clone of their own, in an environment of their own."""

    name: str
    home: Path
    bench: Workbench

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let this be the home, the git configuration and the name."""
        with pytest.MonkeyPatch.context() as patch:
            isolate(patch, self.home)
            patch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
            config = self.home / "gitconfig"
            text = config.read_text().replace("Ada Byron", self.name.title())
            config.write_text(text.replace("ada@", f"{self.name}@"))
            yield

    def run(self, *args: str | Path) -> Answer:
        """Run a command, whatever comes out."""
        with self.at_work():
            return gitmodel("--json", *args, cwd=self.bench.path)

    def do(self, *args: str | Path) -> Any:
        """Run a command that must succeed; return its JSON."""
        answer = self.run(*args)
        assert answer.code == 0, f"{self.name}: {args}\n{answer.err}{answer.out}"
        return answer.json

    def git(self, *args: str | Path) -> str:
        """Run plain git."""
        with self.at_work():
            return self.bench.git(*args)

    def catch_up(self) -> Person:
        """Fetch everything, as one does in the morning."""
        with self.at_work():
            self.bench.git("fetch", "-q", "--prune")
            self.bench.git("merge", "-q", "--ff-only", "origin/main")
        return self

    def make_key(self) -> Path:
        """Make the key of this home; return the public one."""
        with self.at_work():
            made = gitmodel("--json", "key", "new")
            assert made.code == 0, made.err
            return locations.default_key().with_suffix(".pub")

    @property
    def signer(self) -> FileSigner:
        """The key, for whoever steals it."""
        with self.at_work():
            return keys.load(locations.default_key(), lambda: None)

    def join(self, hub: Path) -> None:
        """Clone the registry, without its artifacts."""
        with self.at_work():
            clone(hub, self.bench.path, self.bench.outside)


def person(name: str, place: Path) -> Person:
    """Return somebody whose home and clone are below ``place``."""
    outside = place / "outside"
    outside.mkdir(exist_ok=True)
    bench = Workbench(place / name, outside)
    return Person(name, place / f"home-{name}", bench)


def hub_of(owner: Person, place: Path) -> Path:
    """Make the bare repository that everybody shares, with all that the owner has."""
    with owner.at_work():
        git(place.parent, "init", "-q", "--bare", place)
        owner.bench.git("remote", "add", "origin", place)
        owner.bench.git("push", "-q", "-u", "origin", "main")
    return place
