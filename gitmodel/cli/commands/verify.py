"""``gitmodel verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import DURATION, SELECTOR, json_option

if TYPE_CHECKING:
    from datetime import timedelta

    from gitmodel.cli.session import Session
    from gitmodel.operations.verify import VerifyResult

ABSENT, BROKEN = 1, 4


@click.command("verify", cls=Command)
@click.argument("selector", type=SELECTOR, required=False)
@click.option("--no-bytes", is_flag=True, help="Do not read and hash the artifacts.")
@click.option(
    "--history", is_flag=True, help="Also judge every commit by the policy of its time."
)
@click.option("--full", is_flag=True, help="Judge history from the very first commit.")
@click.option(
    "--root",
    metavar="sha256:…",
    help="The root digest that you trust, from gitmodel init.",
)
@click.option(
    "--checkpoint",
    metavar="FILE",
    help="A checkpoint to agree with; a shallow clone is verified from there on.",
)
@click.option(
    "--max-age",
    type=DURATION,
    help="How old the checkpoint may be: 12h, 8d. Else until it expires.",
)
@json_option
@click.pass_obj
def command(
    session: Session,
    selector: str | None,
    no_bytes: bool,
    history: bool,
    full: bool,
    root: str | None,
    checkpoint: str | None,
    max_age: timedelta | None,
) -> int:
    """Verify signatures, bytes, pins, log and history.

    All of the registry, or the version that SELECTOR names and the stages of its model.
    Works offline, on any clone, and names every problem. Exit code 4: something is
    wrong. Exit code 1: nothing is wrong, but this clone lacks some bytes or history.

    Examples:
      gitmodel verify
      gitmodel verify fraud#production
      gitmodel verify --history
      gitmodel verify --root sha256:4f2a… --json
      gitmodel verify --checkpoint checkpoint.json --max-age 8d
    """
    if max_age is not None and checkpoint is None:
        raise click.UsageError("--max-age is the age of a --checkpoint; name one.")
    from gitmodel.cli.session import UNSHALLOW
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.verify import verify

    with session.open_closing() as handle:
        result = verify(
            handle,
            None if selector is None else Selector.parse(selector),
            hash_bytes=not no_bytes,
            root=None if root is None else Digest.parse(root),
            history=history,
            full=full,
            checkpoint=Path(checkpoint).expanduser() if checkpoint else None,
            max_age=max_age,
        )
        shallow = handle.repository.is_shallow
    session.answer(_to_json(result), _to_text(session, result))
    for notice in result.notices:
        session.note(f"notice: {notice.message}  [{notice.code}]")
    if not result.ok and any(p.code == "E_ARTIFACT_MISSING" for p in result.problems):
        session.hint(
            "gitmodel pull MODEL@VERSION  or  git lfs fetch --all  brings missing bytes"
        )
    if not result.ok and shallow:
        session.hint(UNSHALLOW)
    if result.ok:
        return 0
    return ABSENT if result.only_absent else BROKEN


def _to_json(result: VerifyResult) -> dict[str, object]:
    return {
        "ok": result.ok,
        "root": result.root,
        "rootGiven": result.root_given,
        "checked": {
            "versions": result.versions,
            "transitions": result.transitions,
            "commits": result.commits,
            "signatures": result.signatures,
            "artifacts": result.artifacts,
            "commitSignatures": result.commit_signatures,
        },
        "steps": result.steps,
        "bytes": result.bytes_hashed,
        "problems": [problem.to_dict() for problem in result.problems],
        "notices": [notice.to_dict() for notice in result.notices],
    }


def _to_text(session: Session, result: VerifyResult) -> str:
    from gitmodel.cli.output import counted, size

    lines = [
        f"  {session.style(problem.code, fg='red')}  {_place(problem)}"
        for problem in result.problems
    ]
    hashed = (
        "bytes NOT hashed (--no-bytes)"
        if result.bytes_hashed is None
        else f"{size(result.bytes_hashed)} hashed"
    )
    anchor = (
        "as you named it" if result.root_given else "taken on trust; --root names it"
    )
    word = (
        session.style("Verified", fg="green") + ":"
        if result.ok
        else session.style(counted(len(result.problems), "problem"), fg="red") + " in"
    )
    summary = (
        f"{word} {counted(result.versions, 'version')}, "
        f"{counted(result.transitions, 'transition')}, "
        f"{counted(result.commits, 'commit')}, "
        f"{counted(result.signatures, 'signature')}, "
        f"{counted(result.artifacts, 'artifact')}, {hashed}\n"
        f"{_history(result)}"
        f"  root {result.root} ({anchor})"
    )
    return "\n".join([*lines, summary])


def _history(result: VerifyResult) -> str:
    from gitmodel.cli.output import counted

    if result.steps is None:
        return ""
    new = counted(result.steps, "commit")
    return (
        f"  history: {new} judged by the policy of their time; "
        f"{result.commit_signatures} signed by principals\n"
    )


def _place(problem: object) -> str:
    from gitmodel.domain.problem import Problem

    if not isinstance(problem, Problem):
        raise TypeError(type(problem).__name__)
    where = problem.path + (f":{problem.line}" if problem.line else "")
    commit = f"  (commit {problem.commit[:12]})" if problem.commit else ""
    return (
        f"{where}: {problem.message}{commit}" if where else f"{problem.message}{commit}"
    )
