"""The policies of a registry, by digest, with their keys ready for use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.signing.public_key import declared_key
from gitmodel.domain.digest import Digest
from gitmodel.domain.policy import Policy
from gitmodel.registry import layout
from gitmodel.registry.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.adapters.signing.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class Edition:
    """One policy as its file has it.

    Attributes:
        digest: Of the file's bytes; of policy 1, this is the registry's id.
        keys: Every key of every principal, parsed.
        trusted_root: The trusted root that it pins, as Sigstore's JSON; None if it
            pins none, or the file is missing or is not what was pinned.
    """

    digest: Digest
    policy: Policy
    keys: tuple[PublicKey, ...]
    trusted_root: bytes | None = None

    @classmethod
    def read(
        cls, data: bytes, number: int, find: Callable[[str], bytes | None]
    ) -> Edition:
        """Read policy ``number``.

        Args:
            data: The policy's file.
            number: By which its place in the registry is known.
            find: Returns the file at a path; asked for the pinned trusted root.

        Raises:
            InputError: It is malformed, contradicts itself, or names a key by
                another key's id.
        """
        path = layout.policy_path(number)
        policy = parse("Policy", data, path, Policy.from_document)
        keys = tuple(
            declared_key(key.keyid, key.public)
            for principal in policy.principals
            for key in principal.keys
        )
        return cls(Digest.of(data), policy, keys, _pinned(policy, find))


def _pinned(policy: Policy, find: Callable[[str], bytes | None]) -> bytes | None:
    if policy.trusted_root is None:
        return None
    data = find(layout.trusted_root_path(policy.trusted_root))
    if data is None or Digest.of(data) != policy.trusted_root:
        return None
    return data
