"""Start-up, and commands on a registry with many versions, beside GTO on as many tags.

The commands are timed as whole processes in a clone with all its files, as a user
runs them. *Cold* is the first time in a clone, *warm* any later time.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import place
from bench.quick_registry import MODELS, keep_bytes
from bench.timing import capped, command, median, table

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds after which GTO is stopped; it needs minutes for 10,000 tags.
PATIENCE = 60.0
_MODEL = "model-1"


def run(
    root: Path,
    origin: Path,
    environment: Mapping[str, str],
    versions: int,
    rounds: int,
) -> None:
    """Measure in a clone of ``origin``, which has ``versions`` versions."""
    clone = place.clone(root, origin)
    ours = [sys.executable, "-m", "gitmodel", "-C", str(clone)]
    count = versions // MODELS
    older, newer = (f"1.{count - back}.0" for back in (2, 1))
    for version in (older, newer):
        keep_bytes(clone / ".git/lfs/objects", _MODEL, version)

    def timed(*args: str, cold: bool = False) -> float:
        def once() -> None:
            if cold:
                shutil.rmtree(clone / ".git/gitmodel/cache", ignore_errors=True)
            command([*ours, *args], root, environment)

        return median(once, rounds)

    def completed() -> float:
        typed = f"gitmodel -C {clone} show {_MODEL}@1.{count - 1}"
        words = {"COMP_WORDS": typed, "COMP_CWORD": "4", "COMP_TYPED": typed}
        asked = {**environment, **words, "_GITMODEL_COMPLETE": "bash_complete"}
        python = [sys.executable, "-m", "gitmodel"]
        return median(lambda: command(python, root, asked), rounds)

    turns = [older, newer] * rounds

    def moved(*args: str) -> float:
        def once() -> None:
            turn = turns.pop(0)
            given = [each.replace("TURN", turn) for each in args]
            command([*ours, *given], root, environment)

        return median(once, rounds)

    def emergency() -> float:
        seconds = []
        for number in range(rounds):
            words = ("--incident", f"INC-{number}", "-m", "bench", "--yes")
            began = time.perf_counter()
            command(
                [*ours, "rollback", _MODEL, "dev", "--emergency", *words],
                root,
                environment,
            )
            seconds.append(time.perf_counter() - began)
            command(["git", "reset", "-q", "--hard", "HEAD~1"], clone, environment)
        return statistics.median(seconds)

    where = ("list", _MODEL, "--where", "accuracy>0.9", "--sort", "accuracy")
    timed("promote", f"{_MODEL}@{newer}", "dev")
    rows = {
        "python -c pass": median(
            lambda: command([sys.executable, "-c", "pass"], root, environment), rounds
        ),
        "--version": timed("--version"),
        "--help": timed("--help"),
        "list, cold": timed("list", cold=True),
        "list": timed("list"),
        f"list {_MODEL}, cold": timed("list", _MODEL, cold=True),
        f"list {_MODEL}": timed("list", _MODEL),
        "list --where --sort": timed(*where),
        "list --label": timed("list", _MODEL, "--label", "team=risk"),
        "show by version": timed("show", f"{_MODEL}@{older}"),
        "show by stage": timed("show", f"{_MODEL}#dev"),
        "completion of a version": completed(),
        "promote": moved("promote", f"{_MODEL}@TURN", "dev"),
        "rollback --plan": timed("rollback", _MODEL, "dev", "--plan"),
        "rollback --emergency": emergency(),
        "rollback": moved("rollback", _MODEL, "dev", "--to", "TURN", "-m", "bench"),
    }
    table(
        f"{versions} versions of {MODELS} models (whole processes)",
        [(name, seconds, None) for name, seconds in rows.items()],
    )
    _gto(root, environment, versions, rows)


def _gto(
    root: Path, environment: Mapping[str, str], versions: int, ours: dict[str, float]
) -> None:
    """Time GTO on as many registered versions, tags made with plain git."""
    beside = Path(sys.executable).with_name("gto")
    gto = str(beside) if beside.exists() else shutil.which("gto")
    if gto is None:
        print("  (gto is not installed: no comparison)")
        return
    repo = _tagged(root, environment, versions)
    version = f"v1.{versions // MODELS - 1}.0"
    assign = [gto, "assign", "model-0", "--version", version, "--stage", "dev"]
    print(f"\nGTO with {versions} tags, stopped after {PATIENCE:.0f} s")
    for name, args, beside_ours in (
        ("gto show", [gto, "show"], "list"),
        ("gto assign", assign, "promote"),
    ):
        seconds, stopped = capped(args, repo, environment, PATIENCE)
        more = "more than " if stopped else ""
        ratio = seconds / ours[beside_ours]
        print(f"  {name:12} {more}{seconds:.1f} s, {more}{ratio:.0f} x ours")


def _tagged(root: Path, environment: Mapping[str, str], versions: int) -> Path:
    repo = root / "gto"
    repo.mkdir()
    command(["git", "init", "-q", "-b", "main"], repo, environment)
    command(["git", "config", "user.name", "A"], repo, environment)
    command(["git", "config", "user.email", "a@example.com"], repo, environment)
    # GTO allows one version of an artifact per commit, so one commit per round.
    lines = []
    for index in range(versions // MODELS):
        stamp = f"A <a@example.com> {1_700_000_000 + index} +0000"
        lines.append(
            f"commit refs/heads/main\nmark :{index + 1}\ncommitter {stamp}\ndata 1\nx\n"
        )
        lines += [
            f"tag model-{model}@v1.{index}.0\nfrom :{index + 1}\ntagger {stamp}\n"
            "data 1\nx\n"
            for model in range(MODELS)
        ]
    (root / "tags").write_text("".join(lines))
    command(["sh", "-c", "git fast-import --quiet < ../tags"], repo, environment)
    return repo
