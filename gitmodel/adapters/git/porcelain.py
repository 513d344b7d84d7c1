"""New repositories, configuration and remotes, through GitPython.

These run once per command at most and talk to people's set-up, where GitPython
knows the conventions; the bulk of the work goes through ``process`` instead
(``docs/decisions/0002-plumbing-and-gitpython.md``).
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmodel.adapters.environment import STRAYS, child_environment
from gitmodel.adapters.git.gitpython import GitCommandError, git
from gitmodel.adapters.git.process import git_version
from gitmodel.adapters.git.repository import Repository
from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

#: How ``push --porcelain`` says, in parentheses, that somebody else was faster.
_LOST_RACE = (
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "incorrect old value",
    "failed to update ref",
    "shallow file",
)
_QUIET = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0")


#: How ``fetch`` says that another process was at the same ref or file just then.
_PASSING = (
    "cannot lock ref",
    "unable to update local ref",
    "shallow file has changed",
    "Unable to create",
)
_FETCHES = 5
_PAUSE = 0.2


class PushRejectedError(ConflictError):
    """The remote has commits that this clone has not.

    Attributes:
        verdict: What the remote said of it, such as ``(fetch first)``.
    """

    default_code = "E_PUSH_REJECTED"
    verdict = ""


@contextmanager
def _opened(repository: Repository) -> Iterator[git.Repo]:
    """Open a repository with GitPython, in the environment that git gets from us."""
    with (
        STRAYS.hidden(),
        git.Repo(repository.work_tree or repository.git_dir) as repo,
    ):
        repo.git.update_environment(**child_environment())
        yield repo


def initialise(directory: Path, default_branch: str = "main") -> Repository:
    """Make a new repository in ``directory``, which may hold files already.

    Raises:
        OutsideError: git is not installed.
    """
    git_version()
    with STRAYS.hidden():
        directory.mkdir(parents=True, exist_ok=True)
        runner = git.cmd.Git(str(directory))
        configured = runner.execute(
            ["git", "config", "--default", default_branch, "init.defaultBranch"],
            with_exceptions=False,
        )
        branch = str(configured).strip() or default_branch
        # No template: a user's template hooks have no place in a registry's set-up.
        git.Repo.init(
            directory,
            template="",
            initial_branch=branch,
            allow_unsafe_options=True,
        ).close()
    return Repository.discover(directory)


def configure(repository: Repository, settings: Mapping[str, str]) -> None:
    """Write settings such as ``gpg.format`` into this repository's own config."""
    with _opened(repository) as repo:
        for key, value in settings.items():
            repo.git.config("--local", key, value)


def fetch(
    repository: Repository, remote: str, branch: str, patience: float | None = None
) -> str | None:
    """Fetch one branch; return its commit on the remote, None if it has none.

    Others may be fetching in this clone as well, as editors do: then it is tried again.

    Args:
        repository: Where to.
        remote: Where from.
        branch: Which branch.
        patience: Seconds that the remote has to answer; None for as long as git waits.

    Raises:
        OutsideError: The remote cannot be reached, or does not answer.
    """
    tracking = f"refs/remotes/{remote}/{branch}"
    for left in reversed(range(_FETCHES)):
        try:
            with _opened(repository) as repo:
                repo.git(c=_QUIET).fetch(
                    "--quiet",
                    remote,
                    f"+refs/heads/{branch}:{tracking}",
                    kill_after_timeout=patience,
                )
            break
        except GitCommandError as error:
            said = str(error.stderr)
            if "couldn't find remote ref" in said:
                return None
            if not left or not any(phrase in said for phrase in _PASSING):
                raise _unreachable(remote, error) from error
        time.sleep(_PAUSE)
    return repository.resolve(tracking)


def fetch_all(repository: Repository, remote: str, namespace: str) -> None:
    """Fetch every ref below ``namespace``, which ends in a slash, under its name.

    Raises:
        OutsideError: The remote cannot be reached.
    """
    try:
        with _opened(repository) as repo:
            repo.git(c=_QUIET).fetch(
                "--quiet", "--no-tags", remote, f"+{namespace}*:{namespace}*"
            )
    except GitCommandError as error:
        raise _unreachable(remote, error) from error


