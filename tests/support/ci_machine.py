"""A machine of a CI system, without the system: clean variables, real shells, real git.

Steps run as they stand in the templates. Replaced is only what would go to the network:
``python3 -I -m venv`` makes a directory in which ``pip`` writes down what it was to
install, and ``gitmodel`` is this checkout.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CHECKOUT = Path(__file__).parents[2]


@dataclass
class Machine:
    """One runner; ``log`` is all that its steps printed.

    Attributes:
        installed: What pip was asked for.
    """

    root: Path
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        tools = self.root / "tools"
        tools.mkdir(parents=True)
        (self.root / "home").mkdir()
        (self.root / "home/.gitconfig").write_text(
            "[user]\n\tname = CI\n\temail = ci@example.com\n"
            '[protocol "file"]\n\tallow = always\n'
        )  # fmt: skip
        pip = f'#!/bin/sh\necho "$*" >> {shlex.quote(str(self.root / "pip.log"))}\n'
        gitmodel = (
            f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(_CHECKOUT))} exec "
            f'{shlex.quote(sys.executable)} -P -m gitmodel "$@"\n'
        )
        (tools / "venv").mkdir()
        (tools / "venv/pip").write_text(pip)
        (tools / "venv/gitmodel").write_text(gitmodel)
        for tool in (tools / "venv").iterdir():
            tool.chmod(0o755)
        (tools / "python3").write_text(
            "#!/bin/sh\n"
            'if [ "$1 $2 $3" = "-I -m venv" ]; then\n'
            f'  mkdir -p "$4" && cp -r {shlex.quote(str(tools / "venv"))} "$4/bin"\n'
            f'else\n  exec {shlex.quote(sys.executable)} "$@"\nfi\n'
        )
        (tools / "python3").chmod(0o755)

    @property
    def installed(self) -> list[str]:
        log = self.root / "pip.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def output(self) -> str:
        return "\n".join(self.log)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return what a process sees: nothing of the machine that tests run on."""
        return {
            "HOME": str(self.root / "home"),
            "PATH": f"{self.root / 'tools'}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "NO_PROXY": "127.0.0.1,localhost",
            "LANG": "C.UTF-8",
            **variables,
        }

    def run(
        self, shell: Sequence[str], script: str, cwd: Path, variables: Mapping[str, str]
    ) -> int:
        """Run a script, which lies outside of ``cwd``; return its exit status."""
        file = self.root / "step.sh"
        file.write_text(script)
        done = subprocess.run(
            [*shell, str(file)], cwd=cwd, env=self.environment(variables),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.log.append(done.stdout)
        return done.returncode

    def git(self, cwd: Path, *args: str, **variables: str) -> None:
        """Run git for the system itself, such as its checkout."""
        subprocess.run(
            ["git", *args], cwd=cwd, env=self.environment(variables),
            check=True, capture_output=True,
        )  # fmt: skip
