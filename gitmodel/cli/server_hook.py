"""``gitmodel hook pre-receive`` and ``install-server``: what a server runs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.hooks.receive import Receipt, Verdict

REFUSED = 1
_SHOWN = 20
#: What a hook must hand on for git to see what was pushed.
_QUARANTINE = (
    "GIT_QUARANTINE_PATH",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)
#: Who pushes, as gitolite, a web server and a login say it.
_PUSHERS = ("GL_USER", "REMOTE_USER", "LOGNAME", "USER")


@click.command("pre-receive", cls=Command)
@click.option(
    "--protect",
    metavar="BRANCH",
    multiple=True,
    help="A branch that holds the registry; may be repeated.  "
    "[git config gitmodel.protected; default: the branch of HEAD]",
)
@click.option(
    "--root",
    metavar="sha256:…",
    help="The root that the registry must have.  [git config gitmodel.root]",
)
@click.option(
    "--lfs",
    metavar="DIR",
    type=click.Path(),
    help="Insist that new artifacts are in this LFS store.  [git config gitmodel.lfs]",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    default=300,
    show_default=True,
    help="Refuse a push that takes longer to judge; 0 for no end.",
)
@click.option(
    "--memory",
    metavar="MIB",
    type=click.IntRange(min=0),
    default=2048,
    show_default=True,
    help="Refuse a push that takes more to judge; 0 for all there is.",
)
@json_option
@click.pass_obj
def pre_receive(
    session: Session,
    protect: tuple[str, ...],
    root: str | None,
    lfs: str | None,
    timeout: int,
    memory: int,
) -> int:
    """Judge a push, in the repository that it comes into.

    git starts it there and writes OLD NEW REF to its standard input, a line for each
    ref. Exit code 1: something is wrong, and git refuses the whole push.

    Examples:
      exec gitmodel hook pre-receive             as the last line of hooks/pre-receive
      gitmodel hook pre-receive --protect main --protect 'release/*'
    """
    from gitmodel.adapters.bounds import OutOfBoundsError, bounded
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.domain.digest import Digest
    from gitmodel.operations.hooks.receive import receive
    from gitmodel.operations.hooks.receiving.refs import read_updates
    from gitmodel.operations.hooks.receiving.rules import read_rules
    from gitmodel.registry.handle import RegistryHandle

    quarantine = {name: os.environ[name] for name in _QUARANTINE if name in os.environ}
    who = next(
        (os.environ[name] for name in _PUSHERS if os.environ.get(name)),
        str(os.getuid()),
    )
    updates = read_updates(sys.stdin.buffer.read())
    try:
        with bounded(timeout, memory << 20):
            repository = Repository.receiving(session.directory, quarantine)
            handle = RegistryHandle(repository, session.context())
            rules = read_rules(
                repository,
                protect=protect,
                root=None if root is None else Digest.parse(root),
                lfs=Path(lfs) if lfs else None,
            )
            try:
                receipt = receive(handle, rules, updates, who)
            finally:
                handle.close()
    except OutOfBoundsError:
        from gitmodel.errors import GitmodelError

        raise GitmodelError(
            f"Judging this push took more than {timeout} seconds or {memory} MiB.",
            "Push fewer commits at once;  --timeout and --memory on the server allow "
            "for more.",
            code="E_TIME",
        ) from None
    session.answer(_to_json(receipt), _to_text(receipt))
    return 0 if receipt.ok else REFUSED


def _to_json(receipt: Receipt) -> dict[str, object]:
    return {
        "ok": receipt.ok,
        "root": str(receipt.registry) if receipt.registry else None,
        "refs": [
            {
                "ref": verdict.update.ref,
                "kind": verdict.kind,
                "old": verdict.update.old,
                "new": verdict.update.new,
                "commits": verdict.commits,
                "problems": [
                    {**problem.to_dict(), "fix": fix}
                    for problem, fix in verdict.advised()
                ],
            }
            for verdict in receipt.verdicts
        ],
    }


def _to_text(receipt: Receipt) -> str:
    if not receipt.ok:
        lines = [
            line
            for verdict in receipt.verdicts
            for line in _refusal(verdict)
            if verdict.problems
        ]
        return "\n".join([*lines, "gitmodel: nothing of this push was taken in."])
    from gitmodel.cli.output import counted

    return "\n".join(
        f"gitmodel: {verdict.update.name}: {counted(verdict.commits, 'commit')} "
        f"verified, registry {str(receipt.registry)[:19]}"
        for verdict in receipt.verdicts
        if verdict.commits
    )


def _refusal(verdict: Verdict) -> list[str]:
    from gitmodel.cli.output import counted

    found = list(verdict.advised())
    count = counted(len(found), "problem")
    ref = verdict.update.ref
    shown = ref if ref.isprintable() else ascii(ref)[1:-1]
    lines = [f"gitmodel: refused: {shown}: {count}"]
    for problem, fix in found[:_SHOWN]:
        where = problem.path + (f":{problem.line}" if problem.line else "")
        commit = f" (commit {problem.commit[:12]})" if problem.commit else ""
        said = f"{where}: {problem.message}" if where else problem.message
        lines.append(f"  {problem.code}  {said}{commit}{f'  -> {fix}' if fix else ''}")
    if len(found) > _SHOWN:
        lines.append(f"  … and {len(found) - _SHOWN} more")
    return lines


@click.command("install-server", cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path())
@click.option(
    "--protect",
    metavar="BRANCH",
    multiple=True,
    help="A branch that holds the registry; may be repeated.  "
    "[default: the branch of HEAD]",
)
@click.option(
    "--root", metavar="sha256:…", help="The root that the registry must have."
)
@click.option(
    "--lfs",
    metavar="DIR",
    type=click.Path(),
    help="Insist that new artifacts are in this LFS store.",
)
@click.option(
    "--program",
    metavar="FILE",
    type=click.Path(),
    help="The gitmodel that the hook runs.  [default: this one]",
)
@json_option
@click.pass_obj
def install_server(
    session: Session,
    directory: str,
    protect: tuple[str, ...],
    root: str | None,
    lfs: str | None,
    program: str | None,
) -> None:
    """Let a bare repository judge what people push to it.

    Writes hooks/pre-receive, and sets what git itself can refuse: malformed objects,
    and packs of more than 1 GiB. A foreign hook is left alone.

    Examples:
      gitmodel hook install-server /srv/git/models.git
      gitmodel hook install-server models.git --root sha256:4f2a… --protect main
    """
    from gitmodel.domain.digest import Digest
    from gitmodel.operations.hooks import install_server as operation

    result = operation.install_server(
        session.directory / directory,
        _program(program),
        protect=protect,
        root=None if root is None else Digest.parse(root),
        lfs=Path(lfs).absolute() if lfs else None,
    )
    settings = {key: list(values) for key, values in result.settings.items()}
    session.answer(
        {
            "path": str(result.path),
            "hook": str(result.hook),
            "changed": result.changed,
            "settings": settings,
        },
        "\n".join(
            [
                f"{'Installed' if result.changed else 'Already there'}: {result.hook}",
                *(
                    f"  {key} = {value}"
                    for key, values in settings.items()
                    for value in values
                ),
            ]
        ),
    )


def _program(given: str | None) -> Path:
    """Return the gitmodel for a hook to run, whatever its PATH."""
    beside = Path(sys.executable).with_name("gitmodel")
    if given:
        found = shutil.which(given)
    else:
        found = str(beside) if beside.exists() else shutil.which("gitmodel")
    if found is None:
        from gitmodel.errors import NotFoundError

        raise NotFoundError(
            f"There is no program {given or 'gitmodel'!r} for the hook to run.",
            "--program FILE  names it.",
        )
    return Path(found).absolute()