def heads(repository: Repository, remote: str) -> tuple[str, ...]:
    """Return the commits of all branches of the remote.

    Raises:
        OutsideError: The remote cannot be reached.
    """
    try:
        with _opened(repository) as repo:
            listed = repo.git(c=_QUIET).ls_remote("--heads", "--quiet", remote)
    except GitCommandError as error:
        raise _unreachable(remote, error) from error
    return tuple(line.split()[0] for line in str(listed).splitlines())


def push(repository: Repository, remote: str, commit: str, branch: str) -> None:
    """Push ``commit`` to a branch of the remote, as a fast-forward only.

    Raises:
        PushRejectedError: Somebody else moved the branch.
        OutsideError: The remote cannot be reached (E_REMOTE) or refuses
            (E_REMOTE_REFUSED).
    """
    push_ref(repository, remote, commit, f"refs/heads/{branch}")


def push_ref(
    repository: Repository,
    remote: str,
    oid: str,
    ref: str,
    *,
    options: Sequence[str] = (),
) -> str:
    """Push an object to a ref of the remote, named in full, and never by force.

    Args:
        repository: Where the object is.
        remote: Where to.
        oid: The object; empty to delete the ref.
        ref: Its name there.
        options: For the remote's hooks, such as ``merge_request.create``.

    Returns:
        What the remote said, line by line.

    Raises:
        PushRejectedError: Somebody else moved the branch.
        OutsideError: The remote cannot be reached (E_REMOTE), refuses
            (E_REMOTE_REFUSED), or takes no options (E_PUSH_OPTIONS).
    """
    try:
        with _opened(repository) as repo:
            _, _, said = repo.git(c=_QUIET).push(
                "--porcelain",
                *(f"--push-option={option}" for option in options),
                remote,
                f"{oid}:{ref}",
                with_extended_output=True,
            )
            return str(said)
    except GitCommandError as error:
        if options and "does not support push options" in str(error.stderr):
            raise OutsideError(
                f"The remote {remote!r} takes no push options.", code="E_PUSH_OPTIONS"
            ) from error
        verdict = _verdict(error)
        if verdict is None:
            raise _unreachable(remote, error) from error
        if any(phrase in verdict for phrase in _LOST_RACE):
            name = ref.removeprefix("refs/heads/")
            lost = PushRejectedError(
                f"{name} moved on {remote} while this command ran.",
                "Run the command again.",
            )
            lost.verdict = verdict
            raise lost from error
        heard = [
            line.removeprefix("remote:").strip()
            for line in _lines(error.stderr)
            if line.startswith("remote:")
        ]
        said = " ".join(filter(None, heard))
        raise OutsideError(
            f"The remote {remote!r} refused the change {verdict}"
            + (f": {said}" if said else "."),
            "Nothing was changed, there or here.",
            code="E_REMOTE_REFUSED",
        ) from error


def _verdict(error: GitCommandError) -> str | None:
    """Return what ``push --porcelain`` says of a branch that it could not update.

    Only that line decides: what a hook prints may contain any words.
    """
    for line in _lines(error.stdout):
        if line.startswith("!"):
            return line.rpartition("]")[2].strip()
    return None


def _lines(stream: str) -> list[str]:
    """Return the lines of what GitPython quotes as ``stderr: '…'``."""
    text = re.sub(r"^\s*std(out|err): '|'\s*$", "", str(stream))
    return [line.strip() for line in text.splitlines() if line.strip()]


def _unreachable(remote: str, error: GitCommandError) -> OutsideError:
    lines = _lines(error.stderr)
    reason = next(
        (line for line in lines if line.startswith(("fatal:", "remote:", "ERROR:"))),
        lines[0] if lines else "no reason given",
    )
    return OutsideError(
        f"The remote {remote!r} could not be reached: {reason}",
        f"git ls-remote {remote}  shows whether git can reach it.",
        code="E_REMOTE",
    )
