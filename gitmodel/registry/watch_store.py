"""What a watcher keeps in its clone: its memory, its events, and a sign of life.

Everything is below ``.git/gitmodel/watch``, which no commit reaches. A rehearsal has a
place of its own: what it did must not keep the real watcher from doing it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.lock import exclusive
from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

VERSION = 1
_LARGEST = 16 << 20  # bytes of memory
_MOST = 4 << 20  # bytes of events; then the file becomes the older one
_ONLY_MINE = 0o600


@dataclass(frozen=True, slots=True)
class Memory:
    """What was remembered.

    Attributes:
        stages: By ``STAGE/MODEL``: what ``domain.watch_memory`` reads.
        told: Problems that people have heard of.
        broken: There was something, and it cannot be read.
    """

    stages: Mapping[str, Any]
    told: frozenset[str]
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of life.

    Attributes:
        at: When it was given.
        until: When the next one was to come; None if nobody promised one.
        process: Of which process.
    """

    at: datetime
    until: datetime | None
    process: int


class WatchStore:
    """The place of one watcher."""

    def __init__(self, repository: Repository, *, dry_run: bool = False) -> None:
        self._place = repository.state_dir / "watch"
        if dry_run:
            self._place /= "dry-run"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the only watcher here while the context lasts.

        Raises:
            ConflictError: There is another one.
            OutsideError: The clone cannot be written.
        """
        with _alone(self._place / "lock"):
            self._place.chmod(0o700)
            yield

    def recall(self) -> Memory:
        """Return what was remembered; whatever is there, it never raises."""
        path = self._place / "state.json"
        nothing = Memory({}, frozenset())
        try:
            found = path.lstat()
            if not _is_trusted(found):
                return Memory({}, frozenset(), broken=True)
            data = json.loads(path.read_bytes())
            if data["version"] != VERSION or not isinstance(data["stages"], Mapping):
                return Memory({}, frozenset(), broken=True)
            return Memory(data["stages"], frozenset(map(str, data["told"])))
        except FileNotFoundError:
            return nothing
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Memory({}, frozenset(), broken=True)

    def remember(self, memory: Memory) -> None:
        """Keep it in place of what was there; killed at any time, one of both is.

        Raises:
            OutsideError: It cannot be written.
        """
        data = {
            "version": VERSION,
            "stages": dict(memory.stages),
            "told": sorted(memory.told),
        }
        self._write("state.json", data)

    def keep(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Append events, one line of JSON each.

        Raises:
            OutsideError: They cannot be written.
        """
        lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        if not lines:
            return
        path = self._place / "events.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            if path.is_file() and path.stat().st_size >= _MOST:
                path.replace(self._place / "events.1.jsonl")
            with os.fdopen(os.open(path, flags, _ONLY_MINE), "ab") as file:
                file.write(lines)
        except OSError as error:
            raise _unwritable(path, error) from error

    def beat(self, heart: Heartbeat) -> None:
        """Give a sign of life.

        Raises:
            OutsideError: It cannot be written.
        """
        data = {
            "at": heart.at.isoformat(),
            "until": heart.until.isoformat() if heart.until else None,
            "process": heart.process,
        }
        self._write("heartbeat.json", data)

    def rest(self) -> None:
        """End in peace: nobody is to wait for the next sign of life."""
        with suppress(OSError):
            (self._place / "heartbeat.json").unlink(missing_ok=True)

    def last_beat(self) -> Heartbeat | None:
        """Return the last sign of life; None if there is none that can be read."""
        try:
            data = json.loads((self._place / "heartbeat.json").read_bytes())
            until = data["until"]
            return Heartbeat(
                datetime.fromisoformat(data["at"]),
                datetime.fromisoformat(until) if until is not None else None,
                int(data["process"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _write(self, name: str, data: object) -> None:
        path = self._place / name
        temporary = path.with_suffix(".tmp")
        try:
            with suppress(FileNotFoundError):
                temporary.unlink()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, _ONLY_MINE), "wb") as file:
                file.write(json.dumps(data).encode())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error


def _is_trusted(found: os.stat_result) -> bool:
    """Say whether a file is this user's own, and not too large to be memory."""
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid in (os.getuid(), 0)
        and not found.st_mode & 0o022
        and found.st_size <= _LARGEST
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    held = exclusive(path, patience=0)
    try:
        held.__enter__()
    except ConflictError as error:
        raise ConflictError(
            "Another watcher runs in this clone.",
            "One is enough; a second one needs a clone of its own.",
            code="E_LOCKED",
        ) from error
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def _unwritable(path: Path, error: OSError) -> OutsideError:
    return OutsideError(
        f"{path} cannot be written: {error.strerror or error}.",
        "A watcher needs a clone that it may write to.",
    )
