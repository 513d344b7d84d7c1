"""A repository to try things in: it reads another one's objects, and changes nothing.

It has the history of one commit, no remote and no hooks. What is written in it stays in
it: new objects, refs, index and files are its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import WITHOUT_FILTERS, Git
from gitmodel.adapters.git.repository import Repository
from gitmodel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_BRANCH = "refs/heads/main"
#: Settings of the other clone that decide what commits look like.
_COPIED = ("user.name", "user.email")


def make_throwaway(
    source: Repository,
    directory: Path,
    *,
    commit: str,
    files: Sequence[str] | None = None,
) -> Repository:
    """Make a repository whose branch is at a commit of another one.

    Args:
        source: The other one; it must stay where it is for as long as this is used.
        directory: A directory that does not exist yet.
        commit: Which commit.
        files: The files that are put into the work tree, if there are any such; None
            for all.

    Raises:
        ConflictError: The other one is a partial clone, and lacks objects.
        GitProcessError: git failed.
    """
    if source.is_partial:
        raise ConflictError(
            "This is a partial clone: what it lacks cannot be borrowed from it.",
            "git clone URL DIR  makes a whole one.",
            code="E_OBJECT_MISSING",
        )
    branch = source.head().ref or _BRANCH
    Git(directory.parent).run(
        "init", "--quiet", "--template=", f"--object-format={source.hash_name}",
        str(directory),
    )  # fmt: skip
    git_dir = directory / ".git"
    repository = Repository(git_dir, git_dir, directory, source.hash_name)
    information = git_dir / "objects" / "info"
    information.mkdir(exist_ok=True)
    alternates = f"{_quoted(str(source.common_dir / 'objects'))}\n"
    (information / "alternates").write_bytes(os.fsencode(alternates))
    shallow = source.common_dir / "shallow"
    if shallow.is_file():
        (git_dir / "shallow").write_bytes(shallow.read_bytes())
    git = repository.git
    for key in _COPIED:
        if value := source.config(key):
            git.run("config", key, value)
    git.run("symbolic-ref", "HEAD", branch)
    git.run("update-ref", branch, commit)
    if files is None:
        git.run(*WITHOUT_FILTERS, "read-tree", "--reset", "-u", commit)
        return repository
    git.run("read-tree", commit)
    listed = git.run("ls-files", "-z", "--", *files) if files else b""
    git.run(*WITHOUT_FILTERS, "checkout-index", "-z", "--stdin", stdin=listed)
    return repository


def _quoted(path: str) -> str:
    """Return a path as a line of ``alternates``: quoted, it may be called anything."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
