"""What the core asks of the outside world: a clock, a signer, a listener."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.domain.policy import Identity


class Clock(Protocol):
    """Tells the time; tests replace it."""

    def now(self) -> datetime:
        """Return the current time, in UTC, with a time zone."""


class Signer(Protocol):
    """Signs for one key, wherever that key lives."""

    @property
    def keyid(self) -> str:
        """SHA-256 hex of the public key's SubjectPublicKeyInfo DER."""

    @property
    def public(self) -> str:
        """The public key as one OpenSSH line without comment."""

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA signature of ``message``."""


@runtime_checkable
class IdentitySigner(Protocol):
    """Signs documents for an identity; it has no key that anyone could list."""

    @property
    def identity(self) -> Identity:
        """Whom its certificates name."""

    @property
    def keyid(self) -> str:
        """What stands for the identity: ``domain.policy.Identity.keyid``."""

    def bind(self, trusted_root: bytes | None) -> None:
        """Be told by which trusted root the registry will judge the signatures.

        Raises:
            RefusedError: The registry pins none.
        """

    def envelope(self, payload: bytes) -> bytes:
        """Return a Sigstore bundle that signs an in-toto statement."""


#: Whoever signs documents. Only a ``Signer`` can sign git commits as well.
DocumentSigner: TypeAlias = Signer | IdentitySigner


class Progress(Protocol):
    """Hears how far long work has come; units are bytes."""

    def start(self, total: int, label: str) -> None:
        """Begin work of ``total`` bytes."""

    def advance(self, count: int) -> None:
        """``count`` more bytes are done. May be called from any thread."""

    def finish(self) -> None:
        """Say that the work has ended, well or badly."""


class Silent:
    """A ``Progress`` that nobody watches."""

    def start(self, total: int, label: str) -> None:
        """Ignore the start."""

    def advance(self, count: int) -> None:
        """Ignore the step."""

    def finish(self) -> None:
        """Ignore the end."""
