"""Long histories are judged in pieces at once, with the verdict of judging in order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

_SCRIPT = """
import sys
from gitmodel.adapters import workers
from gitmodel.cli.main import run
from gitmodel.operations.verification import history
history._LEAST_PIECE = 2
workers.processors = lambda: 3
calls = []
spread = workers.spread
def counted(tasks):
    calls.append(len(tasks))
    return spread(tasks)
workers.spread = counted
code = run(["--json", "-C", sys.argv[1], "verify", "--full", "--no-bytes"])
print(calls, file=sys.stderr)
sys.exit(code)
"""


def _in_pieces(bench: Workbench) -> tuple[int, Any]:
    """Verify in a process without threads, where forking is allowed."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, bench.path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip().endswith("[3]"), done.stderr
    return done.returncode, json.loads(done.stdout)


def _long(bench: Workbench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev", "staging")


def test_a_legal_history_is_legal_in_pieces_too(bench: Workbench) -> None:
    _long(bench)
    code, found = _in_pieces(bench)
    in_order = bench.do("verify", "--full", "--no-bytes")
    assert (code, found["ok"]) == (0, True)
    assert found["steps"] == in_order["steps"] == 10
    assert found["checked"] == in_order["checked"]


def test_what_is_wrong_in_a_later_piece_is_found_and_named(bench: Workbench) -> None:
    _long(bench)
    commit = bench.commit_file("log/dev/fraud/2.yaml", None, "forget it")
    bench.register(version="1.3.0")
    code, found = _in_pieces(bench)
    assert code == 4
    assert {"E_APPEND_ONLY"} <= {
        problem["code"] for problem in found["problems"] if problem["commit"] == commit
    }


def test_a_commit_with_the_signature_of_another_is_found(bench: Workbench) -> None:
    bench.register()
    raw = bench.git("cat-file", "commit", "HEAD")
    forged = raw.replace("register(fraud)", "register(trust me)") + "\n"
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=bench.path,
        input=forged,
        capture_output=True,
        text=True,
        check=True,
    )
    bench.git("update-ref", "refs/heads/main", done.stdout.strip())
    code, problems = bench.verify("--history")
    assert (code, problems) == (4, ["E_COMMIT_SIGNATURE"])
