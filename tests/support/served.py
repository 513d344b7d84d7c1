"""A bare repository that judges what is pushed to it, and a clone of plain git."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.remotes import copy_repositories, make_hub
from tests.support.transcript import install
from tests.support.workbench import Workbench, git, unpack

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Pushed:
    """How a push ended: git's exit code, and what it printed."""

    code: int
    said: str


@dataclass(frozen=True)
class Kept:
    """Everything of a server that a refused push must leave as it was."""

    refs: str
    objects: frozenset[str]
    received: str


@dataclass(frozen=True)
class Served:
    """A server's repository ``hub``, and ``ours``, whose origin it is."""

    hub: Path
    ours: Workbench

    def push(self, *args: str, cwd: Path | None = None) -> Pushed:
        """Push with plain git: whoever does it has no gitmodel on the PATH."""
        done = subprocess.run(
            ["git", "push", "origin", *args],
            cwd=cwd or self.ours.path,
            capture_output=True,
            text=True,
            check=False,
        )
        return Pushed(done.returncode, done.stderr)

    def lands(self, *args: str) -> str:
        """Push what must be taken in; return what the server said."""
        pushed = self.push(*args)
        assert pushed.code == 0, pushed.said
        return pushed.said

    def refuses(self, *args: str, codes: set[str], cwd: Path | None = None) -> str:
        """Push what must be refused for ``codes``; return what the server said."""
        before, told = self.kept(), len(self.refusals())
        pushed = self.push(*args, cwd=cwd)
        assert pushed.code == 1, pushed.said
        assert "remote rejected" in pushed.said, pushed.said
        assert "Traceback" not in pushed.said
        assert "\x1b" not in pushed.said
        for code in codes:
            assert f"  {code}  " in pushed.said, pushed.said
        assert self.kept() == before
        assert len(self.refusals()) == told + 1
        found = {code for each in self.refusals()[-1]["refs"] for code in each["codes"]}
        assert found == codes, pushed.said
        return pushed.said

    def ask_for_approval(self) -> Path:
        """Let dev ask for an approval; return the key of bob, who may give it."""
        key = self.ours.outside / "bob"
        self.ours.do("key", "new", "--out", key)
        who = ("bob", "--key", f"{key}.pub", "--role", "approver")
        self.ours.do("policy", "add-principal", *who)
        self.ours.do("policy", "require", "dev", "--approvals", "1", "--push")
        return key

    def kept(self) -> Kept:
        """Remember refs, objects and what was verified."""
        received = self.hub / "gitmodel/received.json"
        objects = self.hub / "objects"
        return Kept(
            refs=git(self.hub, "for-each-ref"),
            objects=frozenset(
                str(path) for path in objects.rglob("*") if path.is_file()
            ),
            received=received.read_text() if received.exists() else "",
        )

    def refusals(self) -> list[Any]:
        """Return the entries of the log of refusals."""
        path = self.hub / "gitmodel/refused.jsonl"
        return (
            [json.loads(line) for line in path.read_text().splitlines()]
            if path.exists()
            else []
        )

    def tip(self, branch: str = "main") -> str:
        """Return the commit that a branch of the server has."""
        return git(self.hub, "rev-parse", f"refs/heads/{branch}")

    def setting(self, key: str, value: str) -> None:
        """Set git's configuration on the server."""
        git(self.hub, "config", key, value)

    def copy(self, to: Path, home: Path) -> Served:
        """Return a copy that knows nothing of the original."""
        hub, clone = copy_repositories(
            self.hub.parent, to, "hub.git", self.ours.path.name, home=home
        )
        (to / "outside").mkdir(exist_ok=True)
        return Served(hub, Workbench(clone, to / "outside"))


def program(directory: Path) -> Path:
    """Return this checkout's gitmodel as a program, for a hook to run."""
    return install(directory) / "gitmodel"


def serve(template: Path, root: Path) -> Served:
    """Make a server that has a registry: fraud@1.0.0 in dev, 1.1.0 and 2.0.0 beside."""
    ours = unpack(template, root / "home", root)
    hub = make_hub(root / "hub.git")
    ours.git("remote", "add", "origin", hub)
    ours.do("hook", "install-server", hub, "--program", program(root / "bin"))
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        ours.register(version=version)
    ours.promote("fraud@1.0.0", "dev")
    served = Served(hub, ours)
    served.lands("main")
    return served
