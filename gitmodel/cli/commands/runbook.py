"""``gitmodel runbook``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session

OUTDATED = 3


@click.command("runbook", cls=Command)
@click.argument("model", type=MODEL, required=False)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write there.  [default: runbooks, in the work tree]",
)
@click.option("--check", is_flag=True, help="Write nothing; say what is out of date.")
@json_option
@click.pass_obj
def command(
    session: Session, model: str | None, output: Path | None, check: bool
) -> int:
    """Write what to do at night, with the commands of each model.

    One page of Markdown for MODEL, or for all: what is live, what each stage goes
    back to, who acts and who approves, the commands of an emergency to paste, and
    what to do where something is missing. Pages are ordinary files: commit them.
    They say what HEAD says, so they change when a stage does. With --check, exit
    code 3 means that one is not what it should be.

    Examples:
      gitmodel runbook
      gitmodel runbook fraud -o /srv/wiki
      gitmodel runbook --check
    """
    from gitmodel.operations.runbook_files import check_runbooks, write_runbooks

    act = check_runbooks if check else write_runbooks
    with session.open_closing() as handle:
        pages = act(handle, model, output)
    wrong = [page for page in pages if page.state in {"missing", "outdated"}]
    data = {
        "ok": not wrong,
        "runbooks": [
            {"model": page.model, "path": str(page.path), "state": page.state}
            for page in pages
        ],
    }
    lines = [f"{page.state:<8}  {page.path}" for page in pages]
    session.answer(data, "\n".join(lines) or "There are no models yet.")
    if wrong:
        session.hint("gitmodel runbook  writes them; then commit them.")
    elif any(page.state == "written" for page in pages):
        session.hint("git add and git commit them, so that all have them at night.")
    return OUTDATED if wrong else 0
