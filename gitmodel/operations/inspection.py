"""What the files of a new version are: role by name, format and shape by content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.architecture import Architecture, Tensor
from gitmodel.domain.artifact import Artifact, role_of
from gitmodel.errors import InputError
from gitmodel.formats import probes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitmodel.adapters.lfs.scan import SourceFile
    from gitmodel.adapters.lfs.store import Store
    from gitmodel.formats.lfs_pointer import Pointer


@dataclass(frozen=True, slots=True)
class Inspected:
    """Artifacts for a manifest, and the model's shape where a header tells it."""

    artifacts: tuple[Artifact, ...]
    architecture: Architecture | None


def inspect_artifacts(
    sources: Sequence[SourceFile],
    pointers: Sequence[Pointer],
    roles: Mapping[str, str],
    store: Store,
    warn: Callable[[str], None],
) -> Inspected:
    """Identify each file; read the stored bytes, which are the ones that were hashed.

    Args:
        sources: The files, by artifact name.
        pointers: What each was hashed to.
        roles: Artifact name → role, where the convention guesses wrong.
        store: Where the bytes are; for a dry run the sources are read instead.
        warn: Hears why a file is not of the format that it resembles.

    Raises:
        InputError: ``roles`` names a file that is not there.
    """
    if unknown := sorted(set(roles) - {source.name for source in sources}):
        raise InputError(
            f"--role names {unknown[0]}, which is not among the files to register."
        )
    artifacts: list[Artifact] = []
    tensors: list[Tensor] = []
    for source, pointer in zip(sources, pointers, strict=True):
        stored = store.has(pointer.digest, pointer.size)
        with store.open(pointer) if stored else source.path.open("rb") as file:
            found = probes.probe(file, pointer.size)
        tensors.extend(found.tensors or ())
        if found.note:
            warn(f"{source.name}: {found.note}")
        artifacts.append(
            Artifact(
                path=source.name,
                role=roles.get(source.name) or role_of(source.name),
                digest=pointer.digest,
                size=pointer.size,
                format=found.format,
            )
        )
    shape = Architecture.of(tensors) if tensors else None
    return Inspected(tuple(artifacts), shape)
