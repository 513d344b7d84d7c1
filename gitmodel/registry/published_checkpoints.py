"""Checkpoints on a remote: one ref for each, beside branches and tags.

``refs/gitmodel/checkpoints/<seq>-<digest>`` names a blob, which is the file itself. So
two people who publish at once are never in each other's way, no commit is made for what
expires in a week, and a plain clone fetches none of it unless it asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.pack import ObjectWriter
from gitmodel.errors import GitmodelError
from gitmodel.registry import checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.checkpoints import Kept

NAMESPACE = "refs/gitmodel/checkpoints/"
#: A remote can offer any number of them; the newest are of interest.
_MOST = 100


def publish(repository: Repository, remote: str, kept: Kept) -> str:
    """Push a checkpoint; return the ref that names it.

    Raises:
        OutsideError: The remote cannot be reached, or refuses.
    """
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    writer = ObjectWriter(repository)
    oid = writer.add("blob", kept.data)
    writer.flush()
    ref = f"{NAMESPACE}{kept.checkpoint.seq}-{kept.digest.hex[:12]}"
    porcelain.push_ref(repository, remote, oid, ref)
    return ref


def fetch(repository: Repository, remote: str) -> None:
    """Bring the checkpoints that a remote has into this clone.

    Raises:
        OutsideError: The remote cannot be reached.
    """
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    porcelain.fetch_all(repository, remote, NAMESPACE)


def fetched(repository: Repository, reader: ObjectReader) -> Iterator[Kept]:
    """Yield the checkpoints that were fetched, highest number first, not verified."""
    listed = repository.git.run(
        "for-each-ref", f"--count={_MOST}", "--sort=-version:refname",
        "--format=%(objectname) %(refname)", NAMESPACE,
    )  # fmt: skip
    for line in listed.decode("utf-8", "replace").splitlines():
        oid, _, name = line.partition(" ")
        try:
            yield checkpoints.read(reader.read(oid).data, name)
        except GitmodelError:
            continue  # anybody who may push can leave junk there
