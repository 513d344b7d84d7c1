"""``gitmodel check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import SELECTOR, STAGE, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session

REFUSED = 3


@click.command("check", cls=Command)
@click.argument("selector", type=SELECTOR, required=False)
@click.option(
    "--stage",
    type=STAGE,
    help="The stage to promote to.  [default: completeness alone]",
)
@json_option
@click.pass_obj
def command(session: Session, selector: str | None, stage: str | None) -> int:
    """Ask whether a promotion would be allowed; change nothing.

    Checks the version that SELECTOR names, or the highest version of every model. Exit
    code 3 means no; every refusal is listed.

    Examples:
      gitmodel check fraud@1.2.0 --stage production
      gitmodel check --json
    """
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.access_review import overdue
    from gitmodel.operations.check import check

    with session.open_closing() as handle:
        view = handle.view()
        late = overdue(view, handle.context.clock.now())
        found = check(
            view,
            None if selector is None else Selector.parse(selector),
            stage,
            now=handle.context.clock.now(),
        )
    notes = [f"{late}; gitmodel policy review  shows who may do what."] if late else []
    allowed = all(one.allowed for one in found)
    data = {
        "allowed": allowed,
        "notes": notes,
        "refusals": [
            {
                "gate": refusal.gate,
                "message": refusal.message,
                "hint": refusal.hint,
                "model": one.model,
                "version": one.version,
                "stage": one.stage,
            }
            for one in found
            for refusal in one.refusals
        ],
        "checked": [
            {"model": one.model, "version": one.version, "allowed": one.allowed}
            for one in found
        ],
    }
    lines = []
    for one in found:
        what = f"{one.model}@{one.version}" + (f" in {one.stage}" if one.stage else "")
        word = (
            session.style("allowed", fg="green")
            if one.allowed
            else session.style("refused", fg="red")
        )
        lines.append(f"{word}  {what}")
        for refusal in one.refusals:
            lines.append(f"  {refusal.gate}: {refusal.message}")
            lines += [f"    -> {refusal.hint}"] if refusal.hint else []
    session.answer(data, "\n".join(lines))
    for note in notes:
        session.note(f"Note: {note}")
    if not found:
        session.note("No models are registered yet.")
    return 0 if allowed else REFUSED
