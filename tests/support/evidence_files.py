"""Evidence bundles taken apart and put together again, as somebody might who lies."""

from __future__ import annotations

import dataclasses
import tarfile
from typing import TYPE_CHECKING

from gitmodel.adapters.archive import write_archive
from gitmodel.domain.digest import Digest
from gitmodel.registry import evidence_index
from gitmodel.registry.evidence_index import Index, Listed

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner

_APART = (evidence_index.INDEX, evidence_index.SIGNATURE, evidence_index.DIGESTS)


def take_apart(file: Path) -> dict[str, bytes]:
    """Return the members of a bundle, by name."""
    with tarfile.open(file, "r:") as archive:
        return {
            member.name: source.read()
            for member in archive
            if (source := archive.extractfile(member)) is not None
        }


def put_together(
    file: Path,
    members: dict[str, bytes],
    signer: FileSigner | None = None,
    role: str = "responder",
    **said: object,
) -> Path:
    """Write members as a bundle whose index and digests agree with them.

    Args:
        file: Where to.
        members: Content by name.
        signer: Who signs the index; None to leave the old signature.
        role: In which role.
        said: What the index says otherwise.
    """
    index = Index.from_bytes(members[evidence_index.INDEX])
    listed = {
        name: Listed(Digest.of(data), len(data))
        for name, data in members.items()
        if name not in _APART
    }
    lines = evidence_index.digest_lines(listed)
    listed[evidence_index.DIGESTS] = Listed(Digest.of(lines), len(lines))
    index = dataclasses.replace(index, members=listed, **said)  # type: ignore[arg-type]
    data = index.to_bytes()
    whole = {**members, evidence_index.DIGESTS: lines, evidence_index.INDEX: data}
    if signer is not None:
        whole[evidence_index.SIGNATURE] = evidence_index.sign_index(
            signer, data, index, role
        )
    write_archive(file, whole, moment=0)
    return file
