"""Killed at any step, a command has happened or it has not (R144; design section 6)."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.killer import Killer, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

COMMANDS = {
    "register": ("register", "fraud", "NEW", "--version", "2.0.0", "--no-capture"),
    "promote": ("promote", "fraud@1.1.0", "dev"),
    "rollback": ("rollback", "fraud", "staging", "-m", "x"),
    "emergency": (
        "rollback", "fraud", "staging", "--emergency", "--incident", "I-1", "-m", "x",
        "--yes",
    ),
}  # fmt: skip


@pytest.fixture
def killer(tmp_path: Path, bench: Workbench) -> Iterator[Killer]:
    del bench  # its home must be there before the runner starts
    (tmp_path / "runs").mkdir()
    with Killer(tmp_path / "runs") as runner:
        yield runner


@dataclass(frozen=True)
class Story:
    """A registry in which one command is to be run many times over."""

    bench: Workbench
    killer: Killer
    name: str
    scratch: Path

    @classmethod
    def of(cls, name: str, bench: Workbench, killer: Killer, scratch: Path) -> Story:
        for version in ("1.0.0", "1.1.0"):
            bench.register(version=version)
        bench.promote("fraud@1.0.0", "dev", "staging")
        if name in {"rollback", "emergency"}:
            bench.promote("fraud@1.1.0", "dev", "staging")
        bench.file("new.bin", b"new weights")
        return cls(bench, killer, name, scratch)

    def run(self, at: int | None, send: signal.Signals) -> tuple[Workbench, Outcome]:
        """Run the command in a fresh copy of the registry."""
        copy = self.bench.copy(self.scratch / f"copy-{at}")
        new = str(self.bench.outside / "new.bin")
        args = [new if arg == "NEW" else arg for arg in COMMANDS[self.name]]
        return copy, self.killer.run(copy.path, *args, at=at, send=send)

    def facts(self, bench: Workbench) -> dict[str, object]:
        """Return what the command may change: the latest version and the pins."""
        [row] = bench.do("list")["models"]
        return dict(row)


def leftovers(bench: Workbench) -> list[str]:
    """Return what lies where only unfinished work lies."""
    git_dir = bench.path / ".git"
    kept = {"lock", "allowed_signers", "state.json"}
    kept |= {"events.jsonl", "events.lock"}
    found = [*(git_dir / "gitmodel").rglob("*"), *git_dir.glob("*.lock")]
    found += [*(git_dir / "lfs/tmp").glob("gitmodel-*")]
    found += [*bench.path.rglob("*.gitmodel-tmp")]
    cache = git_dir / "gitmodel/cache"  # of what lists show; no command needs it
    return [
        str(path)
        for path in found
        if path.name not in kept and not path.is_relative_to(cache)
    ]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_killed_at_each_step_it_has_happened_or_not(
    name: str, bench: Workbench, killer: Killer, tmp_path: Path
) -> None:
    story = Story.of(name, bench, killer, tmp_path)
    before = story.facts(bench)
    whole, finished = story.run(None, signal.SIGKILL)
    assert (finished.state, finished.code) == ("exited", 0), finished.err
    after = story.facts(whole)
    assert after != before
    seen = set()
    for at, step in enumerate(finished.steps, start=1):
        copy, outcome = story.run(at, signal.SIGKILL)
        assert (outcome.state, outcome.code) == ("killed", signal.SIGKILL), step
        facts = story.facts(copy)
        assert facts in (before, after), step
        seen.add(facts == after)
        assert copy.git("status", "--porcelain", "-uall") == "", step
        if leftovers(copy):
            copy.register(version="3.0.0")
            assert leftovers(copy) == [], step
        assert copy.git("fsck", "--strict", "--no-dangling") == "", step
        assert copy.verify() == (0, []), step
    assert seen == {True, False}


def test_interrupted_at_each_step_it_says_so_and_leaves_nothing_half_done(
    bench: Workbench, killer: Killer, tmp_path: Path
) -> None:
    # A promotion and a rollback land in the same way, and have fewer steps before.
    story = Story.of("register", bench, killer, tmp_path)
    before = story.facts(bench)
    whole, finished = story.run(None, signal.SIGINT)
    after = story.facts(whole)
    for at, step in enumerate(finished.steps, start=1):
        copy, outcome = story.run(at, signal.SIGINT)
        assert (outcome.state, outcome.code) == ("exited", 130), step
        assert "Interrupted" in outcome.err
        # Not only after the next gitmodel command: plain git may come first.
        assert copy.git("status", "--porcelain", "-uall") == "", step
        assert leftovers(copy) == [], step
        assert story.facts(copy) in (before, after), step
