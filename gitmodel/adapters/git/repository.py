"""One git repository: where it is, what it is set to, where HEAD points."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import Git, GitProcessError
from gitmodel.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping


_PLACES = ("--git-dir", "--git-common-dir", "--show-object-format")
_TOP = "--show-toplevel"


@dataclass(frozen=True, slots=True)
class Head:
    """Where HEAD points.

    Attributes:
        ref: The full name of the branch; None when HEAD is detached.
        commit: The commit; None when the branch has none yet.
    """

    ref: str | None
    commit: str | None

    @property
    def branch(self) -> str | None:
        """The short name of the branch."""
        return self.ref.removeprefix("refs/heads/") if self.ref else None


class Repository:
    """An existing repository. Nothing here writes."""

    def __init__(
        self,
        git_dir: Path,
        common_dir: Path,
        work_tree: Path | None,
        hash_name: str,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Use :meth:`discover` or :meth:`receiving` instead."""
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.work_tree = work_tree
        self.hash_name = hash_name
        self.variables = dict(variables or {})
        where = [f"--git-dir={git_dir}"]
        if work_tree is not None:
            where.append(f"--work-tree={work_tree}")
        self.git = Git(work_tree or git_dir, where, variables=variables)

    @property
    def is_shallow(self) -> bool:
        """Whether history was cut off when it was fetched."""
        return (self.common_dir / "shallow").exists()

    @classmethod
    def discover(cls, directory: Path) -> Repository:
        """Find the repository that ``directory`` is in.

        Raises:
            NotFoundError: It is in none.
            ConflictError: It is inside a ``.git`` directory.
        """
        git = Git(directory)
        if not directory.is_dir():
            raise NotFoundError(f"The directory {directory} does not exist.")
        with suppress(GitProcessError):  # there is none, or none around it
            git_dir, common_dir, hash_name, top = _ask(git, *_PLACES, _TOP)
            return cls(Path(git_dir), Path(common_dir), Path(top), hash_name)
        try:
            bare, inside, git_dir, common_dir, hash_name = _ask(
                git, "--is-bare-repository", "--is-inside-work-tree", *_PLACES
            )
        except GitProcessError as error:
            if "dubious ownership" in error.stderr:
                raise NotFoundError(
                    f"git does not trust {directory}: it belongs to another user.",
                    f"git config --global --add safe.directory {directory}",
                    code="E_OWNERSHIP",
                ) from error
            raise NotFoundError(
                f"{directory.absolute()} is not in a git repository.",
                "gitmodel init  makes a registry here;  gitmodel -C DIR …  uses one "
                "elsewhere.",
                code="E_NO_REPOSITORY",
            ) from error
        work_tree = None
        if inside == "true" or bare == "false":
            try:
                # Outside of the work tree there still is one if core.worktree says so.
                (top,) = _ask(git, _TOP)
            except GitProcessError as error:
                raise ConflictError(
                    f"{directory} is inside a .git directory.",
                    "Change to the work tree of the registry.",
                ) from error
            work_tree = Path(top)
        return cls(Path(git_dir), Path(common_dir), work_tree, hash_name)

    @classmethod
    def receiving(cls, git_dir: Path, quarantine: Mapping[str, str]) -> Repository:
        """Open the repository that a push comes into, as its hooks see it.

        Args:
            git_dir: Where git started the hook.
            quarantine: ``GIT_QUARANTINE_PATH``, ``GIT_OBJECT_DIRECTORY`` and
                ``GIT_ALTERNATE_OBJECT_DIRECTORIES``, in so far as the hook has them:
                without them what was pushed cannot be seen. Only here are they kept.

        Raises:
            NotFoundError: There is no repository.
        """
        git = Git(git_dir, ("--git-dir=.",), variables=quarantine)
        asked = ("--git-dir", "--git-common-dir", "--show-object-format")
        if not git_dir.is_dir():
            raise NotFoundError(f"The directory {git_dir} does not exist.")
        try:
            found, common, hash_name = _ask(git, *asked)
        except GitProcessError as error:
            raise NotFoundError(
                f"{git_dir.absolute()} is no git directory.",
                "Name a bare repository, or the .git of a clone.",
                code="E_NO_REPOSITORY",
            ) from error
        return cls(Path(found), Path(common), None, hash_name, quarantine)

    @cached_property
    def state_dir(self) -> Path:
        """Where gitmodel keeps what belongs to this clone alone."""
        return self.common_dir / "gitmodel"

    @cached_property
    def _config(self) -> dict[str, str]:
        listed = self.git.run("config", "--list", "-z").decode("utf-8", "replace")
        entries = (entry.partition("\n") for entry in listed.split("\0") if entry)
        return {key: value for key, _, value in entries}

    def config(self, key: str) -> str | None:
        """Return a setting; ``key`` has its section and name in lower case."""
        return self._config.get(key)

    def config_all(self, key: str) -> tuple[str, ...]:
        """Return every value of a setting that can be given more than once."""
        _, found = self.git.attempt("config", "-z", "--get-all", key)
        values = found.decode("utf-8", "replace").split("\0")
        return tuple(value for value in values if value)

    @property
    def is_partial(self) -> bool:
        """Whether objects may be left at a remote until git needs them."""
        return any(
            key.startswith("remote.") and key.endswith(".promisor")
            for key in self._config
        )

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the remotes, as they are set up now."""
        self.__dict__.pop("_config", None)  # people add one when told to
        prefix, suffix = "remote.", ".url"
        return tuple(
            key.removeprefix(prefix).removesuffix(suffix)
            for key in self._config
            if key.startswith(prefix) and key.endswith(suffix)
        )

    def head(self) -> Head:
        """Return where HEAD points now."""
        both = ("rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD")
        status, found = self.git.attempt(*both, accept=(0, 1, 128))
        said = os.fsdecode(found).splitlines()
        if status == 0 and len(said) == 2:  # noqa: PLR2004 (a commit and a name)
            return Head(said[1] if said[1] != "HEAD" else None, said[0])
        status, ref = self.git.attempt("symbolic-ref", "-q", "HEAD")
        commit = self.resolve("HEAD")
        return Head(ref.decode().strip() if status == 0 else None, commit)

    def resolve(self, revision: str) -> str | None:
        """Return the commit that ``revision`` names; None if it names none."""
        status, found = self.git.attempt(
            "rev-parse",
            "-q",
            "--verify",
            "--end-of-options",
            f"{revision}^{{commit}}",
            accept=(0, 1, 128),
        )
        return found.decode().strip() if status == 0 else None

    def identity(self) -> str | None:
        """Return ``Name <email>`` as git is told to use it; None if it is not told."""
        status, found = self.git.attempt(
            "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT",
            accept=(0, 1, 128),
        )  # fmt: skip
        if status != 0:
            return None
        return found.decode("utf-8", "replace").rsplit(" ", 2)[0].strip()


def _ask(git: Git, *questions: str) -> list[str]:
    """Return what ``rev-parse`` answers; directories may be called anything."""
    found = git.run("rev-parse", "--path-format=absolute", *questions)
    answers = os.fsdecode(found).removesuffix("\n").split("\n")
    if len(questions) == 1:
        return ["\n".join(answers)]
    if len(answers) == len(questions):
        return answers
    return [answer for each in questions for answer in _ask(git, each)]
