"""``gitmodel hook …``: what git's hooks run."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import json_option
from gitmodel.cli.output import say
from gitmodel.cli.server_hook import install_server, pre_receive

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
    default=_ASPECTS,
    show_default=False,
    metavar="ASPECT,...",
    help="schema, immutable, lfs, signatures, policy or secrets.  [default: all]",
)
@json_option
@click.pass_obj
def pre_commit(
    session: Session, files: tuple[str, ...], only: tuple[Aspect, ...]
) -> int:
    """Judge what is staged, as verify would judge the commit.

    Reads the index, never the work tree. With FILES, looks at these alone, as they are
    in the index. Exit code 2, 3 or 4: something stands in the way, and each problem
    comes with the command that gets you out.

    Examples:
      gitmodel hook pre-commit
      gitmodel hook pre-commit --only schema,lfs
      gitmodel hook pre-commit --only secrets train.py notes.md
    """
    from gitmodel.operations.hooks.aspects import exit_code
    from gitmodel.operations.hooks.pre_commit import judge_staged

    with opened(session) as handle:
        found = judge_staged(
            handle, index=git_index(), only=only, files=_in_tree(handle, files)
        )
    show_refusals(session, found, "this commit")
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


def show_refusals(session: Session, found: Sequence[Refusal], what: str) -> None:
    """Answer with what stands in the way, the way out below each problem."""
    problems = [refusal.to_dict() for refusal in found]
    if session.as_json:
        session.answer({"ok": not found, "problems": problems}, "")
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
        say(f"  … and {len(found) - _SHOWN} more:  gitmodel hook pre-commit --json")


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
