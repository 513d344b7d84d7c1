"""``gitmodel hook …``: what git's hooks run."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import json_option
from gitmodel.cli.output import say
from gitmodel.cli.server_hook import install_server, pre_receive
from gitmodel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.cli.session import Session
    from gitmodel.operations.hooks.aspects import Aspect, Refusal
    from gitmodel.registry.handle import RegistryHandle

_SHOWN = 20
_ASPECTS = ("schema", "immutable", "lfs", "signatures", "policy", "secrets")


@click.group("hook", cls=Group)
def command() -> None:
    """Run what a git hook runs; people rarely do.

    Git hooks and the pre-commit tool start these; gitmodel hooks install puts them
    into a clone. Each ends with exit code 0 to let git go on.

    Examples:
      gitmodel hook pre-commit
      gitmodel hook pre-commit --only schema,secrets README.md --json
    """


command.add_command(pre_receive)
command.add_command(install_server)


class _Aspects(click.ParamType["tuple[Aspect, ...]"]):
    """A list of aspects, separated by commas."""

    name = "aspects"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Aspect, ...]:
        """Read it."""
        if isinstance(value, tuple):
            return value
        chosen = tuple(word.strip() for word in str(value).split(","))
        for word in chosen:
            if word not in _ASPECTS:
                known = ", ".join(_ASPECTS)
                self.fail(f"{word!r} is not one of {known}.", param, ctx)
        return cast("tuple[Aspect, ...]", chosen)


@command.command("pre-commit")
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "--only",
    type=_Aspects(),
    metavar="ASPECT,...",
    help="schema, immutable, lfs, signatures, policy or secrets.  [default: all]",
)
@click.option(
    "--completes",
    is_flag=True,
    help="A post-commit hook follows, which makes rollbacks of reverts.",
)
@json_option
@click.pass_obj
def pre_commit(
    session: Session,
    files: tuple[str, ...],
    only: tuple[Aspect, ...] | None,
    completes: bool,
) -> int:
    """Judge what is staged, as verify would judge the commit.

    Reads the index, never the work tree. With FILES, looks at these alone, as they are
    in the index. In what is no registry only secrets are looked for, with --only. Exit
    code 2, 3 or 4: something stands in the way, and each problem comes with the command
    that gets you out.

    Examples:
      gitmodel hook pre-commit
      gitmodel hook pre-commit --only schema,lfs
      gitmodel hook pre-commit --only secrets train.py notes.md
    """
    from gitmodel.operations.hooks.aspects import exit_code
    from gitmodel.operations.hooks.pre_commit import judge_staged

    with opened(session) as handle:
        found = judge_staged(
            handle,
            index=git_index(),
            only=only,
            files=_in_tree(handle, files),
            merging=_merging(),
            completes=completes,
        )
    show_refusals(session, found, "this commit")
    return exit_code(found)


@command.command("prepare-commit-msg")
@click.argument("file", type=click.Path())
@click.argument("source", required=False)
@click.argument("commit", required=False)
@json_option
@click.pass_obj
def prepare_commit_msg(
    session: Session, file: str, source: str | None, commit: str | None
) -> int:
    """Judge a revert or a cherry-pick.

    git asks no other hook before it commits these. A revert of a promotion passes if
    post-commit can make it a rollback with the key that is here.

    Examples:
      gitmodel hook prepare-commit-msg .git/COMMIT_EDITMSG message
    """
    del source, commit
    from gitmodel.operations.hooks.aspects import exit_code
    from gitmodel.operations.hooks.pre_commit import judge_unasked

    with opened(session) as handle:
        found = judge_unasked(handle, _read(file), index=git_index())
    show_refusals(session, found, "this commit")
    return exit_code(found)


@command.command("commit-msg")
@click.argument("file", type=click.Path())
@json_option
@click.pass_obj
def commit_msg(session: Session, file: str) -> int:
    """Judge what a commit message claims.

    Nobody has to write Gitmodel-… trailers; one that says what the staged documents do
    not say is refused. Other trailers can be asked for, by commits.trailers in
    gitmodel.yaml, of commits that change the registry.

    Examples:
      gitmodel hook commit-msg .git/COMMIT_EDITMSG
    """
    from gitmodel.operations.hooks.aspects import exit_code
    from gitmodel.operations.hooks.commit_message import judge_message

    with opened(session) as handle:
        found = judge_message(handle, _read(file), file, index=git_index())
    show_refusals(session, found, "this commit message")
    return exit_code(found)


@command.command("post-commit")
@json_option
@click.pass_obj
def post_commit(session: Session) -> None:
    """Make a rollback of a promotion that was just reverted by hand.

    Does nothing after any other commit.

    Examples:
      gitmodel hook post-commit
    """
    from gitmodel.operations.hooks.revert import complete

    with opened(session) as handle:
        done = complete(handle)
    session.answer(
        {
            "status": done.status if done else "unchanged",
            "commit": done.commit if done else None,
        },
        f"Made the revert a rollback: {done.model} in {done.stage}, "
        f"{done.origin} -> {done.target}\n  commit  {str(done.commit)[:12]}"
        if done
        else "",
    )


@command.command("pre-push")
@click.argument("remote")
@click.argument("url")
@json_option
@click.pass_obj
def pre_push(session: Session, remote: str, url: str) -> int:
    """Judge what is about to be pushed, and bring its LFS objects to the remote.

    Reads from stdin what git writes to its hook. Protected branches, those that git
    config gitmodel.protected names or else the remote's default branch, only grow, and
    by legal commits.

    Examples:
      gitmodel hook pre-push origin "$URL" < updates
    """
    from gitmodel.operations.hooks.aspects import exit_code
    from gitmodel.operations.hooks.push import Update, bring_objects, judge_push

    lines = sys.stdin.read().splitlines()
    updates = [Update.parse(line) for line in lines if line]
    objects = 0
    with opened(session) as handle:
        found = judge_push(handle, remote, updates)
        if not found:
            objects = bring_objects(handle, remote, url, updates)
    show_refusals(session, found, "this push", objects=objects)
    return exit_code(found)


@contextmanager
def opened(session: Session) -> Iterator[RegistryHandle]:
    """Open what git runs the hook in: it may be no registry, and is left as it is.

    Nothing that a killed command left is finished here: git is at work on the index.
    """
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.handle import RegistryHandle

    handle = RegistryHandle(Repository.discover(session.directory), session.context())
    try:
        yield handle
    finally:
        handle.close()


def git_index() -> Path | None:
    """Return the index that git wants its hooks to see; None for the usual one."""
    named = os.environ.get("GIT_INDEX_FILE")
    return Path(named).absolute() if named else None


def _merging() -> list[str]:
    """Return the commits that git says, in the environment, that it is merging."""
    start = "GITHEAD_"
    return [name.removeprefix(start) for name in os.environ if name.startswith(start)]


def _read(file: str) -> str:
    try:
        return Path(file).read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read: {error.strerror}") from error


def show_refusals(
    session: Session, found: Sequence[Refusal], what: str, **more: object
) -> None:
    """Answer with what stands in the way, the way out below each problem."""
    problems = [refusal.to_dict() for refusal in found]
    if session.as_json:
        session.answer({"ok": not found, "problems": problems, **more}, "")
        return
    if not found:
        return
    say(f"gitmodel refuses {what}:")
    for number, refusal in enumerate(found[:_SHOWN]):
        say(f"  {refusal.problem}")
        following = found[number + 1 : number + 2]
        if following and following[0].commands == refusal.commands:
            continue  # said once, below the last of them
        for line in refusal.commands:
            say(f"    -> {line}")
    if len(found) > _SHOWN:
        say(f"  … and {len(found) - _SHOWN} more")


def _in_tree(handle: RegistryHandle, files: Sequence[str]) -> list[str]:
    """Return files as paths of the registry; they are named from where we are."""
    root = handle.repository.work_tree
    if root is None:
        return []
    found = []
    for file in files:
        path = Path(os.path.abspath(file))  # noqa: PTH100 (a link stays what it is)
        if path.is_relative_to(root):
            found.append(path.relative_to(root).as_posix())
    return found
