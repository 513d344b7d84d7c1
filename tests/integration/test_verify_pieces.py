"""Many versions are verified in pieces at once, with the verdict of one at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

_SCRIPT = """
import os, sys
from gitmodel.adapters import workers
from gitmodel.cli.main import run
from gitmodel.operations.verification import pieces
pieces._LEAST_PIECE, pieces._LOT = 2, 2
workers.processors = lambda: 2
calls = []
spread, parent = workers.spread, os.getpid()
def counted(tasks):
    calls.append(len(tasks))
    return spread(tasks)
workers.spread = counted
verify = pieces.verify_version
def dying(*args, **options):
    if sys.argv[2] == "raise" and os.getpid() != parent:
        raise MemoryError
    if sys.argv[2] == "die" and os.getpid() != parent:
        os.kill(os.getpid(), 9)
    return verify(*args, **options)
pieces.verify_version = dying
code = run(["--json", "-C", sys.argv[1], "verify"])
print(calls, file=sys.stderr)
sys.exit(code)
"""


def in_pieces(bench: Workbench, fate: str = "") -> tuple[int, Any]:
    """Verify in a process without threads, where forking is allowed."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, bench.path, fate],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip().endswith("[2]"), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def many(bench: Workbench) -> Workbench:
    for version in ("1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0"):
        bench.register(version=version)
    bench.promote("fraud@1.2.0", "dev")
    return bench


@pytest.mark.parametrize("fate", ["", "raise", "die"])
def test_the_verdict_is_the_same_in_pieces(many: Workbench, fate: str) -> None:
    code, found = in_pieces(many, fate)
    in_order = many.do("verify")
    assert code == 0
    assert found == in_order
    assert found["checked"]["versions"] == 5


@pytest.mark.parametrize("fate", ["", "die"])
def test_what_is_wrong_is_found_in_every_piece(many: Workbench, fate: str) -> None:
    for version in ("1.0.0", "2.0.0"):
        many.tamper(f"fraud@{version}")
        path = f"models/fraud/versions/{version}/manifest.yaml"
        text = (many.path / path).read_bytes()
        many.commit_file(path, text.replace(b"fix", b"feature", 1) + b"# mine\n")
    many.commit_file("models/fraud/versions/1.10.0/model.sig", b"{}")
    code, found = in_pieces(many, fate)
    in_order = many.run("--json", "verify")
    assert code == in_order.code == 4
    assert found == in_order.json
    said = {(problem["code"], problem["path"]) for problem in found["problems"]}
    for version in ("1.0.0", "2.0.0"):
        path = f"models/fraud/versions/{version}/manifest.yaml"
        assert {("E_DOCUMENT_DIGEST", f"{path}.{key(many, path)}")} <= said
        artifact = f"models/fraud/versions/{version}/artifacts/model.bin"
        assert ("E_ARTIFACT_DIGEST", artifact) in said


def key(bench: Workbench, path: str) -> str:
    """Return the end of the name of a document's only signature."""
    directory, _, name = path.rpartition("/")
    [found] = (bench.path / directory).glob(f"{name}.*.sigstore.json")
    return found.name.removeprefix(f"{name}.")
