"""``gitmodel requests``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("requests", cls=Command)
@json_option
@click.pass_obj
def command(session: Session) -> None:
    """List promotions, rollbacks and policies that wait.

    Those of this clone and of its remotes, as of the last git fetch; and rollbacks that
    have landed and ask for approval afterwards (kind review).

    Examples:
      gitmodel requests
      gitmodel requests --json
    """
    from gitmodel.cli.output import table
    from gitmodel.cli.request_rendering import request_json, request_name
    from gitmodel.operations.decisions import list_waiting

    with session.open_closing() as handle:
        rows = list_waiting(handle)
    session.answer(
        {"requests": [request_json(row) for row in rows]},
        table(
            ("request", "kind", "from", "to", "requester", "approvals", "status"),
            [
                (
                    request_name(row),
                    row.kind,
                    row.origin or "(empty)",
                    row.version,
                    row.requester or "-",
                    f"{len(row.approvals)} of {row.threshold}",
                    row.status,
                )
                for row in rows
            ],
        )
        if rows
        else "",
    )
    if not rows:
        session.note("Nothing waits for approvals.")
        session.hint("git fetch  brings requests from a remote.")
