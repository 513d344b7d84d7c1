"""Whether the bytes of new artifacts are on this server, if it is told where to look.

Only that they are there, with the right size: hashing a model would keep the pusher
waiting, and whoever pulls it hashes it anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gitmodel.formats.lfs_pointer import Pointer
    from gitmodel.operations.verification.findings import Findings


def judge_presence(
    store: Path, pointers: Iterable[tuple[str, str, Pointer]], findings: Findings
) -> None:
    """Report every artifact whose object is not in ``store``.

    Args:
        store: A directory as git-lfs lays it out (``ab/cd/abcd…``), or a flat one.
        pointers: Commit, path and pointer of each.
        findings: Told about what is missing.

    Raises:
        InputError: There is no such directory.
    """
    if not store.is_dir():
        raise InputError(
            f"There is no directory of LFS objects at {store}",
            "git config gitmodel.lfs DIR  names it, in the repository on the server.",
        )
    for commit, path, pointer in pointers:
        name = pointer.digest.hex
        places = (store / name[:2] / name[2:4] / name, store / name)
        if not any(_has(place, pointer.size) for place in places):
            findings.add(
                "E_ARTIFACT_MISSING",
                "its bytes are not in the server's LFS store.",
                path,
                commit,
            )


def _has(place: Path, size: int) -> bool:
    try:
        return place.stat().st_size == size
    except OSError:
        return False
