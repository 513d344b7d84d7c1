"""Two writers in one clone never lose an update, whatever their timing (design 6).

One of them is stopped before each of its steps in turn, the other one acts, and the
first goes on.
"""

from __future__ import annotations

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.killer import Killer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.killer import Outcome
    from tests.support.workbench import Workbench

STOP = signal.SIGSTOP
PROMOTE = ("promote", "fraud@1.1.0", "dev", "-m", "first")


@pytest.fixture
def killers(bench: Workbench, tmp_path: Path) -> Iterator[tuple[Killer, Killer]]:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.register(version=version)
    bench.promote("fraud@1.0.0", "dev")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with Killer(tmp_path / "one") as one, Killer(tmp_path / "other") as other:
        yield one, other


def _each_stop(
    bench: Workbench, killer: Killer, scratch: Path, *args: str, stride: int = 1
) -> Iterator[tuple[Workbench, Outcome, str]]:
    """Yield copies of the registry in which a command stands before one step."""
    whole = bench.copy(scratch / "whole")
    steps = killer.run(whole.path, *args).steps
    for at in range(1, len(steps) + 1, stride):
        copy = bench.copy(scratch / f"copy-{at}")
        stopped = killer.run(copy.path, *args, at=at, send=STOP)
        assert stopped.state == "stopped", steps[at - 1]
        yield copy, stopped, steps[at - 1]


def _sound(bench: Workbench, step: str) -> None:
    assert bench.git("status", "--porcelain", "-uall") == "", step
    assert bench.verify() == (0, []), step


