"""A real ssh-agent to keep keys in, and a false one that answers what it is told."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class SshAgent:
    """OpenSSH's agent behind ``socket``; ``directory`` is where it lives."""

    directory: Path
    process: int

    @property
    def socket(self) -> Path:
        return self.directory / "agent"

    @classmethod
    def start(cls, directory: Path) -> SshAgent:
        """Start one; when this returns, it listens."""
        done = subprocess.run(
            ["ssh-agent", "-s", "-a", directory / "agent"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = re.search(r"SSH_AGENT_PID=(\d+)", done.stdout)
        assert found, done.stdout
        return cls(directory, int(found[1]))

    def stop(self) -> None:
        os.kill(self.process, signal.SIGTERM)

    def add(self, key: Path, *options: str, answer: str = "") -> None:
        """Give it a key; ``answer`` is that key's passphrase."""
        self._ssh_add(*options, key, answer=answer)

    def lock(self) -> None:
        self._ssh_add("-x", answer="sesame")

    def unlock(self) -> None:
        self._ssh_add("-X", answer="sesame")

    def _ssh_add(self, *args: str | Path, answer: str) -> None:
        asked = self.directory / "askpass"
        asked.write_text(f"#!/bin/sh\necho '{answer}'\n")
        asked.chmod(0o700)
        subprocess.run(
            ["ssh-add", "-q", *args],
            env={
                "PATH": os.environ["PATH"],
                "SSH_AUTH_SOCK": str(self.socket),
                "SSH_ASKPASS": str(asked),
                "SSH_ASKPASS_REQUIRE": "force",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )


@contextmanager
def false_agent(path: Path, *answers: bytes | None) -> Iterator[Path]:
    """Listen at ``path``; give one answer per connection, None for silence.

    An answer goes out as it stands, length and all; then the connection is closed. A
    silent one stays open until the other side has had enough.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    length = int.from_bytes(_exactly(connection, 4))
                    _exactly(connection, length)
                    if answer is None:
                        connection.recv(1)
                    else:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        thread.join()


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece, "the client hung up"
        data += piece
    return data
