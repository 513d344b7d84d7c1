"""Copies objects out of the store, and lets no bad byte through.

- Every byte that was written is hashed: a local store can be altered, and git-lfs
  checks wrong bytes out without a word (attack 30).
- A destination appears under its name complete and verified, or not at all; if one
  of several is bad, none appears.
- Nothing is synced: what was copied out can be copied out again.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs import failures, streams
from gitmodel.adapters.lfs.copies import Copy, FileToRead, copy_all
from gitmodel.adapters.lfs.store import as_error
from gitmodel.domain.ports import Silent
from gitmodel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.adapters.lfs.store import Store
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.ports import Progress
    from gitmodel.formats.lfs_pointer import Pointer


def copy_out(
    store: Store, pointer: Pointer, destination: Path, progress: Progress | None = None
) -> None:
    """Copy one object to ``destination``; see ``copy_out_all``."""
    copy_out_all(store, [(pointer, destination)], progress)


def copy_out_all(
    store: Store,
    wanted: Sequence[tuple[Pointer, Path]],
    progress: Progress | None = None,
    *,
    workers: int | None = None,
) -> None:
    """Copy objects to destinations, verifying every byte that was written.

    Directories are made as needed; a file that is there is replaced.

    Args:
        store: Where the objects are.
        wanted: Objects, and where each goes; no two to the same place.
        progress: Hears about the bytes of all objects.
        workers: How many objects to hash at a time; None for what fits the machine.

    Raises:
        NotFoundError: An object is not in the store (E_ARTIFACT_MISSING).
        IntegrityError: An object has other bytes than its name says
            (E_ARTIFACT_DIGEST).
        OutsideError: Reading or writing failed, or the disk is full (E_NO_SPACE).
    """
    _require_sound(store, [pointer for pointer, _ in wanted])
    drafts = [_draft_of(destination) for _, destination in wanted]
    listener = progress or Silent()
    listener.start(sum(pointer.size for pointer, _ in wanted), "Copying")
    try:
        copies = [
            Copy(source=_object_of(store, pointer), target=draft)
            for (pointer, _), draft in zip(wanted, drafts, strict=True)
            if _prepare(draft, pointer.size)
        ]
        pointers = [pointer for pointer, _ in wanted if pointer.size]
        digests = _copy(store, pointers, copies, listener, workers)
        problems = [
            store.altered(pointer, digest)
            for pointer, digest in zip(pointers, digests, strict=True)
            if digest != pointer.digest
        ]
        if problems:
            raise as_error(problems)
        for draft, (_, destination) in zip(drafts, wanted, strict=True):
            _rename(draft, destination)
    finally:
        for draft in drafts:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        listener.finish()


def _require_sound(store: Store, pointers: Sequence[Pointer]) -> None:
    looks = [store.look(pointer) for pointer in pointers]
    if problems := [problem for problem in looks if problem is not None]:
        raise as_error(problems)


def _copy(
    store: Store,
    pointers: Sequence[Pointer],
    copies: Sequence[Copy],
    progress: Progress,
    workers: int | None,
) -> list[Digest]:
    try:
        return copy_all(copies, progress.advance, durable=False, workers=workers)
    except ConflictError:  # an object is gone or shorter: say it in our words
        _require_sound(store, pointers)
        raise


def _object_of(store: Store, pointer: Pointer) -> FileToRead:
    return FileToRead(path=store.path_of(pointer.digest), size=pointer.size)


def _draft_of(destination: Path) -> Path:
    return destination.with_name(f".gitmodel-{secrets.token_hex(8)}.part")


def _prepare(draft: Path, size: int) -> bool:
    """Make room for a file; True if there are bytes to copy into it."""
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        if size == 0:
            streams.create(draft).close()
    except OSError as error:
        raise failures.writing(draft, error, size) from error
    return size > 0


def _rename(draft: Path, destination: Path) -> None:
    try:
        draft.replace(destination)
    except OSError as error:
        raise failures.writing(destination, error) from error
