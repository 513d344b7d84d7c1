"""Asks a source of measurements, and takes whatever it does (R162, R164, R168).

The outside may hang, lie or be gone: that is an answer too.

Whoever can push writes the triggers, and hears what came of them. So a program runs, an
address is asked, and files that nobody committed are read only where this machine
allows it: else a trigger could fetch what only this machine may see, such as the tokens
that a cloud gives to it. That holds for Prometheus too: who answers, and how, tells who
is there, and its errors are words. Of a directory, names and sizes are told.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gitmodel.adapters.bounds import OutOfBoundsError
from gitmodel.adapters.deadline import Deadline
from gitmodel.adapters.metrics import execute, integrity, jsonfile, prometheus, web
from gitmodel.adapters.metrics.answers import BrokenSourceError, NoDataError, line
from gitmodel.domain.measurement import Measurement
from gitmodel.domain.moment import to_text
from gitmodel.domain.sources import (
    LONGEST_TIMEOUT,
    AlertmanagerSource,
    ExecSource,
    FileSource,
    IntegritySource,
    PrometheusSource,
    WebSource,
)
from gitmodel.errors import GitmodelError
from gitmodel.registry.allowed import require_allowed, require_allowed_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.adapters.metrics.alertmanager import Inbox
    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.ports import Clock
    from gitmodel.domain.sources import Source


def measure(
    repository: Repository,
    source: Source,
    clock: Clock,
    *,
    artifacts: Sequence[Artifact] = (),
    environment: Mapping[str, str] | None = None,
    inbox: Inbox | None = None,
) -> Measurement:
    """Ask a source once. It never raises for what the source does.

    Threads may do this side by side: it reads nothing through the registry's handle.

    Args:
        repository: Whose configuration says what is allowed.
        source: What to ask.
        clock: Says when, and how old a file is.
        artifacts: Of the version that is live, to compare with what is served.
        environment: Where headers that name a variable find it.
        inbox: What Alertmanager has sent; None if nobody listens.
    """
    place = _place(source)
    try:
        value = _ask(repository, source, clock, artifacts, environment or {}, inbox)
    except NoDataError as error:
        return Measurement("no_data", None, line(f"{place}: {error}"), clock.now())
    except BrokenSourceError as error:
        return Measurement("error", None, line(f"{place}: {error}"), clock.now())
    except GitmodelError as error:
        said = "; ".join(filter(None, (error.message.rstrip("."), error.hint)))
        return Measurement("error", None, line(said), clock.now())
    except OSError as error:
        said = error.strerror or type(error).__name__
        return Measurement("error", None, line(f"{place}: {said}"), clock.now())
    return Measurement("value", value, line(place), clock.now())


def _ask(
    repository: Repository,
    source: Source,
    clock: Clock,
    artifacts: Sequence[Artifact],
    environment: Mapping[str, str],
    inbox: Inbox | None,
) -> Any:
    match source:
        case PrometheusSource():
            require_allowed_address(repository, prometheus.endpoint(source))
            return prometheus.query(source)
        case WebSource():
            require_allowed_address(repository, source.url)
            return web.fetch(source, environment)
        case FileSource():
            return jsonfile.load(source, _readable(repository, source), clock.now())
        case ExecSource():
            return execute.measure(source, require_allowed(repository, source.argv[0]))
        case AlertmanagerSource():
            return _firing(source, inbox)
        case IntegritySource():
            place = require_allowed(repository, str(_root(repository) / source.path))
            return _compare(place, artifacts)


def _firing(source: AlertmanagerSource, inbox: Inbox | None) -> list[dict[str, Any]]:
    """Return the alerts that fire, oldest first, as JSON has them.

    Whoever has not heard anything for long cannot tell silence from a cut wire.
    """
    if inbox is None:
        raise NoDataError("nobody listens for alerts")
    alerts = inbox.firing(source.alertname, dict(source.labels))
    if not alerts and not inbox.has_heard:
        raise NoDataError("Alertmanager has not said anything lately")
    return [
        {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": to_text(alert.starts_at),
            "fingerprint": alert.fingerprint,
        }
        for alert in sorted(alerts, key=lambda alert: alert.starts_at)
    ]


def _compare(place: Path, artifacts: Sequence[Artifact]) -> Any:
    """Compare what is served, in no more time than any other source has."""
    deadline = Deadline(LONGEST_TIMEOUT.total_seconds())
    try:
        return integrity.compare(place, artifacts, lambda _: deadline.require())
    except OutOfBoundsError as error:
        took = f"hashing it takes more than {deadline.seconds:g} seconds"
        raise BrokenSourceError(took) from error


def _readable(repository: Repository, source: FileSource) -> Path:
    """Return a committed file, wherever links lead, or one that is allowed.

    What is measured is told to others, who must not choose what they are told: that a
    file lies in the work tree does not mean that everybody may read it.
    """
    path = _root(repository) / source.path
    try:
        target = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise BrokenSourceError("its path leads nowhere") from error
    if _is_committed(repository, target):
        return target
    return require_allowed(repository, str(path))


def _is_committed(repository: Repository, target: Path) -> bool:
    tree = repository.work_tree
    if tree is None or not target.is_relative_to(tree.resolve()):
        return False
    name = os.fsencode(target.relative_to(tree.resolve()))
    status, found = repository.git.attempt(
        "--literal-pathspecs", "ls-files", "-z", "--", os.fsdecode(name)
    )
    return status == 0 and name in found.split(b"\0")


def _root(repository: Repository) -> Path:
    """Return what relative paths are relative to."""
    return repository.work_tree or repository.git_dir


def _place(source: Source) -> str:
    """Return who was asked, without what addresses say beside the host."""
    match source:
        case PrometheusSource():
            return f"Prometheus at {urlsplit(source.address).netloc}"
        case WebSource():
            return urlsplit(source.url).netloc
        case FileSource():
            return source.path
        case ExecSource():
            return source.argv[0]
        case AlertmanagerSource():
            return f"alert {source.alertname}"
        case IntegritySource():
            return source.path
