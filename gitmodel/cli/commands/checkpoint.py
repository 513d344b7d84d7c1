"""``gitmodel checkpoint``: signed statements of what a registry is, for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import DURATION, json_option

if TYPE_CHECKING:
    from datetime import timedelta

    from gitmodel.cli.session import Session
    from gitmodel.operations.checkpoint import CheckpointResult

BROKEN = 4


@click.group("checkpoint", cls=Group)
@json_option
def command() -> None:
    """Sign what the registry is now, and hold a registry against it.

    A checkpoint is a small file that expires. With it a fresh clone, a shallow one or a
    consumer notices a fork, a rewritten history and a mirror that stands still.

    Examples:
      gitmodel checkpoint create -o checkpoint.json
      gitmodel checkpoint verify checkpoint.json
    """


@command.command("create")
@click.option(
    "--expires",
    "lifetime",
    type=DURATION,
    default="7d",
    show_default=True,
    help="How long it is to hold: 12h, 7d, 2w.",
)
@click.option("-o", "--output", metavar="FILE", help="Write it here as well.")
@click.option("--push", is_flag=True, help="Also publish it on the remote.")
@json_option
@click.pass_obj
def create(
    session: Session, lifetime: timedelta, output: str | None, push: bool
) -> None:
    """Sign what HEAD is, as auditor or root.

    With --push the remote has it as a ref of its own, from which `gitmodel checkpoint
    fetch` brings the newest; no commit is made. It then tells a mirror that stands
    still. Against a remote that lies, hand the file on by another way.

    Examples:
      gitmodel checkpoint create --expires 7d -o checkpoint.json
      gitmodel checkpoint create --push
    """
    from gitmodel.operations.checkpoint import create_checkpoint

    where = Path(output).expanduser() if output else None
    with session.open_closing() as handle:
        result = create_checkpoint(handle, lifetime=lifetime, output=where, push=push)
    found = result.checkpoint
    session.answer(
        _to_json(result),
        f"Signed checkpoint {found.seq} as {result.signer}\n"
        f"  commit   {found.commit[:12]}\n"
        f"  expires  {found.expires_at}\n"
        f"  file     {result.path}"
        + (f"\n  pushed   {result.published}" if result.published else ""),
    )
    session.hint(f"gitmodel checkpoint verify {result.path}")


@command.command("fetch")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="checkpoint.json",
    show_default=True,
    help="Where to write it.",
)
@json_option
@click.pass_obj
def fetch(session: Session, output: str) -> None:
    """Get the newest checkpoint that the remote has.

    Its signature counts; whether it holds here, and how old it may be, is asked next.

    Examples:
      gitmodel checkpoint fetch -o checkpoint.json
      gitmodel verify --checkpoint checkpoint.json --max-age 8d
    """
    from gitmodel.operations.checkpoint import fetch_checkpoint

    with session.open_closing() as handle:
        result = fetch_checkpoint(handle, Path(output).expanduser())
    found = result.checkpoint
    session.answer(
        _to_json(result),
        f"Got checkpoint {found.seq} by {result.signer}\n"
        f"  commit   {found.commit[:12]}\n"
        f"  expires  {found.expires_at}\n"
        f"  file     {result.path}",
    )
    session.hint(f"gitmodel checkpoint verify {result.path} --max-age 8d")


@command.command("verify")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--max-age", type=DURATION, help="Refuse one that was made longer ago: 12h, 8d."
)
@json_option
@click.pass_obj
def verify(session: Session, files: tuple[str, ...], max_age: timedelta | None) -> int:
    """Hold this clone against checkpoints, and them against each other.

    Exit code 4: the registry is not what was signed, the checkpoint does not count, or
    it is too old to say that the registry is up to date.

    Examples:
      gitmodel checkpoint verify checkpoint.json --max-age 8d
      gitmodel checkpoint verify mine.json theirs.json
    """
    from gitmodel.operations.checkpoint import verify_checkpoints

    paths = [Path(file).expanduser() for file in files]
    with session.open_closing() as handle:
        results = verify_checkpoints(handle, paths, max_age=max_age)
    ok = not any(result.problems for result in results)
    session.answer(
        {"ok": ok, "checkpoints": [_to_json(result) for result in results]},
        "\n".join(_to_text(session, result) for result in results),
    )
    return 0 if ok else BROKEN


def _to_json(result: CheckpointResult) -> dict[str, object]:
    found = result.checkpoint
    return {
        "seq": found.seq,
        "commit": found.commit,
        "createdAt": found.created_at,
        "expiresAt": found.expires_at,
        "signer": result.signer,
        "path": str(result.path) if result.path else None,
        "published": result.published,
        "problems": [problem.to_dict() for problem in result.problems],
        "checkpoint": found.to_document(),
    }


def _to_text(session: Session, result: CheckpointResult) -> str:
    found = result.checkpoint
    if not result.problems:
        word = session.style("Verified", fg="green")
        return (
            f"{word}: checkpoint {found.seq}, commit {found.commit[:12]}, signed by "
            f"{result.signer} at {found.created_at}"
        )
    return "\n".join(
        f"{session.style(problem.code, fg='red')}  {problem.message}"
        for problem in result.problems
    )
