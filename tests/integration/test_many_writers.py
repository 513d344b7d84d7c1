"""Many writers against one remote: nothing is lost, and everybody has a turn.

``python -m bench writers`` runs the same with 8 clones and 25 changes each.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from bench.writers import Course, run
from gitmodel.registry import turns
from tests.support import http_git
from tests.support.refusals import refusal
from tests.support.remotes import Team, overtake, pushes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.served import Served
    from tests.support.workbench import Workbench

PROMOTE = ("promote", "fraud@1.1.0", "dev", "--push")


@pytest.mark.parametrize(
    "course",
    [
        Course(clones=4, turns=3),
        Course(clones=3, turns=1, http=True, delay=1),
    ],
    ids=["by path", "HTTP, slow server hook"],
)
def test_every_change_lands_once_and_all_of_it_is_proved(
    course: Course, tmp_path: Path
) -> None:
    # Real processes, of which one at a time can win: as slow as they are.
    outcome = run(tmp_path / "soak", course)
    assert outcome.tally.problems == []
    assert len(outcome.tally.landed) == course.clones * course.turns
    assert outcome.lost >= 0


def at_the_other_end(bench: Workbench, program: str, commands: str) -> Path:
    """Run shell commands before each fetch or push; return the log of the runs."""
    runs = bench.path.parent / f"{program}.log"
    script = bench.path.parent / program
    script.write_text(
        f"#!/bin/sh\necho x >> {shlex.quote(str(runs))}\n"
        f"runs=$(wc -l < {shlex.quote(str(runs))})\n{commands}\n"
        f'exec git-{program} "$@"\n'
    )
    script.chmod(0o755)
    bench.git("config", f"remote.origin.{program.replace('-', '')}", str(script))
    return runs


def count(runs: Path) -> int:
    return len(runs.read_text().splitlines())


# --- what passes is tried again -------------------------------------------------------


def test_a_remote_that_is_locked_for_a_moment_is_tried_again(team: Team) -> None:
    lock = team.hub / "refs/heads/main.lock"
    lock.touch()
    gone = f"[ $runs -lt 3 ] || rm -f {shlex.quote(str(lock))}"
    runs = at_the_other_end(team.ours, "receive-pack", gone)
    team.ours.do(*PROMOTE)
    assert count(runs) == 3
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


def test_a_remote_that_stays_locked_is_not_taken_for_others(team: Team) -> None:
    (team.hub / "refs/heads/main.lock").touch()
    runs = at_the_other_end(team.ours, "receive-pack", ":")
    before, tip = team.ours.snapshot(), team.tip()
    answer = team.ours.run("--json", *PROMOTE)
    message = refusal(answer, 5, "E_REMOTE_REFUSED")
    assert "though its branch did not move" in message
    assert "main.lock" in answer.err or "*.lock" in answer.err
    assert count(runs) == turns.STUCK + 1
    after = team.ours.snapshot()
    assert (after.refs, after.status, after.files, team.tip()) == (
        before.refs, before.status, before.files, tip,
    )  # fmt: skip
    assert not (team.ours.path / ".git/gitmodel/journal.json").exists()


def test_somebody_else_who_fetches_in_this_clone_does_no_harm(team: Team) -> None:
    team.theirs.do("promote", "churn@1.0.0", "dev", "--push")
    lock = team.ours.path / ".git/refs/remotes/origin/main.lock"
    lock.touch()
    gone = f"[ $runs -lt 2 ] || rm -f {shlex.quote(str(lock))}"
    runs = at_the_other_end(team.ours, "upload-pack", gone)
    team.ours.do(*PROMOTE)
    assert count(runs) == 2
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


# --- what does not pass is not --------------------------------------------------------


def test_who_may_not_push_is_told_at_once(team: Team) -> None:
    denied = "echo 'fatal: Authentication failed' >&2; exit 128"
    runs = at_the_other_end(team.ours, "receive-pack", denied)
    before, tip = team.ours.snapshot(), team.tip()
    message = refusal(team.ours.run("--json", *PROMOTE), 5, "E_REMOTE")
    assert "Authentication failed" in message
    assert count(runs) == 1
    assert (team.ours.snapshot().refs, team.tip()) == (before.refs, tip)


def test_who_may_not_push_over_http_is_told_at_once(served: Served) -> None:
    served.setting("http.receivepack", "false")
    heard: list[str] = []
    with http_git.serving(served.hub.parent, heard=heard) as url:
        served.ours.git("remote", "set-url", "origin", f"{url}/hub.git")
        answer = served.ours.run("--json", *PROMOTE)
    assert "403" in refusal(answer, 5, "E_REMOTE")
    asked = [each for each in heard if "git-receive-pack" in each]
    assert len(asked) == 1


def test_who_loses_for_too_long_is_told_and_nothing_has_changed(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", -1)
    team.theirs.promote("churn@1.0.0", "dev")
    overtake(team.ours, pushes(team.theirs))
    answer = team.ours.run("--json", *PROMOTE)
    message = refusal(answer, 1, "E_PUSH_REJECTED")
    assert message.startswith("Others pushed first, 1 times in ")
    assert team.tip() == team.theirs.git("rev-parse", "HEAD")
    assert team.ours.live("fraud", "dev") == "1.0.0"
    assert not (team.ours.path / ".git/gitmodel/journal.json").exists()
    team.ours.do(*PROMOTE)
