"""The hooks of .pre-commit-hooks.yaml, installed and run by the real pre-commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from tests.support.hooks import Said, plain_git, stage
from tests.support.isolation import isolate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
SHIPPED = (
    ".pre-commit-hooks.yaml",
    "LICENSE",
    "README.md",
    "gitmodel",
    "pyproject.toml",
    "schemas",
    "templates",
)
V1 = "models/fraud/versions/1.0.0"
KEY = b"-----BEGIN EC " + b"PRIVATE KEY-----\n"
IDS = (
    "gitmodel-schema",
    "gitmodel-immutable",
    "gitmodel-lfs",
    "gitmodel-signatures",
    "gitmodel-policy",
    "gitmodel-secrets-and-pickle",
)


@dataclass(frozen=True)
class Tool:
    """A repository of hooks, for ``repo:`` and ``rev:``; pre-commit's own home."""

    repo: Path
    rev: str
    home: Path

    def configure(self, bench: Workbench, *ids: str) -> None:
        """Commit a configuration that takes hooks from here."""
        hooks = "".join(f"      - id: {name}\n" for name in ids)
        text = (
            f"repos:\n  - repo: {self.repo}\n    rev: {self.rev}\n    hooks:\n{hooks}"
        )
        stage(bench, ".pre-commit-config.yaml", text.encode())
        bench.git("commit", "-qm", "Check commits")

    def run(self, bench: Workbench, *args: str) -> Said:
        """Run pre-commit in a registry."""
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", *args],
            cwd=bench.path, capture_output=True, text=True, check=False,
            env={**os.environ, "PRE_COMMIT_HOME": str(self.home)},
        )  # fmt: skip
        return Said(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Tool:
    """Make a repository of this checkout as it is, which pre-commit clones by rev.

    All workers share the first one, and the environment that pre-commit builds once,
    under its own lock.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    place = shared / "checkout"
    mine = tmp_path_factory.mktemp("checkout") / "r"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, tmp_path_factory.mktemp("tool-home"))
        for name in SHIPPED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, mine / name, ignore=ignored)
            else:
                mine.mkdir(exist_ok=True)
                shutil.copy2(ROOT / name, mine / name)
        for args in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "as it is")):
            said = plain_git(mine, *args)
            assert said.code == 0, said.text
        with suppress(OSError):  # another worker was faster
            mine.rename(place)
        rev = plain_git(place, "rev-parse", "HEAD").text.strip()
    return Tool(place, rev, shared / "pre-commit-home")


def test_the_configurations_are_what_pre_commit_accepts(
    tool: Tool, bench: Workbench
) -> None:
    for command, file in (
        ("validate-manifest", ".pre-commit-hooks.yaml"),
        ("validate-config", ".pre-commit-config.yaml"),
    ):
        said = tool.run(bench, command, str(ROOT / file))
        assert (said.code, said.text) == (0, "")


def test_this_project_runs_its_own_hooks() -> None:
    yaml = YAML(typ="safe")
    shipped = {hook["id"]: hook for hook in yaml.load(ROOT / ".pre-commit-hooks.yaml")}
    assert set(shipped) == {"gitmodel", *IDS, "gitmodel-commit-msg"}
    [local] = yaml.load(ROOT / ".pre-commit-config.yaml")["repos"]
    ours = {hook["id"]: hook for hook in local["hooks"]}
    for name in IDS:
        assert ours[name]["entry"] == f"python -m {shipped[name]['entry']}"
        for key in ("files", "always_run", "pass_filenames"):
            assert ours[name].get(key) == shipped[name].get(key)


def _unsigned(bench: Workbench) -> None:
    text = (bench.path / "log/dev/fraud/2.yaml").read_bytes()
    stage(bench, "log/dev/fraud/3.yaml", text.replace(b"seq: 2", b"seq: 3"))


def _raw(bench: Workbench) -> None:
    """Stage an artifact in a clone that has no git-lfs."""
    for key in ("process", "clean", "smudge"):
        bench.git("config", f"filter.lfs.{key}", "")
    bench.git("config", "filter.lfs.required", "false")
    stage(bench, f"{V1}/artifacts/more.bin", b"weights")


def _edited(path: str, old: bytes, new: bytes, bench: Workbench) -> None:
    stage(bench, path, (bench.path / path).read_bytes().replace(old, new))


FAIL: dict[str, tuple[Callable[[Workbench], None], str, str]] = {
    "gitmodel-schema": (
        lambda b: _edited("gitmodel.yaml", b"stages:", b"stagez:", b),
        "gitmodel.yaml:4: stagez: there is no such field.",
        "-> git add -- gitmodel.yaml  once it is mended",
    ),
    # pre-commit names no deleted files: the hook must look for itself.
    "gitmodel-immutable": (
        lambda b: stage(b, f"{V1}/manifest.yaml", None),
        f"{V1}/manifest.yaml: it was deleted. [E_APPEND_ONLY]",
        "-> gitmodel register fraud FILE… --bump patch",
    ),
    "gitmodel-lfs": (
        _raw,
        f"{V1}/artifacts/more.bin: git would hold the file itself",
        f"-> git rm --cached -- {V1}/artifacts/more.bin",
    ),
    "gitmodel-signatures": (
        _unsigned,
        "log/dev/fraud/3.yaml: nobody has signed it. [E_UNSIGNED]",
        "-> git rm --cached -- log/dev/fraud/3.yaml",
    ),
    "gitmodel-policy": (
        lambda b: _edited("stages/dev/fraud.yaml", b"1.1.0", b"1.0.0", b),
        "stages/dev/fraud.yaml: pin and log must move together",
        "-> gitmodel promote fraud@1.0.0 dev",
    ),
    "gitmodel-secrets-and-pickle": (
        lambda b: stage(b, "src/id", b"# mine\n" + KEY),
        "src/id:2: it looks like a private key",
        "-> git rm --cached -- src/id",
    ),
}


def _good(bench: Workbench) -> None:
    """Stage what every hook looks at, and nothing is wrong with."""
    model = (bench.path / "models/fraud/model.yaml").read_bytes()
    stage(bench, "models/fraud/model.yaml", model + b"description: ours\n")
    stage(bench, "src/train.py", b"print('fine')\n")


@pytest.mark.parametrize("hook", IDS)
def test_each_hook_passes_what_is_right_and_refuses_what_is_wrong(
    stocked: Workbench, tool: Tool, hook: str
) -> None:
    tool.configure(stocked, *IDS)
    _good(stocked)
    said = tool.run(stocked, "run", hook)
    assert said.code == 0, said.text
    assert "Passed" in said.text
    change, *expected = FAIL[hook]
    change(stocked)
    said = tool.run(stocked, "run", hook)
    assert said.code == 1, said.text
    for words in expected:
        assert words in said.text
    assert "Traceback" not in said.text


def test_one_hook_does_it_all_at_a_plain_commit(stocked: Workbench, tool: Tool) -> None:
    tool.configure(stocked, "gitmodel", "gitmodel-commit-msg")
    types = ("-t", "pre-commit", "-t", "commit-msg", "-t", "pre-merge-commit")
    assert tool.run(stocked, "install", *types).code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRE_COMMIT_HOME", str(tool.home))
        _good(stocked)
        assert plain_git(stocked.path, "commit", "-qm", "docs").code == 0
        before = stocked.git("rev-parse", "HEAD")
        stage(stocked, f"{V1}/manifest.yaml", None)
        stage(stocked, "id", KEY)
        said = plain_git(stocked.path, "commit", "-qm", "x")
        assert said.code == 1
        assert "E_APPEND_ONLY" in said.text
        assert "id:1: it looks like a private key" in said.text
        stocked.git("reset", "-q", "--hard")
        stage(stocked, "README.md", b"x\n")
        said = plain_git(stocked.path, "commit", "-qm", "x\n\nGitmodel-Action: promote")
        assert said.code == 1
        assert "E_TRAILER" in said.text
        assert stocked.git("rev-parse", "HEAD") == before


def test_a_revert_by_hand_is_refused_with_the_command(
    stocked: Workbench, tool: Tool
) -> None:
    """pre-commit runs nothing after a commit that could make a rollback of it."""
    promotion = stocked.git("log", "--format=%H", "--grep=dev 1.0.0 -> 1.1.0")
    tool.configure(stocked, "gitmodel")
    stocked.git("revert", "--no-commit", promotion)
    said = tool.run(stocked, "run")
    assert said.code == 1
    assert "stages/dev/fraud.yaml: it takes a transition out of the log." in said.text
    assert "-> gitmodel rollback fraud dev --to 1.0.0 -m REASON" in said.text


def test_all_files_of_a_registry_pass(stocked: Workbench, tool: Tool) -> None:
    tool.configure(stocked, "gitmodel", *IDS)
    said = tool.run(stocked, "run", "--all-files")
    assert said.code == 0, said.text
    stage(stocked, "id", KEY)
    stocked.git("commit", "-qm", "unseen")
    said = tool.run(stocked, "run", "--all-files", "gitmodel-secrets-and-pickle")
    assert said.code == 1
    assert "id:1" in said.text


def test_outside_of_registries_secrets_are_found_and_the_rest_is_quiet(
    bench: Workbench, tool: Tool
) -> None:
    other = type(bench)(bench.outside / "code", bench.outside)
    bench.git("init", "-q", other.path)
    tool.configure(other, *IDS)
    stage(other, "models/README", b"ours\n")
    stage(other, "id", KEY)
    said = tool.run(other, "run")
    assert said.code == 1
    assert said.text.count("Failed") == 1
    assert "id:1: it looks like a private key" in said.text
