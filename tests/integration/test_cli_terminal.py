"""At a terminal, in a pipe, in the dark: what is shown where (design 5)."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import PROGRAM, at_terminal, environment, in_pipes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

MIB = 1 << 20


@pytest.fixture
def wordy(bench: Workbench) -> Workbench:
    """Return a registry with one version in dev, for a reason that is long."""
    bench.register()
    bench.do("promote", "fraud@1.0.0", "dev", "-m", "because " * 30 + "\n\nmore")
    return bench


def _sparse(bench: Workbench, size: int) -> Path:
    path = bench.file("big.bin", b"")
    os.truncate(path, size)
    return path


def test_colour_is_for_terminals_alone(wordy: Workbench) -> None:
    assert "\x1b[32mVerified\x1b[" in at_terminal("verify", cwd=wordy.path).out
    assert "\x1b" not in in_pipes("verify", cwd=wordy.path, extra={"NO_COLOR": ""}).out


@pytest.mark.parametrize(
    ("args", "extra"),
    [
        ((), {"NO_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
        (("--no-color",), {}),
    ],
    ids=["NO_COLOR", "dumb", "option"],
)
def test_colour_can_be_turned_off(
    wordy: Workbench, args: tuple[str, ...], extra: dict[str, str]
) -> None:
    answer = at_terminal(*args, "log", cwd=wordy.path, extra=extra)
    assert answer.code == 0
    assert "promote" in answer.out
    assert "\x1b" not in answer.out + answer.err


def test_progress_with_throughput_is_shown_on_a_terminal(bench: Workbench) -> None:
    file = _sparse(bench, 400 * MIB)
    args = ("register", "big", file, "--dry-run", "--no-capture")
    answer = at_terminal(*args, cwd=bench.path)
    assert re.search(
        r"Hashing +\d+%  [\d.]+ MiB of 400\.0 MiB  [\d.]+ [MG]iB/s", answer.err
    )
    assert answer.err.endswith("\r\x1b[K"), "the line is cleared"
    assert answer.out.startswith("Would register big@1.0.0\n")
    assert at_terminal("-q", *args, cwd=bench.path).err == ""
    assert in_pipes(*args, cwd=bench.path).err == ""


def test_a_long_log_fits_the_terminal_and_is_whole_in_a_pipe(wordy: Workbench) -> None:
    shown = at_terminal("log", cwd=wordy.path, columns=100, extra={"NO_COLOR": "1"})
    lines = shown.out.splitlines()
    assert max(map(len, lines)) == 100
    assert [line for line in lines if line.endswith("…")]
    whole = in_pipes("log", cwd=wordy.path).out.splitlines()
    assert "because " * 29 + "because …" in whole[1]


def test_a_narrow_terminal_still_shows_why(story: Workbench) -> None:
    plain = {"NO_COLOR": "1"}
    for args, why in (
        (("log",), "[I-1] recall fell"),
        (("incident", "show", "I-1"), "recall fell"),
    ):
        lines = at_terminal(*args, cwd=story.path, columns=80, extra=plain)
        shown = lines.out.splitlines()
        assert max(map(len, shown)) <= 80, args
        [place] = [n for n, line in enumerate(shown) if "1.1.0 -> 1.0.0" in line]
        assert re.fullmatch(rf"  [0-9a-f]{{9}}  {re.escape(why)}", shown[place + 1])


def test_tables_are_aligned(wordy: Workbench) -> None:
    wordy.register("a-model-with-a-long-name", "10.0.0-rc.1")
    for args in (("list",), ("list", "fraud"), ("log",), ("key", "list")):
        header, *rows = wordy.run(*args).out.splitlines()
        assert rows
        starts = [match.start() for match in re.finditer(r"(?<=  )\S", header)]
        for row in rows:
            line = row.ljust(len(header))
            assert all(line[start - 2 : start] == "  " for start in starts), (args, row)
            assert row == row.rstrip()


def test_a_reader_that_goes_away_is_no_error(wordy: Workbench) -> None:
    """The exit code is still the one of the command: nobody is told a lie."""
    for args, code in (
        (["--help"], 0),
        (["log"], 0),
        (["--json", "show", "fraud"], 0),
        (["verify"], 0),
        (["show", "nobody"], 1),
        (["verify"], 4),
    ):
        if code == 4:
            wordy.tamper("fraud")
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [*PROGRAM, *args],
            cwd=wordy.path,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(writing)
        assert done.returncode == code, args
        assert "roken" not in done.stderr
        assert "Exception" not in done.stderr


def test_head_gets_its_line_without_a_word(wordy: Workbench) -> None:
    for _ in range(3):
        wordy.run("promote", "fraud@1.0.0", "staging")
        wordy.run("rollback", "fraud", "staging", "-m", "x")
    program = " ".join(PROGRAM)
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} log | head -1"],
        cwd=wordy.path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("TIME")


def test_a_terminal_that_lacks_a_character_gets_it_escaped(wordy: Workbench) -> None:
    extra = {"PYTHONIOENCODING": "latin-1"}
    answer = in_pipes("register", "--help", cwd=wordy.path, extra=extra)
    assert answer.code == 0
    assert "\\u2026" in answer.out


def test_names_that_others_chose_cannot_steer_the_terminal(wordy: Workbench) -> None:
    hostile = "models/\x1b[2J\x07evil"
    wordy.commit_file(hostile, b"x")
    answer = wordy.run("verify")
    assert answer.code == 4
    assert "\x07" not in answer.out
    assert "evil" in answer.out
    author = wordy.run("log", "--actor", "\x1b]0;x\x07")
    assert "\x07" not in author.out + author.err
