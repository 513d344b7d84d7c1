"""What lists keep in a clone: the same answers, sooner, and nothing that is trusted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters import cache as cache_module
from gitmodel.adapters.git.objects import ObjectReader
from gitmodel.adapters.git.repository import Repository
from gitmodel.registry.catalog_store import cache_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

QUESTIONS = (
    ("list",),
    ("list", "--stage", "dev"),
    ("list", "fraud"),
    ("list", "fraud", "--stage", "dev"),
    ("list", "fraud", "--where", "accuracy>=0.9", "--sort", "accuracy"),
    ("list", "fraud", "--label", "team=risk"),
)


@pytest.fixture
def filled(bench: Workbench) -> Workbench:
    for number, accuracy in enumerate(("0.8", "0.95", "0.9")):
        bench.do(
            "register", "fraud", bench.file(f"{number}.bin", str(number).encode()),
            "--metric", f"accuracy={accuracy}", "--no-capture",
            *(("--label", "team=risk") if number else ()),
        )  # fmt: skip
    bench.promote("fraud@1.0.0", "dev", "staging")
    bench.promote("fraud@1.0.1", "dev")
    return bench


def kept_in(bench: Workbench) -> Path:
    return bench.path / ".git/gitmodel/cache"


def forget(bench: Workbench) -> None:
    shutil.rmtree(kept_in(bench), ignore_errors=True)


def answers(bench: Workbench) -> list[tuple[int, str, str]]:
    found = [bench.run(*question) for question in QUESTIONS]
    return [(answer.code, answer.out, answer.err) for answer in found]


def assert_same_as_read(bench: Workbench) -> None:
    """Ask twice with what is kept, then with nothing: the answers are the same."""
    first, second = answers(bench), answers(bench)
    forget(bench)
    assert first == second == answers(bench)


def test_answers_stay_right_whatever_happens_in_between(filled: Workbench) -> None:
    bench = filled
    assert_same_as_read(bench)
    bench.do("rollback", "fraud", "dev", "-m", "worse")
    assert_same_as_read(bench)
    bench.register("fraud", "2.0.0-rc.1")
    bench.register("other", "1.0.0")
    assert_same_as_read(bench)
    bench.do("attest", "fraud@1.0.1", "validation", "--result", "passed")
    bench.promote("other@1.0.0", "dev")
    assert_same_as_read(bench)
    bench.git("switch", "-q", "--detach", "HEAD~3")
    assert_same_as_read(bench)
    bench.git("switch", "-q", "main")
    assert_same_as_read(bench)


def test_what_is_kept_is_not_read_again(
    filled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answers(filled)
    read: list[str] = []
    original = ObjectReader.read

    def noted(self: ObjectReader, oid: str) -> Any:
        found = original(self, oid)
        if found.kind == "blob":
            read.append(oid)
        return found

    settings = filled.git("rev-parse", "HEAD:gitmodel.yaml")
    with monkeypatch.context() as patch:
        patch.setattr(ObjectReader, "read", noted)
        patch.setattr(ObjectReader, "read_many", None)
        assert answers(filled) == before
    assert set(read) == {settings}
    filled.register("fraud", "1.4.0")
    read.clear()
    with monkeypatch.context() as patch:
        patch.setattr(ObjectReader, "read", noted)
        patch.setattr(ObjectReader, "read_many", None)
        filled.do("list", "fraud")
    manifest = filled.git("rev-parse", "HEAD:models/fraud/versions/1.4.0/manifest.yaml")
    assert set(read) == {settings, manifest}


@pytest.mark.parametrize("damage", [b"", b"\0" * 4096, b"{}", None])
def test_damage_changes_no_answer(filled: Workbench, damage: bytes | None) -> None:
    before = answers(filled)
    files = sorted(kept_in(filled).iterdir())
    assert files
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert answers(filled) == before
    assert answers(filled) == before


def test_values_of_another_shape_change_no_answer(filled: Workbench) -> None:
    before = answers(filled)
    view = the_view(filled)
    names = ("versions/fraud", "log/fraud", "models", "pins")
    tree = filled.git("rev-parse", "HEAD:models/fraud/versions")
    log = filled.git("rev-parse", "HEAD:log/dev/fraud")
    strange: tuple[Any, ...] = (
        7, [], {}, {"fraud": 1}, {"dev": {"tree": log, "rows": [["x", {}]]}},
        {"tree": tree, "rows": [[1]]}, {"tree": tree, "rows": [[None] * 8]},
        {"dev": [log]}, {"dev": None, "fraud": [tree, 1, "x"]},
    )  # fmt: skip
    for value in strange:
        for name in names:
            cache_of(view).put(name, value)
        assert answers(filled) == before, value


def test_a_clone_that_cannot_be_written_answers_all_the_same(
    filled: Workbench,
) -> None:
    forget(filled)
    before = answers(filled)
    forget(filled)
    kept_in(filled).write_text("in the way")
    assert answers(filled) == before
    assert kept_in(filled).read_text() == "in the way"


def test_what_others_could_have_written_is_not_believed(filled: Workbench) -> None:
    before = answers(filled)
    lie(filled)
    assert answers(filled) != before  # this user could lie to themselves
    for path in kept_in(filled).iterdir():
        path.chmod(0o666)
    assert answers(filled) == before


def test_no_lie_in_the_cache_reaches_what_must_be_right(filled: Workbench) -> None:
    """A forged cache may change a list: nothing that is proved, pulled or promoted."""
    bench = filled
    answers(bench)
    digest = bench.do("show", "fraud@1.0.0")["manifest"]
    other = bench.do("show", "fraud@1.0.1")["manifest"]
    asked = (
        ("show", "fraud@1.0.0"), ("show", f"fraud@{digest}"),
        ("show", f"fraud@{other}"), ("diff", "fraud#dev", "fraud@1.0.0"),
        ("show", "fraud#dev"), ("show", "fraud@lkg#dev"), ("show", "fraud@latest"),
        ("check", "fraud@1.0.2", "--stage", "staging"), ("verify",),
        ("verify", "--history", "--full"), ("log", "fraud"),
    )  # fmt: skip
    before = [(answer.code, answer.out) for answer in (bench.run(*a) for a in asked)]
    lie(bench)
    lied = bench.do("list", "fraud")["versions"]
    assert {row["metrics"]["validation"]["accuracy"] for row in lied} == {1.0}
    assert [(a.code, a.out) for a in (bench.run(*a) for a in asked)] == before
    refused = bench.run("promote", "fraud@1.0.2", "staging")
    assert refused.code == 3
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["to"] == "1.0.0"
    out = bench.outside / "out"
    bench.do("pull", f"fraud@{other}", "-o", out)
    assert next((out).rglob("1.bin")).read_bytes() == b"1"


def test_two_lists_at_once_agree(filled: Workbench) -> None:
    before = filled.run("--json", "list", "fraud").out
    forget(filled)
    command = [sys.executable, "-m", "gitmodel", "--json", "list", "fraud"]
    both = [
        subprocess.Popen(command, cwd=filled.path, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert {each.communicate()[0] for each in both} == {before}
    assert filled.run("--json", "list", "fraud").out == before


def test_what_is_malformed_is_said_every_time(filled: Workbench) -> None:
    answers(filled)
    path = "models/fraud/versions/1.0.1/manifest.yaml"
    text = (filled.path / path).read_bytes()
    filled.commit_file(path, text.replace(b"createdBy", b"createdWho"))
    for _ in range(2):
        answer = filled.run("list", "fraud")
        assert answer.code == 4
        assert path in answer.err
    filled.git("revert", "--no-edit", "HEAD")
    assert len(filled.do("list", "fraud")["versions"]) == 3


def test_the_cache_of_many_models_stays_within_bounds(
    filled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_TOTAL", 2000)
    answers(filled)
    assert sum(path.stat().st_size for path in kept_in(filled).iterdir()) <= 2000
    assert_same_as_read(filled)


def test_a_full_disk_only_costs_time(filled: Workbench) -> None:
    before = answers(filled)
    forget(filled)
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from gitmodel.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *QUESTIONS[2]], cwd=filled.path,
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == before[2]
    assert not list(kept_in(filled).glob("*"))


def the_view(bench: Workbench) -> View:
    repository = Repository.discover(bench.path)
    return View(ObjectReader(repository), repository.resolve("HEAD"))


def lie(bench: Workbench) -> None:
    """Say in the cache, in the right form, what git does not say."""
    view = the_view(bench)
    kept = cache_of(view)
    said = kept.get("versions/fraud")
    digests = [row[2] for row in said["rows"]]
    for row, digest in zip(said["rows"], reversed(digests), strict=True):
        row[2] = digest
        row[5] = {"validation": {"accuracy": 1.0}}
    kept.put("versions/fraud", said)
    log = kept.get("log/fraud")
    said_last = json.loads(json.dumps(log["dev"]["rows"][-1][1]))
    said_last["to"]["manifest"] = f"sha256:{digests[2]}"
    log["dev"]["rows"][-1][1] = log["staging"]["rows"][-1][1] = said_last
    kept.put("log/fraud", log)
    kept.put("pins", dict.fromkeys(kept.get("pins"), "1.0.2"))
