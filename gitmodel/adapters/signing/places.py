"""The places where a signing key may live: a file, an ssh-agent, a key service.

A place gives the public key without a secret, as far as it can, and what signs when
that is needed. How places are named, by ``--key`` or by git's ``user.signingkey``:

- ``FILE``: a private key; or ``FILE.pub``, whose private half is the file beside it,
  or, where there is none, in the agent
- ``key::ecdsa-sha2-nistp256 …``: a public key whose private half is in the agent
- ``awskms:…``, ``hsm:…`` and others: see ``managed``
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gitmodel.adapters.signing import keys, managed
from gitmodel.adapters.signing.agent import AgentSigner, holder
from gitmodel.adapters.signing.public_key import public_key
from gitmodel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.adapters.signing.agent import Agent
    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.ports import Signer

    #: Asked for a passphrase or a PIN, with what to call it; None if there is none.
    Ask = Callable[[str], bytes | None]

#: The code of a key whose private half no agent holds.
NOT_HELD = "E_AGENT_KEY"
_LITERAL = "key::"


class KeyPlace(Protocol):
    """Where one key lives."""

    @property
    def kind(self) -> str:
        """``file``, ``agent`` or ``kms``."""

    @property
    def where(self) -> str:
        """The file, the agent's socket, or the service's URI."""

    @property
    def git_setting(self) -> str | None:
        """What git's ``user.signingkey`` would call it; None if git cannot use it."""

    def public(self) -> PublicKey:
        """Return the public key.

        Raises:
            GitmodelError: The key is not there, or of no use.
        """

    def signer(self) -> Signer:
        """Return what signs with it.

        Raises:
            GitmodelError: The key is not there, or of no use, or stays locked.
        """


@dataclass(frozen=True, slots=True)
class FileKey:
    """A private key in a file; where an agent holds it unlocked, that signs."""

    path: Path
    ask: Ask
    agent: Agent | None = None

    kind = "file"

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def git_setting(self) -> str:
        """The file."""
        return str(self.path.absolute())

    def public(self) -> PublicKey:
        """Return the public half; no passphrase is needed."""
        return keys.read_public(self.path)

    def signer(self) -> Signer:
        """Return what signs; see ``keys.load`` for what may be wrong."""
        if self.agent is not None and keys.is_protected(self.path):
            unlocked = holder(self.agent, self.public())
            if unlocked is not None:
                return unlocked
        return keys.load(self.path, lambda: self.ask(f"Passphrase of {self.path}"))


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key whose private half is in an agent only.

    Attributes:
        name: As it was given: a ``.pub`` file, or ``key::`` and the key itself.
        agent: None where there is none.
    """

    name: str
    agent: Agent | None

    kind = "agent"

    @property
    def where(self) -> str:
        """The agent's socket."""
        return str(self.agent.path) if self.agent else "no agent"

    @property
    def git_setting(self) -> str:
        """The public key itself: a file may go, and git asks the agent all the same."""
        return f"{_LITERAL}{self._named().ssh}"

    def public(self) -> PublicKey:
        """Return the key, once the agent has said that it holds it."""
        return self.signer().public_key

    def signer(self) -> AgentSigner:
        """Return what signs.

        Raises:
            InputError: The name is of no usable key.
            NotFoundError: There is no agent, or it does not hold the key
                (``E_AGENT_KEY``).
            OutsideError: The agent does not answer (``E_AGENT``).
        """
        key = self._named()
        if self.agent is None:
            raise NotFoundError(
                f"The private half of key {key.keyid[:8]} is not beside its public "
                "one, and there is no ssh-agent to ask: SSH_AUTH_SOCK is not set.",
                'eval "$(ssh-agent)"; ssh-add FILE  starts one and gives it a key.',
                code=NOT_HELD,
            )
        if key not in self.agent.held():
            raise NotFoundError(
                f"The ssh-agent does not hold key {key.keyid[:8]}, or is locked.",
                "ssh-add FILE  adds it;  ssh-add -X  unlocks the agent;  ssh-add -l  "
                "lists its keys.",
                code=NOT_HELD,
            )
        return AgentSigner(self.agent, key)

    def _named(self) -> PublicKey:
        if self.name.startswith(_LITERAL):
            return public_key(self.name.removeprefix(_LITERAL))
        return keys.read_public(Path(self.name))


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """A key in a service or a token."""

    uri: str
    ask: Ask

    kind = "kms"
    git_setting = None

    @property
    def where(self) -> str:
        """The URI."""
        return self.uri.partition("#")[0]

    def public(self) -> PublicKey:
        """Return the public key; the service is asked unless a file has it."""
        return managed.public_key_at(self.uri, self._pin)

    def signer(self) -> managed.ManagedSigner:
        """Return what signs; see ``managed`` for what may be wrong."""
        return managed.ManagedSigner(self.uri, self.public(), self._pin)

    def _pin(self) -> bytes | None:
        return self.ask(f"PIN of {self.where}")


def place_of(name: str, ask: Ask, agent: Agent | None) -> KeyPlace:
    """Return the place that a name means; nothing is read from it yet."""
    if managed.is_managed(name):
        return ManagedKey(name, ask)
    if name.startswith(_LITERAL):
        return AgentKey(name, agent)
    path = Path(name).expanduser()
    if path.suffix == ".pub" and not path.with_suffix("").exists() and path.exists():
        return AgentKey(str(path), agent)
    return FileKey(path.with_suffix("") if path.suffix == ".pub" else path, ask, agent)
