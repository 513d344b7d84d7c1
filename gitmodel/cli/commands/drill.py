"""``gitmodel drill``."""

from __future__ import annotations

import math
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import MODEL, STAGE, change_options, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.cli.session import Session

FAILED = 3
_LONGEST = 86_400  # seconds


@click.command("drill", cls=Command)
@click.argument("model", type=MODEL)
@click.argument("stage", type=STAGE)
@click.option(
    "--full",
    is_flag=True,
    help="Judge the whole history afterwards, and hash every byte that is here.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Leave the throw-away registry in DIR, which must be new.",
)
@click.option("--record", is_flag=True, help="Sign how it went, as an attestation.")
@click.option(
    "--max-seconds",
    metavar="N",
    type=click.FloatRange(0, _LONGEST, min_open=True),
    help="Fail if a host would serve the old version only after that.",
)
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    model: str,
    stage: str,
    full: bool,
    keep: Path | None,
    record: bool,
    max_seconds: float | None,
    push: bool,
    dry_run: bool,
) -> int:
    """Rehearse an emergency of a stage, and measure it.

    Makes a throw-away copy of this registry, takes STAGE back there as in an
    emergency, by the real policy and with your key; writes the last known good
    where a host would, verifies every byte, carries out the checks of the model
    that need no host, and verifies the new history. Nothing of this registry
    changes, and nobody is told; bytes that this clone lacks are fetched, and
    stay. Says who may act, who would hear of it and who must approve it
    afterwards. Exit code 3 means that something stood in the way; each finding
    has the command that mends it.

    --record signs how it went as an attestation of the version that is live; only
    then do --dry-run and --push mean anything. What --keep leaves is signed with
    your key: pushed to the registry, it would be a real rollback. So guard it.

    Examples:
      gitmodel drill fraud production
      gitmodel drill fraud production --max-seconds 30 --record --push
      gitmodel drill fraud production --full --keep /tmp/drill
    """
    from gitmodel.cli.drill_rendering import drill_json, drill_text
    from gitmodel.operations.drill import drill
    from gitmodel.operations.drill_record import record_drill, require_recorder
    from gitmodel.operations.drill_result import Wishes
    from gitmodel.registry.transaction import Mode

    if max_seconds is not None and not math.isfinite(max_seconds):
        raise click.UsageError("--max-seconds takes a number.")
    if push and not record:
        raise click.UsageError("Only what is recorded can be pushed: add --record.")
    wishes = Wishes(full=full, keep=keep, max_seconds=max_seconds, tell=session.step)
    with session.open_closing() as handle, _ended_by_signals():
        if record:
            require_recorder(handle)
        done = drill(handle, model, stage, wishes)
        if record:
            mode = Mode(dry_run=dry_run, push=push)
            done = record_drill(handle, done, mode)
    session.answer(drill_json(done, dry_run=dry_run), drill_text(session, done))
    if done.kept is not None:
        session.warn(
            f"What is in {done.kept} is signed with your key: pushed to the registry, "
            "it would be a real rollback."
        )
    if done.status == "failed":
        session.hint("Mend what stood in the way, and hold the drill again.")
    elif done.commit is not None:
        session.hint(f"gitmodel show {model}@{done.version}")
    elif not record:
        session.hint(f"gitmodel drill {model} {stage} --record  keeps it on record.")
    return 0 if done.status == "passed" else FAILED


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a polite kill clean up as Ctrl-C does."""

    def end(number: int, _: object) -> None:
        del number
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
