"""Starts git so that neither the environment nor the configuration misleads it.

* ``GIT_*`` variables are dropped but for transport and identity: a stray
  ``GIT_DIR`` (every git hook has one) must not send a command elsewhere.
* Hooks, file-system monitors, replace refs, grafts, pathspec magic, line-ending
  conversion and automatic garbage collection are off.
* Output is bytes; paths are separated by NUL (``-z``) everywhere.

What this does not do: defend against somebody who can change ``PATH``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gitmodel.adapters.environment import child_environment
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OPTIONS = (
    "--no-replace-objects",
    "--literal-pathspecs",
    "--no-optional-locks",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.commitGraph=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "advice.graftFileDeprecated=false"),
)
#: What gitmodel writes keeps its bytes, whatever the user wants for text files.
_AS_BYTES = ("-c", "core.autocrlf=false")
#: Files that gitmodel writes are pointers already: no filter may touch them.
WITHOUT_FILTERS = (
    *("-c", "filter.lfs.process="),
    *("-c", "filter.lfs.clean="),
    *("-c", "filter.lfs.smudge="),
    *("-c", "filter.lfs.required=false"),
)


class GitProcessError(OutsideError):
    """git ended with an unexpected status.

    Attributes:
        status: The exit status.
        stderr: What git said.
    """

    default_code = "E_GIT"

    def __init__(self, args: Sequence[str], status: int, stderr: str) -> None:
        said = stderr.strip().splitlines()
        reason = next(
            (line for line in said if line.startswith(("fatal:", "error:"))),
            said[-1] if said else f"exit status {status}",
        )
        hints = (
            ("Free some space on the disk, then run the command again.",)
            if "No space left" in stderr
            else ()
        )
        super().__init__(f"git {_verb(args)} failed: {reason}", *hints)
        self.status = status
        self.stderr = stderr


class Git:
    """Runs git for one repository, or for a directory that may become one."""

    def __init__(
        self,
        directory: Path,
        where: Sequence[str] = (),
        options: Sequence[str] = _AS_BYTES,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Run in ``directory``, with ``where`` (such as ``--git-dir``) before verbs.

        ``variables`` are set for every command: what a hook must hand on.
        """
        self._directory = directory
        self._where = tuple(where)
        self._options = tuple(options)
        self._variables = dict(variables or {})

    def as_the_user(self) -> Git:
        """Return the same with the user's line endings, for files of the user's."""
        return Git(self._directory, self._where, (), self._variables)

    def command(self, args: Iterable[str]) -> list[str]:
        """Return the full argument vector for ``args``."""
        return ["git", *_OPTIONS, *self._options, *self._where, *args]

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        accept: Sequence[int] = (0,),
    ) -> bytes:
        """Run one git command and return its output.

        Raises:
            GitProcessError: It ended with a status that is not in ``accept``.
            OutsideError: git is not installed.
        """
        return self.attempt(*args, stdin=stdin, extra=extra, accept=accept)[1]

    def attempt(
        self,
        *args: str,
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        accept: Sequence[int] = (0, 1),
    ) -> tuple[int, bytes]:
        """Run one git command; return its status and output, for questions."""
        try:
            done = subprocess.run(
                self.command(args),
                input=stdin if stdin is not None else b"",
                capture_output=True,
                env=child_environment({**self._variables, **(extra or {})}),
                cwd=self._directory,
                check=False,
            )
        except FileNotFoundError as error:
            raise _not_started(error, self._directory) from error
        if done.returncode not in accept:
            stderr = done.stderr.decode("utf-8", "replace")
            raise GitProcessError(args, done.returncode, stderr)
        return done.returncode, done.stdout

    def start(self, *args: str, memory: int | None = None) -> subprocess.Popen[bytes]:
        """Start a git process that is talked to through pipes.

        Args:
            args: The command.
            memory: Bytes that it may take, where the system can see to that. What it
                says on stderr is then kept, in a pipe.
        """
        try:
            process = subprocess.Popen(
                self.command(args),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if memory is None else subprocess.PIPE,
                env=child_environment(self._variables),
                cwd=self._directory,
            )
        except FileNotFoundError as error:
            raise _not_started(error, self._directory) from error
        if memory is not None and sys.platform == "linux":
            with suppress(OSError):  # it has ended already
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (memory, memory))
        return process


def git_version() -> str:
    """Return the version of git, such as ``2.39.5``.

    Raises:
        OutsideError: git is not installed.
    """
    said = Git(Path("/")).run("version").decode()
    return said.removeprefix("git version ").split()[0]


def piped(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Return the input and output pipes of a process made by :meth:`Git.start`."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("Git.start opens both pipes")
    return process.stdin, process.stdout


def _verb(args: Sequence[str]) -> str:
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _not_started(error: FileNotFoundError, directory: Path) -> OutsideError:
    if error.filename == str(directory):
        return OutsideError(f"The directory {directory} does not exist.")
    return OutsideError(
        "git is not installed, or not on PATH.",
        "Install git 2.34 or later.",
        code="E_GIT",
    )
