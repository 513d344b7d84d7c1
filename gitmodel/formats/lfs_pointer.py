"""The Git LFS pointer: what git stores in place of an artifact.

- Written and read exactly as git-lfs 3 writes it, without extensions.
- An empty file is its own pointer: size 0 means an empty blob.
- Reading is strict, because a pointer has one spelling: whoever stores another
  one has not used this program or git-lfs. ``resembles_pointer`` is lenient, to
  catch the file that was checked out as a pointer and taken for the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitmodel.domain.digest import Digest

#: git-lfs takes nothing of this many bytes or more for a pointer.
CUTOFF = 1024

EMPTY = Digest.of(b"")

_SPEC = b"https://git-lfs.github.com/spec/v1"
# git-lfs holds sizes in an int64.
_POINTER = re.compile(
    rb"version %s\noid sha256:([0-9a-f]{64})\nsize ([1-9][0-9]{0,18})\n"
    % re.escape(_SPEC)
)
_LIMIT = 2**63
_LIKELY = re.compile(
    rb"\s*version https?://(?:git-lfs|hawser)\.github\.com/spec/|"
    rb"\s*version http://git-media\.io/v/"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Names an LFS object; ``Pointer.parse(p.to_bytes()) == p`` if it can exist.

    No file has 0 bytes and a digest other than ``EMPTY``, or the reverse. A manifest
    may still claim one; nothing that git holds equals its bytes.
    """

    digest: Digest
    size: int

    @classmethod
    def parse(cls, data: bytes) -> Pointer | None:
        """Read the content of a blob; None if git-lfs would not have written it."""
        if data == b"":
            return cls(EMPTY, 0)
        match = _POINTER.fullmatch(data)
        if match is None:
            return None
        digest, size = Digest(match[1].decode()), int(match[2])
        if size >= _LIMIT or digest == EMPTY:
            return None
        return cls(digest, size)

    def to_bytes(self) -> bytes:
        """Return the content of the blob that stands for the object."""
        if self.size == 0 and self.digest == EMPTY:
            return b""
        return b"version %s\noid sha256:%s\nsize %d\n" % (
            _SPEC,
            self.digest.hex.encode(),
            self.size,
        )


def resembles_pointer(head: bytes, size: int) -> bool:
    """Say whether a file of ``size`` bytes is a pointer rather than a model."""
    return 0 < size < CUTOFF and _LIKELY.match(head) is not None
