"""``gitmodel doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.command("doctor", cls=Command)
@click.option("--offline", is_flag=True, help="Ask no remote.")
@json_option
@click.pass_obj
def command(session: Session, offline: bool) -> int:
    """Check whether this clone, its tools and its key are fit.

    Looks at git, git-lfs, the repository, branch, registry, policy, LFS attributes and
    store, hooks, tags and your key, and says how to mend what is wrong. Asks the remote
    whether it is this registry and has every artifact of it, and whether people without
    credentials can read them. Exit code 1 means that something must be repaired before
    commands can work; advice alone leaves it at 0.

    Examples:
      gitmodel doctor
      gitmodel doctor --offline --json
    """
    from gitmodel.operations.doctor import doctor

    checks = doctor(session.directory, session.context(), offline=offline)
    lines = []
    for check in checks:
        word, color = (
            ("ok", "green")
            if check.ok
            else ("FAIL", "red")
            if check.required
            else ("note", "yellow")
        )
        lines.append(
            f"{session.style(f'{word:<4}', fg=color)}  {check.name:<18} {check.found}"
        )
        if check.hint:
            lines.append(f"{'':<6}{'':<18} -> {check.hint}")
    data = {
        "checks": [
            {
                "name": check.name,
                "ok": check.ok,
                "required": check.required,
                "found": check.found,
                "hint": check.hint,
            }
            for check in checks
        ]
    }
    session.answer(data, "\n".join(lines))
    return int(any(check.required and not check.ok for check in checks))
