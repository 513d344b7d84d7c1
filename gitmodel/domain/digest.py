"""A SHA-256 digest, written ``sha256:<64 hex digits>``."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from gitmodel.errors import InputError

_PATTERN = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The SHA-256 of some bytes; ``Digest.parse(str(d)) == d``."""

    hex: str

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """Return the digest of ``data``."""
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``sha256:<hex>`` or the bare 64 hex digits.

        Raises:
            InputError: ``text`` is neither.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise InputError(f"{text!r} is not a digest of the form sha256:<64 hex>.")
        return cls(match[1])

    def __str__(self) -> str:
        return f"sha256:{self.hex}"
