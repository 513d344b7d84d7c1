"""The environment that child processes get.

``GIT_*`` variables are dropped but for transport, configuration files and
identity: a stray ``GIT_DIR`` (every git hook has one) must not send a command to
another repository, and ``GIT_CONFIG_COUNT`` must not change how git behaves.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEPT = frozenset(
    {
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_ASKPASS",
        "GIT_TERMINAL_PROMPT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
        "GIT_SSL_NO_VERIFY",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_ALLOW_PROTOCOL",
        "GIT_EXEC_PATH",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_LFS_SKIP_SMUDGE",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    }
)


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a process that runs git or git-lfs."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT
    }
    kept["LC_ALL"] = "C"
    kept["GIT_GRAFT_FILE"] = os.devnull
    kept.setdefault("GIT_TERMINAL_PROMPT", "0")
    return kept | dict(extra or {})


class StrayVariables:
    """Hides stray ``GIT_*`` variables: GitPython reads them behind its API.

    Threads may work on several registries, and the environment is one for all: only
    strays are touched, and the last one to leave puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hidden: dict[str, str] = {}
        self._users = 0

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide them meanwhile."""
        with self._lock:
            self._users += 1
            for name in os.environ.keys() - child_environment().keys():
                self._hidden[name] = os.environ.pop(name)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    os.environ.update(self._hidden)
                    self._hidden.clear()


STRAYS = StrayVariables()
