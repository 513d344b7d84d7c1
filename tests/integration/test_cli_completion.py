"""Completion of models, versions and stages, in the shells that people use."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.terminal import ROOT, environment, in_pipes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

#: Asks bash's own completion function, with the words as readline breaks them.
_ASK = """\
compopt() { :; }
eval "$(gitmodel completion bash)"
while IFS= read -r line; do
    COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
    read -ra COMP_WORDS <<< "${line//[@:=]/ & }"
    [[ $line == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _gitmodel_completion gitmodel
    printf '%s\\n' "${COMPREPLY[*]}"
done
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a directory to put on PATH, in which ``gitmodel`` is this checkout's."""
    script = tmp_path / "bin/gitmodel"
    script.parent.mkdir()
    code = f"PYTHONPATH={shlex.quote(str(ROOT))} exec "
    script.write_text(f'#!/bin/sh\n{code}{sys.executable} -m gitmodel "$@"\n')
    script.chmod(0o755)
    return script.parent


def _bash(bench: Workbench, program: Path, *lines: str) -> list[str]:
    path = f"{program}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", _ASK],
        cwd=bench.path,
        env=environment({"PATH": path}),
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def _click(bench: Workbench, words: str) -> list[str]:
    """Ask by click's protocol, as the scripts for all shells do."""
    count = len(words.split()) - (0 if words.endswith(" ") else 1)
    extra = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
        "_GITMODEL_COMPLETE": "bash_complete",
    }
    answer = in_pipes(cwd=bench.path, extra=extra)
    assert answer.err == ""
    return [line.removeprefix("plain,") for line in answer.out.splitlines()]


def test_bash_completes_models_versions_and_stages(
    bench: Workbench, program: Path
) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
    found = _bash(
        bench,
        program,
        "gitmodel pro",
        "gitmodel list fr",
        "gitmodel show fraud@1.",
        "gitmodel show fraud#p",
        "gitmodel promote fraud@1.1.0 ",
        'gitmodel promote -m "two words" fraud@1.1.0 st',
        "gitmodel rollback fraud dev --to ",
        f"gitmodel -C {bench.outside} list fr",
        "gitmodel list --st",
    )
    assert found == [
        "promote",
        "fraud",
        "@1.1.0 @1.0.0",
        "fraud#production",
        "dev staging production",
        "staging",
        "1.1.0 1.0.0",
        "",
        "--stage",
    ]


def test_while_the_model_is_not_clear_models_are_offered(bench: Workbench) -> None:
    bench.register("fraud")
    bench.register("fraud-eu", data=b"eu")
    assert _click(bench, "gitmodel show fr") == [
        "fraud@", "fraud#", "fraud-eu@", "fraud-eu#",
    ]  # fmt: skip
    assert _click(bench, "gitmodel show fraud-") == [
        "fraud-eu@1.0.0", "fraud-eu@latest",
        "fraud-eu#dev", "fraud-eu#staging", "fraud-eu#production",
    ]  # fmt: skip
    assert _click(bench, "gitmodel rollback ") == ["fraud", "fraud-eu"]


def test_what_people_type_at_night_completes(stocked: Workbench) -> None:
    for name in ("INC-1", "INC-2"):
        stocked.do("incident", "open", name, "-m", "slow")
    for words in ("incident show ", "log --incident ", "quarantine --incident "):
        assert _click(stocked, f"gitmodel {words}") == ["INC-1", "INC-2"], words
    both = "rollback fraud staging --incident INC-1 --also "
    assert "churn#dev" in _click(stocked, f"gitmodel {both}")
    assert _click(stocked, "gitmodel hold release fraud@1.1.0 s") == ["staging"]
    assert _click(stocked, "gitmodel drill fr") == ["fraud"]
    close = "incident close INC-1 --fixed-in fraud@2"
    assert _click(stocked, f"gitmodel {close}") == ["fraud@2.0.0"]


def test_completion_outside_a_registry_is_silent(bench: Workbench) -> None:
    elsewhere = bench.outside
    extra = {
        "COMP_WORDS": "gitmodel show fr",
        "COMP_CWORD": "2",
        "_GITMODEL_COMPLETE": "bash_complete",
    }
    answer = in_pipes(cwd=elsewhere, extra=extra)
    assert (answer.out.strip(), answer.err) == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(shell: str) -> None:
    answer = gitmodel("completion", shell)
    assert (answer.code, answer.err) == (0, "")
    assert f"_GITMODEL_COMPLETE={shell}_complete" in answer.out
    done = subprocess.run(
        ["bash", "-n"], input=answer.out, text=True, check=False, capture_output=True
    )
    assert done.returncode == 0 or shell != "bash", done.stderr
