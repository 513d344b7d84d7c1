"""Keys that an ssh-agent holds: the two requests of its protocol that signing takes.

Specification: draft-ietf-sshm-ssh-agent. For ``ecdsa-sha2-nistp256`` an agent signs
the SHA-256 of the bytes that it is given, which is what documents and git commits
want; the answer is r and s, and becomes DER here.

The agent is outside: it may be gone, locked, silent, or say anything. Answers have a
size and a deadline, and a signature is verified before anyone uses it.
"""

from __future__ import annotations

import base64
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError, InputError, OutsideError
from gitmodel.formats.sshsig import Reader, string

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.public_key import PublicKey

_FAILURE = 5
_REQUEST_IDENTITIES, _IDENTITIES = 11, 12
_SIGN, _SIGNATURE = 13, 14

_LIMIT = 256 * 1024  # bytes of one message, as OpenSSH's agent has it
_LIST_SECONDS = 5.0
_SIGN_SECONDS = 60.0  # someone may have to confirm it, or to touch a device


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent behind a socket; each request has a connection of its own.

    Attributes:
        path: Of the socket, as ``SSH_AUTH_SOCK`` names it.
        list_seconds: How long it may take to say which keys it has.
        sign_seconds: How long it may take to sign.
    """

    path: Path
    list_seconds: float = _LIST_SECONDS
    sign_seconds: float = _SIGN_SECONDS

    def held(self) -> tuple[PublicKey, ...]:
        """Return the keys that it holds and that could sign documents.

        A locked agent says that it has none.

        Raises:
            OutsideError: It cannot be asked, or does not answer as agents do
                (``E_AGENT``).
        """
        # An agent is at hand for most commands, and few ask it: what they need is slow.
        from gitmodel.adapters.signing.public_key import (  # noqa: PLC0415
            SSH_TYPES,
            public_key,
        )

        reader = self._ask(bytes([_REQUEST_IDENTITIES]), _IDENTITIES, self.list_seconds)
        try:
            blobs = [
                (reader.string(), reader.string())[0] for _ in range(reader.uint32())
            ]
            reader.finish()
            return tuple(
                public_key(f"{kind} {base64.b64encode(blob).decode()}")
                for blob in blobs
                if (kind := Reader(blob).text()) in SSH_TYPES
            )
        except InputError as error:
            raise self._nonsense(error.message) from error

    def sign(self, key: PublicKey, message: bytes) -> bytes:
        """Return the DER ECDSA signature of ``message`` by one of its keys.

        Raises:
            InputError: The message is longer than agents take (``E_LIMIT``).
            OutsideError: It refuses, or what it answers is not that key's signature
                of the message (``E_AGENT``).
        """
        from cryptography.hazmat.primitives.asymmetric.utils import (  # noqa: PLC0415
            encode_dss_signature,
        )

        kind, blob = key.ssh.split()
        request = (
            bytes([_SIGN])
            + string(base64.b64decode(blob))
            + string(message)
            + (0).to_bytes(4)
        )
        if len(request) > _LIMIT:
            raise InputError(
                f"What is to be signed has {len(message):,} bytes, and an ssh-agent "
                f"takes {_LIMIT:,}.",
                "--key FILE  signs with a key file, which has no such limit.",
                code="E_LIMIT",
            )
        reader = self._ask(request, _SIGNATURE, self.sign_seconds)
        try:
            answer = Reader(reader.string())
            reader.finish()
            said, pair = answer.text(), Reader(answer.string())
            answer.finish()
            r, s = pair.mpint(), pair.mpint()
            pair.finish()
        except InputError as error:
            raise self._nonsense(error.message) from error
        if said != kind or not key.verify_raw(r, s, message):
            raise self._nonsense(
                f"its signature was not made by key {key.keyid[:8]}, or signs "
                "something else."
            )
        return encode_dss_signature(r, s)

    def _ask(self, request: bytes, wanted: int, seconds: float) -> Reader:
        """Return the answer to a request, after its first byte."""
        try:
            answer = self._exchange(request, time.monotonic() + seconds)
        except TimeoutError as error:
            raise OutsideError(
                f"The ssh-agent at {self.path} did not answer within {seconds:g} "
                "seconds.",
                "--key FILE  signs without it.",
                code="E_AGENT",
            ) from error
        except OSError as error:
            raise OutsideError(
                f"Cannot reach the ssh-agent at {self.path}: {error.strerror or error}",
                'eval "$(ssh-agent)"; ssh-add FILE  starts one;  --key FILE  signs '
                "without it.",
                code="E_AGENT",
            ) from error
        if answer[:1] == bytes([_FAILURE]):
            raise OutsideError(
                f"The ssh-agent at {self.path} refuses: it is locked, or nobody "
                "confirmed.",
                "ssh-add -X  unlocks it;  ssh-add -l  lists its keys.",
                code="E_AGENT",
            )
        if answer[:1] != bytes([wanted]):
            raise self._nonsense("its answer is of another kind than asked for.")
        return Reader(answer[1:])

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_left(deadline))
            connection.connect(str(self.path))
            connection.sendall(string(request))
            length = int.from_bytes(self._take(connection, 4, deadline))
            if not 0 < length <= _LIMIT:
                raise self._nonsense(f"it announces {length:,} bytes.")
            return self._take(connection, length, deadline)

    def _take(self, connection: socket.socket, count: int, deadline: float) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            connection.settimeout(_left(deadline))
            piece = connection.recv(count - len(taken))
            if not piece:
                raise self._nonsense("it hung up in the middle of an answer.")
            taken += piece
        return bytes(taken)

    def _nonsense(self, why: str) -> OutsideError:
        return OutsideError(
            f"The ssh-agent at {self.path} did not answer as agents do: {why}",
            "--key FILE  signs without it.",
            code="E_AGENT",
        )


@dataclass(frozen=True, slots=True)
class AgentSigner:
    """A ``domain.ports.Signer`` whose key never leaves its agent."""

    agent: Agent
    public_key: PublicKey

    @property
    def keyid(self) -> str:
        """SHA-256 hex of the public key's SubjectPublicKeyInfo DER."""
        return self.public_key.keyid

    @property
    def public(self) -> str:
        """The public key as one OpenSSH line without comment."""
        return self.public_key.ssh

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA signature of ``message``; see :meth:`Agent.sign`."""
        return self.agent.sign(self.public_key, message)


def holder(agent: Agent | None, key: PublicKey) -> AgentSigner | None:
    """Return what signs with a key through an agent, if that has it.

    A help where there is another way to sign: an agent that fails is one without it.
    """
    try:
        held = agent is not None and key in agent.held()
    except GitmodelError:
        return None
    return AgentSigner(agent, key) if agent is not None and held else None


def _left(deadline: float) -> float:
    """Return the seconds until a deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
