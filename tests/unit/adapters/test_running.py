from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gitmodel.adapters.running import Ran, run_program


def python(code: str, seconds: float = 20.0, **options: Any) -> Ran:
    return run_program([sys.executable, "-S", "-c", code], seconds=seconds, **options)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def dies(pid: int) -> bool:
    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        os.sched_yield()
    return not is_alive(pid)


def test_what_it_prints_and_how_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GITMODEL_PASSPHRASE", "secret")
    code = """if True:
        import os, sys
        print(os.listdir(), [n for n in os.environ if n.startswith("GIT")])
        print("first\\nlast words", file=sys.stderr)
        sys.exit(3)"""

    done = python(code)

    assert done.status == 3
    said = done.output.decode()
    assert said.startswith("[] ")
    assert "GIT_DIR" not in said
    assert "GITMODEL_PASSPHRASE" not in said
    assert (done.whole, done.complaint) == (True, "last words")


def test_both_pipes_may_be_full_at_once() -> None:
    code = """if True:
        import sys
        sys.stderr.write("e" * 300_000)
        sys.stdout.write(str(len(sys.stdin.read())))
        sys.stdout.write("o" * 300_000)"""

    done = python(code, stdin=b"i" * 300_000)

    assert done.output == b"300000" + b"o" * 300_000
    assert done.whole


def test_it_need_not_read_what_it_is_told() -> None:
    assert python("pass", stdin=b"i" * 300_000).status == 0


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(600)",
        "import os, time; os.close(1); os.close(2); time.sleep(600)",
        "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)",
    ],
)
def test_it_is_killed_when_its_time_is_over(code: str) -> None:
    started = time.monotonic()
    assert python(code, 0.3).status is None
    assert time.monotonic() - started < 5


def test_its_children_are_killed_with_it(tmp_path: Path) -> None:
    code = f"""if True:
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        time.sleep(600)"""

    assert python(code, 1.5).status is None
    assert dies(int((tmp_path / "pid").read_text()))


def test_a_child_that_it_leaves_behind_is_not_waited_for() -> None:
    code = """if True:
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid)"""

    done = python(code)

    assert done.status == 0
    assert dies(int(done.output))


def test_only_the_beginning_of_much_talk_is_kept() -> None:
    done = python("print('x' * 100_000)", limit=1000)

    assert (done.status, done.output, done.whole) == (0, b"x" * 1000, False)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        run_program([str(tmp_path / "nothing")], seconds=1)


def test_no_shell_sees_the_arguments(tmp_path: Path) -> None:
    done = run_program(["/bin/echo", f"$(touch {tmp_path}/x); *"], seconds=5)

    assert done.output.decode() == f"$(touch {tmp_path}/x); *\n"
    assert not (tmp_path / "x").exists()


def test_a_group_is_killed_only_while_its_id_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed = []
    really = os.killpg

    def look_first(group: int, number: int) -> None:
        # Raises if somebody else may have the id by now.
        os.waitid(os.P_PID, group, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        killed.append(number)
        really(group, number)

    monkeypatch.setattr(os, "killpg", look_first)
    assert run_program(["/bin/sh", "-c", "sleep 60 & exit 3"], seconds=20).status == 3
    assert run_program(["/bin/sh", "-c", "sleep 60"], seconds=0.1).status is None
    assert killed
