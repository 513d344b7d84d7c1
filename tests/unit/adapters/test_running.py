from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gitmodel.adapters.running import Finished, TooTalkativeError, run_bounded


def python(code: str, **options: Any) -> Finished:
    chosen = {"timeout": 20.0, "most": 10_000} | options
    return run_bounded([sys.executable, "-S", "-c", code], **chosen)


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


def test_what_it_prints_and_how_it_ends(tmp_path: Path) -> None:
    code = """if True:
        import os, sys
        print(os.getcwd(), os.environ["X"], "GIT_DIR" in os.environ)
        print("first\\nlast words", file=sys.stderr)
        sys.exit(3)"""

    done = python(code, cwd=tmp_path, environment={"X": "y"})

    assert done.status == 3
    assert done.stdout.decode().split() == [str(tmp_path), "y", "False"]
    assert done.complaint == "last words"


def test_both_pipes_may_be_full_at_once() -> None:
    code = """if True:
        import sys
        sys.stderr.write("e" * 300_000)
        sys.stdout.write(str(len(sys.stdin.read())))
        sys.stdout.write("o" * 300_000)"""

    done = python(code, stdin=b"i" * 300_000, most=400_000)

    assert done.stdout == b"300000" + b"o" * 300_000
    assert len(done.stderr) == 4096


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
    with pytest.raises(TimeoutError, match=r"within 0\.3 seconds"):
        python(code, timeout=0.3)
    assert time.monotonic() - started < 5


def test_its_children_are_killed_with_it(tmp_path: Path) -> None:
    code = f"""if True:
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        time.sleep(600)"""

    with pytest.raises(TimeoutError):
        python(code, timeout=1.5)

    assert dies(int((tmp_path / "pid").read_text()))


def test_a_child_that_it_leaves_behind_is_not_waited_for() -> None:
    code = """if True:
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid)"""

    done = python(code)

    assert done.status == 0
    assert dies(int(done.stdout))


def test_talk_without_end_is_cut_off() -> None:
    with pytest.raises(TooTalkativeError, match="10,000 bytes"):
        python("while True: print('x' * 1000)")


def test_a_complaint_without_words() -> None:
    assert python("raise SystemExit(7)").complaint == "it exited with 7"
    killed = python("import os; os.kill(os.getpid(), 9)")
    assert (killed.status, killed.complaint) == (-9, "signal 9 ended it")


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        run_bounded([tmp_path / "nothing"], timeout=1, most=1)


def test_no_shell_sees_the_arguments(tmp_path: Path) -> None:
    done = run_bounded(["/bin/echo", f"$(touch {tmp_path}/x); *"], timeout=5, most=1000)

    assert done.stdout.decode() == f"$(touch {tmp_path}/x); *\n"
    assert not (tmp_path / "x").exists()
