"""Who signs: people and robots, their keys and identities, and the roles they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from gitmodel.domain.forge import ForgeKind

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key: ``keyid`` is SHA-256 hex of its SubjectPublicKeyInfo DER."""

    keyid: str
    public: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a Sigstore certificate names: the issuer's word, and the name it gives.

    Both are compared exactly; there are no patterns.
    """

    issuer: str
    san: str

    def __post_init__(self) -> None:
        for text in (self.issuer, self.san):
            if not text or _CONTROL.search(text):
                raise InputError(
                    f"{text[:80]!a} is no issuer or name in a certificate.",
                    code="E_POLICY",
                )

    @property
    def keyid(self) -> str:
        """What stands for it where a key has its id: SHA-256 hex of both lines."""
        return Digest.of(f"{self.issuer}\n{self.san}".encode()).hex

    def __str__(self) -> str:
        return f"{self.san} (by {self.issuer})"


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone, or something, that signs or reviews.

    Attributes:
        accounts: At forges, by number: names can be changed, and taken by others.
    """

    name: str
    keys: tuple[Key, ...]
    identities: tuple[Identity, ...] = ()
    accounts: tuple[tuple[ForgeKind, int], ...] = ()

    @property
    def keyids(self) -> tuple[str, ...]:
        """The ids of all keys and identities."""
        keys = tuple(key.keyid for key in self.keys)
        return keys + tuple(identity.keyid for identity in self.identities)

    def account(self, kind: ForgeKind) -> int | None:
        """Return the number of its account at a kind of forge; None for none."""
        return dict(self.accounts).get(kind)


@dataclass(frozen=True, slots=True)
class Role:
    """Principals who may act in a role, and how many of them it takes."""

    name: str
    members: tuple[str, ...]
    threshold: int
