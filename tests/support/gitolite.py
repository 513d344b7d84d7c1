"""gitolite3 as Debian ships it, in a home of its own, without an ssh server.

What sshd would do is done by a program in its place: it starts ``gitolite-shell`` for
a user, with the command that git asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.workbench import Workbench, git

SHELL = Path("/usr/share/gitolite3/gitolite-shell")
INSTALLED = shutil.which("gitolite") is not None and SHELL.exists()

#: gitolite knows no other branch of its own configuration.
_MASTER = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "master",
}


@dataclass(frozen=True)
class Gitolite:
    """A gitolite, and how git reaches it as one of its users.

    Attributes:
        home: Of the user who serves git.
        admin: A clone of gitolite-admin.
    """

    home: Path
    admin: Workbench

    def repository(self, name: str) -> Path:
        """Return where a repository is."""
        return self.home / "repositories" / f"{name}.git"

    def ssh(self, user: str) -> Path:
        """Return the program that stands for ssh, for one user."""
        return _ssh(self.home, user)

    def configure(self, text: str) -> None:
        """Replace the configuration, as an admin does: by a push."""
        self.admin.commit_file("conf/gitolite.conf", text.encode())
        self.admin.git("push", "-q", "origin", "HEAD")


def set_up(home: Path) -> Gitolite:
    """Make a gitolite whose admin is ``admin``, with hooks for single repositories."""
    home.mkdir()
    _gitolite(home, "setup", "-a", "admin")
    rc = home / ".gitolite.rc"
    text = rc.read_text()
    for before, after in (
        ("# 'repo-specific-hooks'", "'repo-specific-hooks'"),
        ('# LOCAL_CODE                =>  "$ENV', 'LOCAL_CODE =>  "$ENV'),
        (
            "GIT_CONFIG_KEYS                 =>  ''",
            "GIT_CONFIG_KEYS => 'gitmodel\\..*'",
        ),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    rc.write_text(text)
    (home / "local/hooks/repo-specific").mkdir(parents=True)
    admin = home.parent / "gitolite-admin"
    reached = {"GIT_SSH_COMMAND": str(_ssh(home, "admin"))}
    subprocess.run(
        ["git", "clone", "-q", "git@here:gitolite-admin", admin],
        env={**os.environ, **reached},
        check=True,
    )
    git(admin, "config", "core.sshCommand", str(_ssh(home, "admin")))
    return Gitolite(home, Workbench(admin, home.parent))


def _gitolite(home: Path, *args: str) -> None:
    done = subprocess.run(
        ["gitolite", *args],
        cwd=home,
        env={**os.environ, **_MASTER, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _ssh(home: Path, user: str) -> Path:
    program = home.parent / f"ssh-as-{user}"
    program.write_text(
        "#!/bin/sh\n"
        "while [ $# -gt 1 ]; do shift; done\n"
        f"HOME='{home}' SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' "
        f'SSH_ORIGINAL_COMMAND="$1" exec {SHELL} {user}\n'
    )
    program.chmod(0o755)
    return program
