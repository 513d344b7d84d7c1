"""``gitmodel watch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from datetime import timedelta

    from gitmodel.cli.session import Session


class Interval(click.ParamType["timedelta"]):
    """A length of time such as ``15s`` or ``5m``."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it."""
        from gitmodel.domain.gates import duration
        from gitmodel.errors import InputError

        try:
            found = duration(str(value))
        except InputError:
            self.fail(f"{value!r} is no duration; write 15s, 5m or 1h.", param, ctx)
        if found.days > 1:
            self.fail("More than a day is too long to watch anything.", param, ctx)
        return found


@click.command("watch", cls=Command)
@click.option("--once", is_flag=True, help="Go one round, for cron and CI; then end.")
@click.option(
    "--interval",
    metavar="DURATION",
    type=Interval(),
    default="15s",
    show_default=True,
    help="Time between two rounds.",
)
@click.option(
    "--fetch",
    is_flag=True,
    help="Before each round, do what `gitmodel sync` does: take in, and push.",
)
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    help="Hear Alertmanager's webhook there, at /alerts.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What Alertmanager must bring; needed unless ADDRESS is this machine.",
)
@click.option("--push", is_flag=True, help="Also push what is done.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done; tell nobody, change nothing.",
)
@json_option
@click.pass_obj
def command(
    session: Session,
    /,
    once: bool,
    interval: timedelta,
    listen: str | None,
    token_file: Path | None,
    **options: bool,
) -> int:
    """Watch what is live, and act when it goes wrong.

    triggers/MODEL.yaml at HEAD says what is watched and what is done; gitmodel.yaml
    says who is told. Only programs that this machine allows are run. What is done is
    signed by the key of this session: give a watcher one that may roll back, and no
    more. One watcher runs in a clone; SIGTERM ends it after the round that runs.

    With --json, each event and each action is one line of JSON, as it happens; with
    --once, the round is one document. Exit code 5 of --once says that something could
    not be watched: a source, the remote or a trigger.

    Examples:
      gitmodel watch --once --dry-run
      gitmodel watch --fetch --push
      gitmodel watch --listen 127.0.0.1:9099
    """
    from gitmodel.cli.watching import Wish, watch_on, watch_once
    from gitmodel.operations.watch_round import Options

    if token_file is not None and listen is None:
        raise click.UsageError("--token-file is for --listen.")
    wish = Wish(
        options=Options(**options, interval=None if once else interval),
        listen=listen,
        token_file=token_file,
    )
    return watch_once(session, wish) if once else watch_on(session, wish)
