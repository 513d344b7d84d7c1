"""Asks git about a repository that nobody has vouched for.

- Nothing that the repository configures is executed: no fsmonitor, no hooks, no
  clean filters, no transports for missing objects of a partial clone.
- The caller's ``GIT_*`` variables are dropped, so that a surrounding hook cannot
  point git at another repository; only those that say where the *user's*
  configuration and ssh are, and where discovery stops, are passed on.
- It never writes: optional locks are off, so not even the index is refreshed.

It does not interpret answers; a failing git is reported, not raised.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
    }
)
_SETTINGS = (
    "--no-optional-locks",
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
)


def ask_git(
    directory: Path,
    *arguments: str,
    stdin: bytes = b"",
    overrides: tuple[tuple[str, str], ...] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Run ``git`` in ``directory`` and return what it said, whatever its exit code.

    Args:
        directory: Where git starts to look for a repository.
        arguments: The git command and its arguments.
        stdin: Bytes for its standard input.
        overrides: Configuration keys and values that win over every file. They
            travel in the environment, because ``-c`` cannot carry a key with "=".

    Raises:
        OutsideError: git is not installed, or refuses the repository because it
            belongs to another user (``safe.directory``).
    """
    command = ["git", *_SETTINGS, "-C", str(directory), *arguments]
    try:
        answer = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            check=False,
            env=_environment(overrides),
        )
    except OSError as error:
        raise OutsideError(
            f"git cannot be started: {error.strerror}.",
            "Install git 2.31 or newer, and see that it is on the PATH.",
        ) from error
    if answer.returncode and (
        b"dubious ownership" in answer.stderr or b"unsafe repository" in answer.stderr
    ):
        raise OutsideError(
            f"git refuses the repository around {directory}: another user owns it.",
            f"If you trust it: git config --global --add safe.directory {directory}",
        )
    return answer


def reason(answer: subprocess.CompletedProcess[bytes]) -> str:
    """Return git's last complaint as one line without its ``fatal:``."""
    lines = answer.stderr.decode("utf-8", "replace").strip().splitlines()
    said = lines[-1] if lines else f"it exited with {answer.returncode}"
    return said.removeprefix("fatal: ").removeprefix("error: ").rstrip(".")


def _environment(overrides: tuple[tuple[str, str], ...]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT
    }
    kept |= {
        "LC_ALL": "C",  # messages are matched
        "LANGUAGE": "C",
        "GIT_TERMINAL_PROMPT": "0",
        # An empty list allows no transport: git < 2.45 has no GIT_NO_LAZY_FETCH.
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_COUNT": str(len(overrides)),
    }
    for index, (key, value) in enumerate(overrides):
        kept[f"GIT_CONFIG_KEY_{index}"] = key
        kept[f"GIT_CONFIG_VALUE_{index}"] = value
    return kept
