"""Nobody's home, configuration or keys; real git all the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_GIT_CONFIG = """\
[user]
	name = Ada Byron
	email = ada@example.com
[init]
	defaultBranch = main
[commit]
	gpgSign = false
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
"""


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Make ``home`` the home, and drop what the outer world set."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITMODEL_", "XDG_", "VIRTUAL_ENV")):
            patch.delenv(name)
    patch.delenv("SSH_AUTH_SOCK", raising=False)
    home.mkdir(parents=True, exist_ok=True)
    (home / "gitconfig").write_text(_GIT_CONFIG)
    patch.setenv("HOME", str(home))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.setenv("GIT_TERMINAL_PROMPT", "0")
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    patch.setenv("NO_COLOR", "1")
