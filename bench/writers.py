"""Many writers: clones that promote and roll back at once, against one remote.

Every writer is a clone, and every command a process of its own. Half of the commands
move a pin that only this writer moves, the others one of a few that all of them move. A
command that is told that somebody else moved the pin asks again, as people would.

Nothing may be lost: each command that says it is done has one commit on the remote's
first-parent line, nothing else is there, and a fresh clone proves all of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gitmodel
from bench.place import environment, place
from bench.timing import command
from tests.support.http_git import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGE = "dev"
VERSIONS = ("1.0.0", "1.1.0")
SHARED = ("shared-0", "shared-1")
_ROLLBACKS = 0.3
_WHO_MOVED_WHAT = re.compile(
    r"ada (promoted|rolled back) (\S+) in dev, \S+ -> \S+, at \S+Z"
)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is to be done.

    Attributes:
        turns: Changes that each clone makes.
        http: Whether the remote is a server, whose hook judges every push.
        delay: Seconds that the remote's hook takes besides.
    """

    clones: int
    turns: int
    http: bool = False
    delay: float = 0
    seed: int = 0


@dataclass
class Tally:
    """How the commands of a writer, or of all, came out.

    Attributes:
        landed: Commits that commands said they made.
        moved: Commands that were told that somebody else moved the pin.
        unchanged: Commands that found what they wanted.
        held: Promotions of what somebody had rolled back.
        problems: What may not happen.
        waits: Seconds that each command took.
    """

    landed: list[str] = field(default_factory=list)
    moved: int = 0
    unchanged: int = 0
    held: int = 0
    problems: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.landed += other.landed
        self.moved += other.moved
        self.unchanged += other.unchanged
        self.held += other.held
        self.problems += other.problems
        self.waits += other.waits


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        seconds: From the first command to the last.
        pushes: How many were begun; those that are not in ``tally.landed`` were lost.
    """

    course: Course
    tally: Tally
    seconds: float
    pushes: int

    @property
    def lost(self) -> int:
        return self.pushes - len(self.tally.landed)

    def report(self) -> str:
        course, tally = self.course, self.tally
        waits = sorted(tally.waits)
        how = "HTTP, server hook" if course.http else "by path"
        return (
            f"  {f'{course.clones} clones x {course.turns}, {how}':36}"
            f"{self.seconds:7.1f} s  {len(tally.landed):4} landed  "
            f"{self.lost:4} pushes lost and run again  "
            f"{tally.moved:3} told who moved the pin  "
            f"median {waits[len(waits) // 2]:.1f} s, longest {waits[-1]:.1f} s  "
            f"{len(tally.problems)} problems"
        )


def table(clones: int, turns: int) -> bool:
    """Print how it goes by path and over HTTP; say whether all went well."""
    print(f"\nMany writers ({clones} clones, {turns} changes each, whole processes)")
    well = True
    for http in (False, True):
        with place(None) as root:
            environment(root)
            outcome = run(
                root / "writers", Course(clones=clones, turns=turns, http=http)
            )
        print(outcome.report(), *outcome.tally.problems, sep="\n    ")
        well = well and not outcome.tally.problems
    return well


def run(root: Path, course: Course) -> Outcome:
    """Let the writers work in ``root``, which is empty, and check what comes out.

    The home is that of this process, which signs as ada.
    """
    _prepare(root, course)
    hub = root / "hub.git"
    start = _git(hub, "rev-parse", "main")
    with _remote(root, course) as heard:
        began = time.monotonic()
        with ThreadPoolExecutor(course.clones) as pool:
            numbers = range(course.clones)
            done = list(pool.map(lambda each: _write(root, course, each), numbers))
        seconds = time.monotonic() - began
        pushes = _pushes(root, heard)
        total = Tally()
        for each in done:
            total.add(each)
        for number in range(course.clones):
            total.problems += _left_behind(root / f"clone-{number}", hub)
    total.problems += _lost(hub, start, total) + _unproved(root, hub, total)
    return Outcome(course, total, seconds, pushes)


def _prepare(root: Path, course: Course) -> None:
    """Make the registry, the remote, and a clone with all bytes for every writer."""
    root.mkdir(parents=True, exist_ok=True)
    program = root / "gitmodel"
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(Path(gitmodel.__file__).parents[1]))}"
        f' exec {shlex.quote(sys.executable)} -m gitmodel "$@"\n'
    )
    program.chmod(0o755)
    first, hub = root / "first", root / "hub.git"
    models = [*SHARED, *(f"own-{number}" for number in range(course.clones))]
    with gitmodel.init_registry(first, name="writers", principal="ada") as registry:
        for version in VERSIONS:
            for model in models:
                file = root / "model.bin"
                file.write_text(f"{model} {version}")
                registry.register(model, [file], version=version)
            named = [f"{model}@{version}" for model in models]
            registry.promote_all(named, STAGE)
    _git(root, "init", "-q", "--bare", "--initial-branch=main", str(hub))
    _git(first, "remote", "add", "origin", str(hub))
    _do(first, "sync")
    if course.http:
        _do(first, "hook", "install-server", hub, "--program", program)
        _git(hub, "config", "http.receivepack", "true")
    if course.delay:
        hook = hub / "hooks/pre-receive"
        judge = hub / "hooks/judge"
        if hook.exists():
            hook.rename(judge)
        hook.parent.mkdir(exist_ok=True)
        then = shlex.quote(str(judge)) if judge.exists() else "cat >/dev/null"
        hook.write_text(f"#!/bin/sh\nsleep {course.delay}\nexec {then}\n")
        hook.chmod(0o755)
    for number in range(course.clones):
        shutil.copytree(first, root / f"clone-{number}", symlinks=True)


@contextlib.contextmanager
def _remote(root: Path, course: Course) -> Iterator[list[str]]:
    """Let every clone know its remote; yield what the server hears, if it is one."""
    heard: list[str] = []
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(serving(root, heard=heard)) if course.http else ""
        for number in range(course.clones):
            clone = root / f"clone-{number}"
            if course.http:
                _git(clone, "remote", "set-url", "origin", f"{url}/hub.git")
                _git(clone, "config", "lfs.url", f"file://{root}/hub.git")
                continue
            counter = root / f"receive-{number}"
            log = shlex.quote(str(root / f"pushes-{number}"))
            counter.write_text(
                f'#!/bin/sh\necho >> {log}\nexec git-receive-pack "$@"\n'
            )
            counter.chmod(0o755)
            _git(clone, "config", "remote.origin.receivepack", str(counter))
        yield heard


def _pushes(root: Path, heard: list[str]) -> int:
    counted = sum(path.stat().st_size for path in root.glob("pushes-*"))
    asked = "GET /hub.git/info/refs?service=git-receive-pack"
    return counted + heard.count(asked)


def _write(root: Path, course: Course, number: int) -> Tally:
    """Be one writer: land every change, however often it has to be asked for."""
    chance = random.Random(f"{course.seed}/{number}")  # noqa: S311
    tally = Tally()
    for turn in range(course.turns):
        own = chance.random() < 0.5
        model = f"own-{number}" if own else chance.choice(SHARED)
        back = chance.random() < _ROLLBACKS
        version, held = chance.choice(VERSIONS), tally.held
        while not _attempt(root, number, tally, (model, version, back), f"turn {turn}"):
            if tally.problems:
                return tally
            if tally.held > held:
                back, held = True, tally.held  # by name, it may be gone back to
            if tally.unchanged and tally.waits[-1] < 0:
                tally.waits.pop()
                version = next(each for each in VERSIONS if each != version)
    return tally


def _attempt(
    root: Path, number: int, tally: Tally, what: tuple[str, str, bool], reason: str
) -> bool:
    """Run one command; say whether it landed a change. A wait of -1: nothing to do."""
    model, version, back = what
    args = (
        ("rollback", model, STAGE, "--to", version)
        if back
        else ("promote", f"{model}@{version}", STAGE)
    )
    began = time.monotonic()
    code, answer, said = _gitmodel(
        root / f"clone-{number}", *args, "-m", f"{number}: {reason}", "--push"
    )
    tally.waits.append(time.monotonic() - began)
    if code == 0 and answer["commit"]:
        tally.landed.append(answer["commit"])
        return True
    if code == 0:
        tally.unchanged += 1
        tally.waits.append(-1)
        return False
    error = answer.get("error", {})
    named = _WHO_MOVED_WHAT.search(error.get("message", ""))
    if (code, error.get("code")) == (1, "E_STAGE_MOVED") and named:
        tally.moved += 1
        if named[2] != model or model.startswith("own-"):
            tally.problems.append(f"nobody else moves {model}: {error['message']}")
        return False
    if {each.get("gate") for each in error.get("problems", ())} == {"hold"}:
        tally.held += 1
        return False
    tally.problems.append(f"{shlex.join(map(str, args))}: {code}: {said}")
    return False


def _left_behind(clone: Path, hub: Path) -> list[str]:
    """Return how a clone differs from the remote once it has caught up."""
    _do(clone, "sync")
    found = []
    if _git(clone, "rev-parse", "HEAD") != _git(hub, "rev-parse", "main"):
        found.append(f"{clone.name} is not where the remote is")
    if dirty := _git(clone, "status", "--porcelain"):
        found.append(f"{clone.name} is not clean: {dirty}")
    return found


def _lost(hub: Path, start: str, tally: Tally) -> list[str]:
    """Return commits that were said to be made and are not there, or the reverse."""
    listed = _git(hub, "rev-list", "--first-parent", f"{start}..main").split()
    found = [f"{each} was lost" for each in {*tally.landed} - {*listed}]
    found += [f"{each} is nobody's" for each in {*listed} - {*tally.landed}]
    if len(listed) != len(tally.landed):
        found.append(f"{len(tally.landed)} commits landed, and {len(listed)} are there")
    return found


def _unproved(root: Path, hub: Path, tally: Tally) -> list[str]:
    """Return what a fresh clone cannot prove."""
    fresh = root / "fresh"
    _git(root, "clone", "-q", str(hub), str(fresh))
    _git(fresh, "lfs", "fetch", "--all", "origin")
    code, answer, said = _gitmodel(fresh, "verify", "--history", "--full")
    if code != 0 or answer["problems"]:
        return [f"verify: {code}: {said}"]
    events = _do(fresh, "log", "--stage", STAGE)["events"]
    moves = [each for each in events if each["commit"] in {*tally.landed}]
    if len(moves) != len(tally.landed):
        return [f"{len(moves)} moves in the logs, of {len(tally.landed)}"]
    return []


def _gitmodel(cwd: Path, *args: str | Path) -> tuple[int, Any, str]:
    done = subprocess.run(
        [sys.executable, "-m", "gitmodel", "--json", *map(str, args)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(gitmodel.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        return done.returncode, {}, done.stderr


def _do(cwd: Path, *args: str | Path) -> Any:
    code, answer, said = _gitmodel(cwd, *args)
    if code != 0:
        raise SystemExit(f"{shlex.join(map(str, args))}: {said}")
    return answer


def _git(cwd: Path, *args: str) -> str:
    return command(["git", *args], cwd, {}).strip()
