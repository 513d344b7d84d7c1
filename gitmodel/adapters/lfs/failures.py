"""What the operating system refused, told to people with what they can do."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    InputError,
    NotFoundError,
    OutsideError,
)

if TYPE_CHECKING:
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TARGET = _FULL | {errno.EROFS}
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def reading(path: Path, error: OSError) -> GitmodelError:
    """Explain why a file that the caller named cannot be read."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return NotFoundError(f"{path} does not exist.", "Check the path.")
        case errno.ELOOP:
            return InputError(
                f"{path} is a symbolic link.", "Name the file that it points to."
            )
        case errno.EACCES | errno.EPERM:
            return InputError(
                f"{path} cannot be read: {error.strerror}.",
                f"chmod u+r {path}  (or ask its owner).",
                code="E_UNREADABLE",
            )
        case _:
            return OutsideError(f"{path} cannot be read: {error.strerror}.")


def writing(path: Path, error: OSError, size: int = 0) -> GitmodelError:
    """Explain why ``path`` cannot be written, ``size`` being what it would hold."""
    directory = path.parent
    if error.errno in _FULL:
        return OutsideError(
            f"{directory} has no room for {human(size)}: {error.strerror}"
            f"{_free(directory)}.",
            "Free that much, then run the command again; nothing was kept.",
            "git lfs prune  frees artifacts that the remote has and no recent "
            "commit needs;  git config lfs.storage DIR  puts the store elsewhere.",
            code="E_NO_SPACE",
        )
    return OutsideError(
        f"{directory} cannot be written: {error.strerror}.",
        "Check its owner and mode, and whether its disk is read-only or failing.",
        code="E_NOT_WRITABLE",
    )


def copying(source: Path, target: Path, error: OSError, size: int) -> GitmodelError:
    """Explain a failed copy, blaming the side that the error number names."""
    if error.errno in _TARGET:
        return writing(target, error, size)
    return OutsideError(
        f"Copying {source} to {target.parent} failed: {error.strerror}.",
        "Look for disk errors:  dmesg | tail .",
    )


def changed(path: Path) -> GitmodelError:
    """Explain that a file did not hold still."""
    return ConflictError(
        f"{path} changed while it was being read.",
        "Wait until nothing writes to it, then run the command again.",
        code="E_CHANGED",
    )


def human(size: int) -> str:
    """Write a number of bytes as people read it, such as ``1.5 GiB``."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _free(directory: Path) -> str:
    try:
        return f" ({human(shutil.disk_usage(directory).free)} free)"
    except OSError:
        return ""
