"""``gitmodel report``: what others should know, for people and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command, Group
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.landing.report import ChangeReport

_PENDING = 3


@click.group("report", cls=Group)
def command() -> None:
    """Tell reviewers and CI what they should know.

    Examples:
      gitmodel report change origin/main..HEAD --json
      gitmodel report change origin/main..HEAD --markdown report.md
    """


@command.command("change", cls=Command)
@click.argument("commits", metavar="BASE..HEAD")
@click.option("--root", metavar="DIGEST", help="What policy 1 of BASE must be.")
@click.option(
    "--require-approvals", is_flag=True, help="Exit with 3 while approvals lack."
)
@click.option(
    "--markdown",
    metavar="FILE",
    help="Also write the report for a pull request; - for stdout.",
)
@json_option
@click.pass_obj
def change_command(
    session: Session,
    commits: str,
    root: str | None,
    require_approvals: bool,
    markdown: str | None,
) -> int:
    """Judge what merging HEAD into BASE would change; change nothing.

    Looks at documents, signatures, policy, gates, lineage and history, as gitmodel
    verify would after the merge, by the policy of BASE. No file of HEAD is checked out,
    so that this is safe for what strangers propose. Exit code 3 means refused by policy
    or gates, 4 that bytes or signatures are wrong.

    Examples:
      gitmodel report change origin/main..HEAD
      gitmodel report change main..request/production/fraud/3 --require-approvals
      gitmodel report change origin/main..FETCH_HEAD --root sha256:DIGEST --markdown -
    """
    from gitmodel.cli.change_rendering import change_json, change_text
    from gitmodel.domain.digest import Digest
    from gitmodel.operations.hooks.aspects import exit_code
    from gitmodel.operations.landing.report import report_change

    base, head = _ends(commits)
    expected = Digest.parse(root) if root is not None else None
    with session.open_closing() as handle:
        report = report_change(handle, base, head, root=expected)
    if markdown == "-" and not session.as_json:
        from gitmodel.cli.change_markdown import change_markdown

        click.echo(change_markdown(report), nl=False)
    else:
        if markdown is not None:
            _write(markdown, report)
        session.answer(change_json(report), change_text(session, report))
    if root is None:
        session.note(f"Root: {report.root}, taken on trust; --root insists on one.")
    if report.status == "refused":
        # What is malformed is not the caller's input, so it is no usage error.
        return max(exit_code(report.refusals), _PENDING)
    return _PENDING if report.status == "pending" and require_approvals else 0


def _ends(commits: str) -> tuple[str, str]:
    from gitmodel.errors import InputError

    base, dots, head = commits.partition("..")
    if not dots or not base or head.startswith(".") or ".." in head:
        raise InputError(
            f"{commits[:80]!a} is no BASE..HEAD.",
            "Write it as for git log, such as origin/main..HEAD.",
        )
    return base, head or "HEAD"


def _write(file: str, report: ChangeReport) -> None:
    from gitmodel.cli.change_markdown import change_markdown
    from gitmodel.errors import InputError, OutsideError

    if file == "-":
        raise InputError(
            "--json and --markdown - both answer on stdout.",
            "Give --markdown a FILE.",
        )
    try:
        Path(file).write_text(change_markdown(report), encoding="utf-8")
    except OSError as error:
        raise OutsideError(f"{file} cannot be written: {error.strerror}") from error
