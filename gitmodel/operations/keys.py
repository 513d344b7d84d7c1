"""Which keys there are: yours on this machine, the registry's in its policy."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.signing import keys, locations
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.registry.handle import RegistryHandle
from gitmodel.registry.signers_file import signers_text

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.policy import Policy
    from gitmodel.registry.handle import Context


@dataclass(frozen=True, slots=True)
class ChosenKey:
    """The key that would sign: where it is, and who that is in this registry."""

    public: PublicKey
    path: Path
    principal: str | None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that is on this machine, in the policy, or both."""

    keyid: str
    public: str
    path: Path | None
    principal: str | None
    signs: bool


def chosen_key(directory: Path, context: Context) -> ChosenKey | None:
    """Return the key that would sign in ``directory``; None if there is none.

    Only the public half is read, so no passphrase is needed.

    Raises:
        InputError: The key that was named is malformed.
    """
    repository, policy = _surroundings(directory, context)
    refused: GitmodelError | None = None
    for path in context.keys.candidates(repository):
        try:
            public = keys.read_public(path)
        except GitmodelError as error:
            refused = refused or error
            continue
        owner = policy.owner_of(public.keyid) if policy else None
        return ChosenKey(public, path, owner)
    if refused is not None and not isinstance(refused, NotFoundError):
        raise refused
    return None


def known_keys(directory: Path, context: Context) -> tuple[KnownKey, ...]:
    """Return every key of this machine's user and of the registry's principals."""
    _, policy = _surroundings(directory, context)
    chosen = chosen_key(directory, context)
    paths = sorted(locations.key_directory().glob("*.pub"))
    if chosen is not None:
        paths.append(chosen.path)
    rows: dict[str, KnownKey] = {}
    for path in paths:
        try:
            public = keys.read_public(path)
        except GitmodelError:
            continue  # a file that is no key of ours
        rows[public.keyid] = KnownKey(
            public.keyid,
            public.ssh,
            path.with_suffix("") if path.suffix == ".pub" else path,
            policy.owner_of(public.keyid) if policy else None,
            chosen is not None and public.keyid == chosen.public.keyid,
        )
    for principal in policy.principals if policy else ():
        for key in principal.keys:
            rows.setdefault(
                key.keyid,
                KnownKey(key.keyid, key.public, None, principal.name, signs=False),
            )
    return tuple(rows.values())


def signers(handle: RegistryHandle) -> str:
    """Return the registry's keys for git's ``gpg.ssh.allowedSignersFile``."""
    return signers_text(handle.view().policy)


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
