"""Killed at any step, a watcher has acted or it has not, and acts once (R144)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.support.killer import Killer
from tests.support.watched import Watched

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

#: Killing it at each of its steps would take too long; these change what others see.
_TELLING = ("git", "os.rename", "state.json", "events.jsonl")
_MOST = 12


def test_what_a_killed_watcher_left_is_finished_once(
    stocked: Workbench, tmp_path: Path
) -> None:
    watched = Watched(stocked)
    watched.report("accuracy", 0.5)
    watched.watch()
    (tmp_path / "runs").mkdir()
    with Killer(tmp_path / "runs") as killer:
        whole = killer.run(stocked.copy(tmp_path / "whole").path, "watch", "--once")
        assert (whole.state, whole.code) == ("exited", 0), whole.err
        telling = [
            number
            for number, step in enumerate(whole.steps, start=1)
            if any(word in step for word in _TELLING)
        ]
        assert len(telling) > _MOST
        for at in telling[:: len(telling) // _MOST]:
            copy = stocked.copy(tmp_path / f"copy-{at}")
            run = killer.run(copy.path, "watch", "--once", at=at)
            assert (run.state, run.code) == ("killed", signal.SIGKILL), at
            again = copy.run("--json", "watch", "--once")
            assert again.code == 0, (at, again.err)
            assert copy.live("fraud", "staging") == "1.0.0", run.steps[-1]
            events = copy.do("log", "fraud", "--stage", "staging")["events"]
            assert [e["action"] for e in events].count("rollback") == 1, run.steps[-1]
            assert copy.verify() == (0, []), run.steps[-1]
