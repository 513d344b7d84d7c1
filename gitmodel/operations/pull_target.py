"""The directory that a pull goes to: what is there, and who may take its place."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.manifest import ModelVersion
from gitmodel.errors import ConflictError, GitmodelError, OutsideError
from gitmodel.registry.parsing import parse

if TYPE_CHECKING:
    from pathlib import Path


#: Stands beside the files of what is pulled for forensics, and says why.
NOTE = "QUARANTINED.txt"


def is_taken(target: Path) -> bool:
    """Say whether anything is there, a link that leads nowhere too.

    Raises:
        OutsideError: It cannot be looked at.
    """
    try:
        target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unwritable(target, error) from error
    return True


def require_replaceable(target: Path, *, replace: bool) -> None:
    """Insist that a pull may take the place of what is there.

    Args:
        target: What is there.
        replace: Whether an earlier pull, that nothing was added to, may go.

    Raises:
        ConflictError: It may not (``E_EXISTS``).
    """
    if not _is_replaceable(target, replace=replace):
        raise _exists(target)


def put(fresh: Path, target: Path, old: Path, *, replace: bool) -> None:
    """Move ``fresh`` to ``target``, and what is there out of the way, to ``old``.

    Downloading took a while: what people put there meanwhile is theirs.

    Raises:
        ConflictError: They have put something there; it stays (``E_EXISTS``).
        OSError: It cannot be moved; what was there is there again.
    """
    if is_taken(target):
        target.rename(old)
        if not _is_replaceable(old, replace=replace):
            old.rename(target)
            raise _exists(target)
    try:
        fresh.rename(target)
    except OSError:
        with suppress(OSError):
            old.rename(target)
        raise
    _sync(target.parent)


def expected_files(version: ModelVersion) -> set[str]:
    """Return the paths of what a pull of a version writes."""
    names = {f"artifacts/{artifact.path}" for artifact in version.artifacts}
    return names | {"manifest.yaml", "model.sig"}


def files_in(target: Path) -> set[str]:
    """Return what is below a directory and is none itself, links as such."""
    return {
        path.relative_to(target).as_posix()
        for path in target.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def unwritable(target: Path, error: OSError) -> OutsideError:
    """Return the error of a directory that cannot be made."""
    return OutsideError(
        f"Cannot write {target}: {error.strerror or error}.",
        "Choose another directory with -o.",
    )


def _exists(target: Path) -> ConflictError:
    return ConflictError(
        f"{target} exists and is not this version.",
        "--replace  puts the version in the place of an earlier pull that nothing "
        "was added to;",
        "-o DIR  chooses another directory.",
        code="E_EXISTS",
    )


def _is_replaceable(target: Path, *, replace: bool) -> bool:
    try:
        if target.is_symlink() or not target.is_dir():
            return False
        return not any(target.iterdir()) or (replace and _is_earlier_pull(target))
    except OSError:  # who cannot look into it does not know what would be lost
        return False


def _is_earlier_pull(target: Path) -> bool:
    """Say whether all that a directory holds is what a pull puts there."""
    try:
        data = (target / "manifest.yaml").read_bytes()
        digest = Digest.of(data)
        pulled = parse(
            "ModelVersion",
            data,
            "manifest.yaml",
            lambda document: ModelVersion.from_document(document, digest),
        )
        return files_in(target) <= expected_files(pulled) | {NOTE}
    except (OSError, GitmodelError):
        return False


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
