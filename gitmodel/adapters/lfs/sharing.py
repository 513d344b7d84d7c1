"""Lets one store have the objects of another, without moving their bytes.

An object is a file that nobody writes to once it has its name, so two stores may share
it. Removed from one, it stays in the other.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs import failures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitmodel.adapters.lfs.store import Store
    from gitmodel.domain.digest import Digest


def share(source: Store, target: Store, digests: Iterable[Digest]) -> None:
    """Let ``target`` have what ``source`` has of these objects, good or bad.

    They are linked where both are on one file system, else copied.

    Raises:
        OutsideError: A copy cannot be written, or read.
    """
    for digest in digests:
        origin, place = source.path_of(digest), target.path_of(digest)
        if not origin.is_file() or origin.is_symlink() or place.exists():
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(origin, place, follow_symlinks=False)
            except OSError:  # another file system, or one without links
                shutil.copyfile(origin, place)
        except OSError as error:
            raise failures.writing(place, error) from error
