"""``gitmodel validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, STAGE, change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session

FAILED = 3


@click.command("validate", cls=Command)
@click.argument("model", type=MODEL)
@click.argument("stage", type=STAGE)
@change_options
@json_option
@click.pass_obj
def command(session: Session, model: str, stage: str, push: bool, dry_run: bool) -> int:
    """See whether the rollback of a stage has helped.

    Carries out the checks that `validation.postRollback` in model.yaml asks for, on
    what STAGE holds since its newest move, a rollback; and signs what came of it as a
    postrollback attestation, good or bad. A rollback does this by itself. Exit code 3
    means that a check failed; nothing is taken back. Programs run, and directories are
    looked into, only where `gitmodel.allow` in git's configuration names them.
    --dry-run carries the checks out too, but signs nothing.

    Examples:
      gitmodel validate fraud production
      gitmodel validate fraud production --dry-run --json
      git config --add gitmodel.allow /opt/checks/accuracy
    """
    from gitmodel.cli.validation_rendering import validation_json, validation_text
    from gitmodel.operations.post_rollback import validate_rollback
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        done = validate_rollback(
            handle,
            model,
            stage,
            mode=Mode(dry_run=dry_run, push=push),
            tell=session.step,
        )
    session.answer(validation_json(done), validation_text(session, done))
    if done.status == "none":
        session.hint(
            f"validation.postRollback in models/{model}/model.yaml says what to check."
        )
    elif not done.passed:
        session.hint(f"gitmodel rollback {model} {stage} -m REASON  goes further back.")
    elif done.commit:
        session.hint(f"gitmodel show {model}@{done.version}")
    return 0 if done.passed else FAILED