def test_two_promotions_at_once_both_land_or_one_says_that_it_did_not(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, other = killers
    with ThreadPoolExecutor(1) as pool:
        for copy, stopped, step in _each_stop(bench, one, tmp_path, *PROMOTE):
            future = pool.submit(other.run, copy.path, "promote", "fraud@1.2.0", "dev")
            if "fcntl.flock" not in stopped.steps[:-1]:
                future.result()  # nothing holds it up
            first = one.resume(stopped)
            second = future.result()
            assert {first.code, second.code} <= {0, 1}, step
            assert 0 in {first.code, second.code}, step
            events = copy.do("log", "fraud", "--stage", "dev")["events"]
            landed = [event["to"] for event in events]
            assert ("1.1.0" in landed) == (first.code == 0), step
            assert ("1.2.0" in landed) == (second.code == 0), step
            assert copy.live("fraud", "dev") == landed[0], step
            _sound(copy, step)


def test_two_registrations_at_once_get_two_versions(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, other = killers
    files = [str(bench.file(name, name.encode())) for name in ("a.bin", "b.bin")]
    first_command, second_command = (
        ("register", "fraud", file, "--no-capture") for file in files
    )
    with ThreadPoolExecutor(1) as pool:
        # Not at every step, for they are many: the promotions above did that.
        stops = _each_stop(bench, one, tmp_path, *first_command, stride=5)
        for copy, stopped, step in stops:
            future = pool.submit(other.run, copy.path, *second_command)
            if not any(name.endswith("gitmodel/lock") for name in stopped.steps):
                future.result()
            assert one.resume(stopped).code == 0, step
            assert future.result().code == 0, step
            versions = copy.do("list", "fraud")["versions"]
            assert {"1.2.1", "1.2.2"} < {row["version"] for row in versions}, step
            _sound(copy, step)


def test_readers_neither_wait_for_a_writer_nor_disturb_it(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, _ = killers
    for copy, stopped, step in _each_stop(bench, one, tmp_path, *PROMOTE, stride=2):
        assert copy.live("fraud", "dev") in {"1.0.0", "1.1.0"}, step
        assert copy.verify("--no-bytes") == (0, []), step
        finished = one.resume(stopped)
        assert (finished.code, finished.err.count("Warning")) == (0, 0), step
        assert copy.live("fraud", "dev") == "1.1.0", step
        assert copy.git("status", "--porcelain", "-uall") == "", step


def test_a_plain_git_commit_meanwhile_takes_nothing_back(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, _ = killers
    outcomes = set()
    for copy, stopped, step in _each_stop(bench, one, tmp_path, *PROMOTE):
        (copy.path / "notes.txt").write_bytes(b"mine\n")
        script = "git add notes.txt && git commit -qm notes"
        plain = subprocess.run(
            ["sh", "-c", script], cwd=copy.path, capture_output=True, check=False
        )
        finished = one.resume(stopped)
        assert finished.code in {0, 1}, (step, finished.err)
        if finished.code == 1:
            assert "moved while this command ran" in finished.err
        landed = copy.live("fraud", "dev") == "1.1.0"
        assert landed == (finished.code == 0), step
        if plain.returncode == 0:
            assert copy.git("show", "HEAD:notes.txt") == "mine", step
        else:
            assert b"index.lock" in plain.stderr, step
            copy.git("add", "notes.txt")
            copy.git("commit", "-qm", "notes")
        _sound(copy, step)
        assert (copy.live("fraud", "dev") == "1.1.0") == landed, step
        outcomes.add((plain.returncode == 0, finished.code))
    assert (True, 0) in outcomes
    assert (True, 1) in outcomes


def test_a_branch_switched_meanwhile_is_not_the_one_that_changes(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, _ = killers
    for copy, stopped, step in _each_stop(bench, one, tmp_path, *PROMOTE, stride=2):
        copy.git("switch", "-q", "-c", "aside")
        aside = copy.git("rev-parse", "aside")
        locked = "fcntl.flock" in stopped.steps[:-1]
        assert one.resume(stopped).code == 0, step
        # Before it had the lock, the command took whichever branch it found.
        assert (copy.git("rev-parse", "aside") == aside) == locked, step
        _sound(copy, step)
        copy.git("switch", "-q", "main")
        _sound(copy, step)


def test_a_stale_index_lock_stops_no_reader_and_hides_no_commit(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.register(version="1.0.0")
    bench.register(version="1.1.0")
    bench.promote("fraud@1.0.0", "dev")
    lock = bench.path / ".git/index.lock"
    lock.write_bytes(b"")
    answer = bench.run("promote", "fraud@1.1.0", "dev")
    assert answer.code in {0, 1}
    assert "index.lock" in answer.err
    assert bench.live("fraud", "dev") == ("1.1.0" if answer.code == 0 else "1.0.0")
    assert bench.verify() == (0, [])
    assert bench.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")["verified"]
    assert lock.exists()  # it is not ours to remove
    lock.unlink()
    bench.run("promote", "fraud@1.1.0", "dev")
    _sound(bench, "afterwards")
    assert bench.live("fraud", "dev") == "1.1.0"


def test_a_stale_lock_of_the_branch_is_named_and_nothing_changes(
    bench: Workbench,
) -> None:
    bench.register(version="1.0.0")
    lock = bench.path / ".git/refs/heads/main.lock"
    lock.write_bytes(b"")
    before = bench.snapshot()
    answer = bench.run("--json", "promote", "fraud@1.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_REF_LOCKED")
    assert str(lock) in answer.err
    assert bench.snapshot() == before
    lock.unlink()
    bench.promote("fraud@1.0.0", "dev")
    _sound(bench, "afterwards")


def test_a_plain_commit_after_a_kill_neither_undoes_nor_hides_the_change(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, _ = killers
    before = bench.git("rev-parse", "main")
    steps = one.run(bench.copy(tmp_path / "whole").path, *PROMOTE).steps
    refused = 0
    for at in range(steps.index("git update-ref") + 1, len(steps) + 1):
        copy = bench.copy(tmp_path / f"copy-{at}")
        assert one.run(copy.path, *PROMOTE, at=at).state == "killed"
        landed = copy.git("rev-parse", "main") != before
        (copy.path / "notes.txt").write_bytes(b"mine\n")
        copy.git("add", "notes.txt", ok=False)
        if copy.git("ls-files", "notes.txt") == "":
            refused += 1
            # What git advises when a process was killed.
            (copy.path / ".git/index.lock").unlink()
            copy.git("add", "notes.txt")
        copy.git("commit", "-qm", "notes", "--only", "notes.txt")
        assert copy.live("fraud", "dev") == ("1.1.0" if landed else "1.0.0")
        assert copy.git("show", "HEAD:notes.txt") == "mine"
        _sound(copy, steps[at - 1])
    assert refused


def test_a_big_file_committed_after_a_kill_is_nothing_to_gitmodel(
    bench: Workbench, killers: tuple[Killer, Killer], tmp_path: Path
) -> None:
    one, _ = killers
    steps = one.run(bench.copy(tmp_path / "whole").path, *PROMOTE).steps
    at = steps.index("git update-index") + 1
    assert one.run(bench.path, *PROMOTE, at=at).state == "killed"
    (bench.path / ".git/index.lock").unlink()
    with (bench.path / "video.mp4").open("wb") as file:
        file.truncate(9 << 20)  # more than gitmodel reads of any object
    bench.git("add", "video.mp4")
    bench.git("commit", "-qm", "video", "--only", "video.mp4")
    assert bench.live("fraud", "dev") == "1.1.0"
    _sound(bench, "afterwards")
