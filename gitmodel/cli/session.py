"""One run of the command line: where the outside world is read (style rule 5)."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.output import printable
from gitmodel.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.adapters.signing.agent import Agent
    from gitmodel.cli.keyless import Keyless
    from gitmodel.domain.ports import Progress
    from gitmodel.registry.handle import Context, RegistryHandle

#: What to run first where a clone lacks history.
UNSHALLOW = "git fetch --unshallow  brings the history that this clone lacks."


@dataclass(slots=True, kw_only=True)
class Session:
    """Global options, and what they open.

    Attributes:
        directory: Where the registry is looked for.
        as_json: Answer in JSON on stdout.
        quiet: Nothing on stderr but errors.
        key: The key to sign with, as it was named.
        agent: The socket of the user's ssh-agent.
    """

    directory: Path
    as_json: bool
    quiet: bool
    verbose: bool
    color: bool
    key: str | None
    agent: Path | None
    keyless: Keyless | None = None

    @classmethod
    def from_environment(
        cls,
        *,
        directory: str | None,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        no_color: bool,
        key: str | None,
        keyless: Keyless | None = None,
    ) -> Session:
        """Combine options with the environment and the terminal.

        Raises:
            InputError: The key is named by an empty text, such as a variable that is
                not set: no other key is meant by it.
        """
        if key is not None and not key:
            raise InputError(
                "--key names no key: what it was given is empty.",
                "gitmodel key list  shows your keys.",
            )
        plain = (
            no_color
            or bool(os.environ.get("NO_COLOR"))
            or os.environ.get("TERM") == "dumb"
            or not sys.stdout.isatty()
        )
        chosen = key or os.environ.get("GITMODEL_KEY") or None
        return cls(
            directory=Path(directory or "."),
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
            color=not plain,
            key=chosen,
            agent=Path(agent) if (agent := os.environ.get("SSH_AUTH_SOCK")) else None,
            keyless=keyless,
        )

    def use_key(self, name: str) -> None:
        """Sign with a key that a command was given, whatever the variables say."""
        self.key, self.keyless = name, None

    def context(self, *, create_key: bool = False) -> Context:
        """Return what operations need of the outside world."""
        from gitmodel.adapters.clock import SystemClock
        from gitmodel.registry.handle import Context
        from gitmodel.registry.keys import KeyChoice

        return Context(
            clock=SystemClock(),
            keys=KeyChoice(
                named=self.key,
                ask=ask_secret,
                agent=self._agent(),
                create=create_key,
            ),
            identity=self.keyless.signer if self.keyless else None,
            progress=self.progress(),
            warn=self.warn,
            environment=dict(os.environ),
        )

    def _agent(self) -> Agent | None:
        if self.agent is None:
            return None
        from gitmodel.adapters.signing.agent import Agent

        return Agent(self.agent)

    def open(self) -> RegistryHandle:
        """Open the registry."""
        from gitmodel.registry.handle import RegistryHandle

        return RegistryHandle.open(self.directory, self.context())

    @contextmanager
    def open_closing(self) -> Iterator[RegistryHandle]:
        """Open the registry, and close it afterwards."""
        handle = self.open()
        try:
            yield handle
        except IntegrityError as error:
            # What is wrong may only seem so: when a signature came, history says.
            if handle.repository.is_shallow:
                error.hints = (UNSHALLOW, *error.hints)
            raise
        finally:
            handle.close()

    def progress(self) -> Progress:
        """Return a progress line on a terminal, and nothing anywhere else."""
        from gitmodel.domain.ports import Silent

        if self.quiet or not sys.stderr.isatty():
            return Silent()
        from gitmodel.cli.progress import ProgressLine

        return ProgressLine()

    def warn(self, message: str) -> None:
        """Tell people on stderr what they should know."""
        if not self.quiet:
            click.echo(printable(f"Warning: {message}"), err=True)

    def note(self, message: str) -> None:
        """Tell people on stderr something that is no answer."""
        if not self.quiet and not self.as_json:
            click.echo(printable(message), err=True)

    def step(self, message: str) -> None:
        """Tell people at a terminal what is being done now."""
        if sys.stderr.isatty():
            self.note(f"{message} …")

    def hint(self, message: str) -> None:
        """Say what to run next, on stderr."""
        self.note(f"Next: {message}")

    def answer(self, data: Any, text: str) -> None:
        """Print the answer: ``data`` with ``--json``, else ``text``."""
        if self.as_json:
            import json

            click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
        elif text:
            click.echo(printable(text), color=self.color)

    @property
    def width(self) -> int | None:
        """The columns of the terminal that shows the answer; None if none does."""
        if not sys.stdout.isatty():
            return None
        import shutil

        return shutil.get_terminal_size().columns

    def style(self, text: str, **style: Any) -> str:
        """Return ``text`` in colour where colour is on."""
        return click.style(text, **style) if self.color else text


def ask_secret(name: str) -> bytes | None:
    """Return a key's passphrase or PIN from the environment or the terminal."""
    given = os.environ.get("GITMODEL_KEY_PASSPHRASE")
    if given is not None:
        return given.encode()
    if not sys.stdin.isatty():
        return None
    answer: str = click.prompt(name, hide_input=True, err=True)
    return answer.encode()


def new_passphrase() -> bytes:
    """Return the passphrase for a new key, asking twice on a terminal.

    Raises:
        GitmodelError: There is no terminal, and the variable is not set.
    """
    given = os.environ.get("GITMODEL_KEY_PASSPHRASE")
    if given is not None:
        return given.encode()
    if not sys.stdin.isatty():
        from gitmodel.errors import GitmodelError

        raise GitmodelError(
            "There is no terminal to ask for a new passphrase at.",
            "GITMODEL_KEY_PASSPHRASE=… gitmodel key new --passphrase  gives it.",
            code="E_PASSPHRASE",
        )
    answer: str = click.prompt(
        "New passphrase", hide_input=True, confirmation_prompt=True, err=True
    )
    return answer.encode()
