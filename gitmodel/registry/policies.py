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
    from gitmodel.adapters.signing.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class Edition:
    """One policy as its file has it.

    Attributes:
        digest: Of the file's bytes; of policy 1, this is the registry's id.
        keys: Every key of every principal, parsed.
    """

    digest: Digest
    policy: Policy
    keys: tuple[PublicKey, ...]

    @classmethod
    def read(cls, data: bytes, number: int) -> Edition:
        """Read policy ``number``.

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
        return cls(Digest.of(data), policy, keys)
