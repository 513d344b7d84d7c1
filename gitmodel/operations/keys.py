"""Who could sign: keys of this machine and its agent, and those that the policy names.

Keys and identities alike: an identity has no key, so there is nothing of it to read.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.repository import Repository
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.registry.handle import RegistryHandle
from gitmodel.registry.signers_file import signers_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitmodel.adapters.signing.places import KeyPlace
    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.policy import Identity, Policy
    from gitmodel.registry.handle import Context

IDENTITY = "identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSigner:
    """The key or identity that would sign, and who that is in this registry.

    Attributes:
        keyid: Of the key, or what stands for the identity.
        kind: Where the key lives: file, agent, kms; or identity.
        where: That file, the agent's socket, or the service's URI; "" for an identity.
        public: The key; None for an identity.
    """

    keyid: str
    kind: str
    where: str = ""
    public: PublicKey | None = None
    identity: Identity | None = None
    principal: str | None

    def __str__(self) -> str:
        if self.identity is not None:
            return str(self.identity)
        place = "the ssh-agent at " if self.kind == "agent" else ""
        return f"{self.keyid[:8]} in {place}{self.where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSigner:
    """A key or identity that is at hand, in the policy, or both.

    Attributes:
        kind: As in :class:`ChosenSigner`; None for a key that is not at hand.
        where: Likewise.
        public: The key as an OpenSSH line; None for an identity.
        signs: Whether it would sign here.
    """

    keyid: str
    kind: str | None
    where: str | None = None
    public: str | None = None
    identity: Identity | None = None
    principal: str | None = None
    signs: bool = False


def chosen_signer(directory: Path, context: Context) -> ChosenSigner:
    """Return what would sign in ``directory``.

    Of a key file only the public half is read, so no passphrase is needed.

    Raises:
        NotFoundError: There is no key, or it is not where it was said to be.
        GitmodelError: It is of no use; or no identity can be had.
    """
    return choose(context, *_surroundings(directory, context))


def choose(
    context: Context, repository: Repository | None, policy: Policy | None
) -> ChosenSigner:
    """Return what would sign in a repository, as :func:`chosen_signer`."""
    if context.identity is not None:
        identity = context.identity().identity
        return ChosenSigner(
            keyid=identity.keyid,
            kind=IDENTITY,
            identity=identity,
            principal=policy.owner_of(identity.keyid) if policy else None,
        )
    place, public = context.keys.chosen(repository)
    return ChosenSigner(
        keyid=public.keyid,
        kind=place.kind,
        where=place.where,
        public=public,
        principal=policy.owner_of(public.keyid) if policy else None,
    )


def known_signers(directory: Path, context: Context) -> tuple[KnownSigner, ...]:
    """Return every key at hand, and every key and identity of the policy."""
    repository, policy = _surroundings(directory, context)
    try:
        chosen = choose(context, repository, policy)
    except NotFoundError:
        chosen = None
    rows = {row.keyid: row for row in _named(policy)} if policy else {}
    for place in _held(context):
        try:
            public = place.public()
        except GitmodelError:
            continue  # a file that is no key of ours
        rows[public.keyid] = _at_hand(place, public, rows.get(public.keyid))
    if chosen is not None:
        rows[chosen.keyid] = KnownSigner(
            keyid=chosen.keyid,
            kind=chosen.kind,
            where=chosen.where or None,
            public=chosen.public.ssh if chosen.public else None,
            identity=chosen.identity,
            principal=chosen.principal,
            signs=True,
        )
    return tuple(sorted(rows.values(), key=lambda row: not _is_at_hand(row)))


def signers(handle: RegistryHandle) -> str:
    """Return the registry's keys for git's ``gpg.ssh.allowedSignersFile``."""
    return signers_text(handle.view().policy)


def _held(context: Context) -> list[KeyPlace]:
    try:
        return context.keys.held()
    except GitmodelError as error:
        context.warn(error.message)
        return []


def _at_hand(
    place: KeyPlace, public: PublicKey, known: KnownSigner | None
) -> KnownSigner:
    # A key that is in a file and in the agent is listed once, as the file.
    if known is not None and known.kind == "file":
        return known
    return KnownSigner(
        keyid=public.keyid,
        kind=place.kind,
        where=place.where,
        public=public.ssh,
        principal=known.principal if known else None,
    )


def _is_at_hand(row: KnownSigner) -> bool:
    return row.where is not None or row.signs


def _named(policy: Policy) -> Iterator[KnownSigner]:
    for principal in policy.principals:
        for key in principal.keys:
            yield KnownSigner(
                keyid=key.keyid, kind=None, public=key.public, principal=principal.name
            )
        for identity in principal.identities:
            yield KnownSigner(
                keyid=identity.keyid,
                kind=IDENTITY,
                identity=identity,
                principal=principal.name,
            )


def _surroundings(
    directory: Path, context: Context
) -> tuple[Repository | None, Policy | None]:
    """Return the repository and policy that ``directory`` is in, if any."""
    try:
        repository = Repository.discover(directory)
    except GitmodelError:
        return None, None
    with closing(RegistryHandle(repository, context)) as handle:
        try:
            return repository, handle.view().policy
        except GitmodelError:
            return repository, None
