"""What ``gitmodel watch`` goes through: one round, or rounds until it is ended."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.output import printable, table
from gitmodel.domain.watch_event import one_line
from gitmodel.errors import InputError
from gitmodel.operations.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitmodel.cli.session import Session
    from gitmodel.operations.watch_acting import Acted
    from gitmodel.operations.watch_round import Options, RoundResult

#: What is outside of the registry does not answer, or not as it should.
OUTSIDE = 5
_LARGEST = 4096  # bytes of a token


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants to watch."""

    options: Options
    listen: str | None
    token_file: Path | None


def watch_once(session: Session, wish: Wish) -> int:
    """Go one round, and answer with it; return the exit code."""
    with _watcher(session, wish) as watcher, session.open_closing() as handle:
        found = watcher.once(handle, threading.Event())
    session.answer(round_json(found), _text(session, found))
    if not found.stages and not found.problems:
        session.hint("triggers/MODEL.yaml, once it is committed, says what is watched.")
    return _code(found)


def watch_on(session: Session, wish: Wish) -> int:
    """Go rounds until a signal comes; tell of each event as it happens."""
    stop = threading.Event()
    known: set[str] = set()

    def told(found: RoundResult) -> None:
        _tell(session, found, known)

    with _watcher(session, wish) as watcher, ending_by_signal(stop):
        session.note("Watching; SIGTERM or Ctrl-C ends it.")
        watcher.run(session.open_closing, stop, told)
    session.note("Ended.")
    return 0


@contextmanager
def ending_by_signal(stop: threading.Event) -> Iterator[None]:
    """Let the first signal end it gently; a second one does as it always does.

    A signal may come while this very thread holds the lock of ``stop``, and setting it
    there would wait for ever. So another thread does, told by a queue without a lock.
    """
    came = SimpleQueue[bool]()

    def listen() -> None:
        if came.get():
            stop.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    before = {
        each: signal.getsignal(each) or signal.SIG_DFL
        for each in (signal.SIGTERM, signal.SIGINT)
    }

    def end(number: int, _: object) -> None:
        came.put(True)
        signal.signal(number, before[signal.Signals(number)])

    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        came.put(False)
        listener.join()


@contextmanager
def _watcher(session: Session, wish: Wish) -> Iterator[Watcher]:
    """Make the watcher; while the context lasts, it hears what it is to hear."""
    if wish.listen is None:
        yield Watcher(wish.options)
        return
    from gitmodel.adapters.metrics.alertmanager import Inbox
    from gitmodel.adapters.metrics.listener import listening, parse_address

    inbox, address = Inbox(), parse_address(wish.listen)
    token = _token(wish.token_file) if wish.token_file else None
    watcher = Watcher(wish.options, inbox)
    with listening(address, inbox, token=token, problem=watcher.problem) as where:
        session.note(f"Alertmanager may come to {where}/alerts")
        yield watcher


def _token(file: Path) -> str:
    if file.stat().st_mode & 0o077:
        raise InputError(
            f"Others can read the token in {file}", f"chmod 600 {file}", code="E_LISTEN"
        )
    with file.open("rb") as opened:
        data = opened.read(_LARGEST)
    return data.decode("utf-8", "replace").strip()


def round_json(found: RoundResult) -> dict[str, Any]:
    """Return a round as JSON."""
    return {
        "commit": found.commit,
        "stages": [
            {
                "model": stage.model,
                "stage": stage.stage,
                "version": stage.version,
                "metrics": [
                    {
                        "name": metric.name,
                        "severity": metric.severity,
                        "phase": metric.phase,
                        "outcome": metric.outcome or None,
                        "detail": metric.detail,
                    }
                    for metric in stage.metrics
                ],
            }
            for stage in found.stages
        ],
        "events": [event.to_dict() for event in found.events],
        "actions": [_acted_json(acted) for acted in found.acted],
        "problems": [problem.to_dict() for problem in found.problems],
        "dryRun": found.dry_run,
    }


def _acted_json(acted: Acted) -> dict[str, Any]:
    decision = acted.decision
    return {
        "action": decision.action,
        "model": decision.model,
        "stage": decision.stage,
        "metric": decision.metric,
        "status": acted.status,
        "detail": acted.detail,
        "reason": decision.reason,
        "incident": acted.incident,
        "commit": acted.commit,
        "code": acted.error.code if acted.error else None,
    }


def _text(session: Session, found: RoundResult) -> str:
    rows = [
        [
            f"{stage.model}#{stage.stage}",
            stage.version or "-",
            metric.name,
            _colored(session, metric.phase),
            metric.outcome or "-",
            metric.detail if metric.outcome else _unmeasured(stage.version),
        ]
        for stage in found.stages
        for metric in stage.metrics
    ]
    header = ("stage", "version", "metric", "phase", "outcome", "detail")
    parts = [table(header, rows) if rows else "Nothing is watched."]
    lines = _lines(found)
    return "\n\n".join([*parts, "\n".join(lines)] if lines else parts)


def _unmeasured(version: str | None) -> str:
    return "not due yet" if version else "nothing is live"


def _lines(found: RoundResult) -> list[str]:
    lines = [f"not watched: {problem}" for problem in found.problems]
    for event in found.events:
        of = f" {event.metric}" if event.metric else ""
        dry = " (dry run)" if event.dry_run else ""
        place = f"{event.model}#{event.stage}"
        lines.append(f"{event.level} {place}{of}: {event.kind}{dry}: {event.text}")
    for acted in found.acted:
        place = f"{acted.decision.model}#{acted.decision.stage}"
        lines.append(
            f"{acted.decision.action} of {place}: {acted.status}: {acted.detail}"
        )
    # Names of files and words of others must not look like a line of their own.
    return [one_line(line) for line in lines]


def _colored(session: Session, phase: str) -> str:
    color = {"healthy": "green", "firing": "red", "acted": "red", "suspect": "yellow"}
    return session.style(phase, fg=color.get(phase))


def _tell(session: Session, found: RoundResult, known: set[str]) -> None:
    """Tell of what is new in a round; of what cannot be watched, once."""
    fresh = [each for each in found.problems if str(each) not in known]
    known.clear()
    known.update(map(str, found.problems))
    if session.as_json:
        rows = [{"problem": problem.to_dict()} for problem in fresh]
        rows += [{"event": event.to_dict()} for event in found.events]
        rows += [{"action": _acted_json(acted)} for acted in found.acted]
        for row in rows:
            click.echo(json.dumps(row))
        return
    for line in _lines(replace(found, problems=tuple(fresh))):
        click.echo(printable(line))


def _code(found: RoundResult) -> int:
    failed = [acted.error for acted in found.acted if acted.status == "failed"]
    for error in failed:
        if error is not None:
            return error.exit_code
    outside = found.problems or found.broken or any(a.error for a in found.acted)
    return OUTSIDE if outside else 0
