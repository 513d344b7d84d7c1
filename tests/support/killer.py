"""Runs gitmodel up to its n-th step, and ends or stops it right there.

A step is whatever changes something on disk: a file opened for writing, a rename, a
removal, a new directory, a lock, a git command that writes. Python announces each of
them to an audit hook just before it happens.

Run as a program, this imports gitmodel once and then forks a child for each request
that it reads from stdin (a line of JSON), so that dying forty times is affordable.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROOT = Path(__file__).parents[2]
_WRITING_VERBS = frozenset(
    {"fetch", "index-pack", "push", "sparse-checkout", "unpack-objects"}
    | {"update-index", "update-ref"}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Outcome:
    """How a run ended, or that it stands still.

    Attributes:
        state: ``exited``, ``killed`` or ``stopped``.
        code: The exit code, or the number of the signal.
        steps: Every step that was begun, the last one included.
    """

    pid: int
    state: str
    code: int
    steps: tuple[str, ...]
    out: str
    err: str


class Killer:
    """A process that runs gitmodel in children; use it as a context."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._runs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self,
        directory: Path,
        *args: str | Path,
        at: int | None = None,
        send: signal.Signals = signal.SIGKILL,
    ) -> Outcome:
        """Run a command in ``directory``; send it a signal before its step ``at``."""
        self._runs += 1
        prefix = self._scratch / f"run-{self._runs}"
        argv = ["-C", str(directory), *map(str, args)]
        request = {"prefix": str(prefix), "argv": argv, "at": at, "signal": int(send)}
        return self._ask({"root": str(directory), **request})

    def resume(self, stopped: Outcome) -> Outcome:
        """Let a stopped run go on to its end."""
        os.kill(stopped.pid, signal.SIGCONT)
        return self._ask({"wait": stopped.pid})

    def _ask(self, request: dict[str, Any]) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        prefix = answer["prefix"]
        return Outcome(
            pid=answer["pid"],
            state=answer["state"],
            code=answer["code"],
            steps=tuple(Path(f"{prefix}.steps").read_text().splitlines()),
            out=Path(f"{prefix}.out").read_text(),
            err=Path(f"{prefix}.err").read_text(),
        )


def step_of(event: str, args: Sequence[Any], root: str) -> str | None:
    """Return the name of the step that an audit event announces; None for no step."""
    changes, name = False, ""
    match event:
        case "open":
            path, _, flags = args
            if not isinstance(path, int) and flags & _WRITING:
                name = os.fsdecode(path)
                changes = name.startswith(root)
        case "os.mkdir":
            name = os.fsdecode(args[0])
            changes = name.startswith(root) and not os.path.lexists(name)
        case "os.rename":
            changes, name = True, os.fsdecode(args[1])
        case "os.link" | "os.symlink":
            changes, name = not os.path.lexists(args[1]), os.fsdecode(args[1])
        case "os.remove" | "os.rmdir":
            relative = args[1] != -1  # to an open directory
            changes, name = relative or os.path.lexists(args[0]), os.fsdecode(args[0])
        case "fcntl.flock":
            changes = True
        case "subprocess.Popen":
            name = " ".join(_WRITING_VERBS.intersection(map(str, args[1])))
            changes, event = bool(name), "git"
        case _:
            pass
    return f"{event} {name}".rstrip() if changes else None


def _watch(root: str, log: int, at: int | None, number: int) -> None:
    """Install the hook: it notes every step, and sends a signal before one."""
    count = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        name = step_of(event, args, root)
        if name is None:
            return
        count += 1
        os.write(log, f"{name}\n".encode())
        if count == at:
            os.kill(os.getpid(), number)

    sys.addaudithook(hook)


def _child(request: dict[str, Any], run: Callable[[list[str]], int]) -> None:
    prefix, flags = request["prefix"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for stream, suffix in ((0, None), (1, "out"), (2, "err")):
        name = f"{prefix}.{suffix}" if suffix else os.devnull
        os.dup2(os.open(name, flags if suffix else os.O_RDONLY), stream)
    log = os.open(f"{prefix}.steps", flags)
    _watch(request["root"], log, request["at"], request["signal"])
    code = run(request["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _await(pid: int, prefix: str) -> dict[str, Any]:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        state, code = "stopped", os.WSTOPSIG(status)
    elif os.WIFSIGNALED(status):
        state, code = "killed", os.WTERMSIG(status)
    else:
        state, code = "exited", os.WEXITSTATUS(status)
    return {"pid": pid, "prefix": prefix, "state": state, "code": code}


def main() -> None:
    """Serve requests until stdin ends."""
    import gitmodel.cli.commands.promote  # noqa: PLC0415
    import gitmodel.cli.commands.register  # noqa: PLC0415
    import gitmodel.cli.commands.rollback  # noqa: PLC0415
    import gitmodel.operations.promote  # noqa: PLC0415
    import gitmodel.operations.register  # noqa: PLC0415
    import gitmodel.operations.rollback  # noqa: F401, PLC0415
    from gitmodel.cli.main import run  # noqa: PLC0415
    from gitmodel.formats import schema  # noqa: PLC0415

    # What a shell runs in the background has it ignored, and so have its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for kind in ("ModelVersion", "Transition"):
        with suppress(InputError):  # only so that the children need not load it
            schema.require(kind, {}, "")
    prefixes: dict[int, str] = {}
    for line in sys.stdin:
        request = json.loads(line)
        pid = request.get("wait") or os.fork()
        if pid == 0:
            _child(request, run)
        prefix = prefixes.setdefault(pid, request.get("prefix", ""))
        answer = _await(pid, prefix)
        if answer["state"] != "stopped":
            del prefixes[pid]
        print(json.dumps(answer), flush=True)  # noqa: T201
    for pid in prefixes:  # still standing, since a test failed
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
