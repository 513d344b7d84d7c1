"""Chooses the key that signs, and reads it when it is first needed.

In this order: the key that was named (``--key``, ``GITMODEL_KEY``); git's
``user.signingkey`` where it is one of a usable kind; gitmodel's default key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gitmodel.adapters.signing import locations
from gitmodel.errors import GitmodelError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.adapters.signing.agent import Agent
    from gitmodel.adapters.signing.places import Ask, KeyPlace
    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.ports import Signer

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class KeyChoice:
    """A ``KeySource`` over the places that are known to ``adapters.signing.places``.

    Attributes:
        ask: Asked for the passphrase of a key file, or the PIN of a token.
        named: The key that the user named; None for none.
        agent: The user's ssh-agent; None for none.
        create: Make the default key if there is no key at all.
        used: Where the key that signs lives, once it was needed.
    """

    ask: Ask
    named: str | None = None
    agent: Agent | None = None
    create: bool = False
    used: KeyPlace | None = None

    def signer(self, repository: Repository) -> Signer:
        """Return what signs with the first usable key.

        Raises:
            NotFoundError: There is none.
            GitmodelError: The key cannot be used; see ``adapters.signing.places``.
        """
        # Who only looks needs no cryptography, which is slow to import.
        from gitmodel.adapters.signing import keys  # noqa: PLC0415
        from gitmodel.adapters.signing.places import NOT_HELD  # noqa: PLC0415

        try:
            self.used, signer = self._first(repository, lambda place: place.signer())
        except (InputError, NotFoundError) as error:
            path = locations.default_key()
            ready = self.create and self.named is None and not path.exists()
            if not ready or error.code == NOT_HELD:
                raise
            keys.write_new(path, keys.generate(None), comment="gitmodel")
            return self.signer(repository)
        return signer

    def chosen(self, repository: Repository | None) -> tuple[KeyPlace, PublicKey]:
        """Return the key that would sign, and where it lives; no passphrase is asked.

        Raises:
            NotFoundError, GitmodelError: As :meth:`signer`.
        """
        return self._first(repository, lambda place: place.public())

    def held(self) -> list[KeyPlace]:
        """Return the default keys of this machine's user, and those of the agent.

        Raises:
            OutsideError: The agent does not answer (``E_AGENT``).
        """
        from gitmodel.adapters.signing.places import place_of  # noqa: PLC0415 (slow)

        files = sorted(locations.key_directory().glob("*.pub"))
        names = [str(path) for path in files]
        if self.agent is not None:
            names += [f"key::{key.ssh}" for key in self.agent.held()]
        return [place_of(name, self.ask, self.agent) for name in names]

    def _first(
        self, repository: Repository | None, look: Callable[[KeyPlace], T]
    ) -> tuple[KeyPlace, T]:
        """Return the first place where ``look`` finds something of use."""
        from gitmodel.adapters.signing.places import place_of  # noqa: PLC0415 (slow)

        if self.named is not None:
            place = place_of(self.named, self.ask, self.agent)
            return place, look(place)
        refused: GitmodelError | None = None
        for name in (*_of_git(repository), str(locations.default_key())):
            place = place_of(name, self.ask, self.agent)
            try:
                return place, look(place)
            except (InputError, NotFoundError) as error:
                if error.code != NotFoundError.default_code:
                    refused = refused or error
        raise refused or _no_key()


def _no_key() -> NotFoundError:
    """Return the error that says that there is no key at all."""
    return NotFoundError(
        "There is no key to sign with.",
        "gitmodel key new  makes one;  GITMODEL_KEY=FILE or --key FILE names one.",
        code="E_NO_KEY",
    )


def _of_git(repository: Repository | None) -> Iterator[str]:
    """Yield git's signing key, as git itself would understand the setting."""
    setting = repository.config("user.signingkey") if repository else None
    style = repository.config("gpg.format") if repository else None
    if setting and style == "ssh":
        yield f"key::{setting}" if setting.startswith("ssh-") else setting
