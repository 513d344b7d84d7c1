"""Runbooks as files: written into a work tree, and held against what they should say.

They are ordinary files, for people to read, review and commit; nothing rests on them.
What the tree holds never leads a page out of it, and no file is replaced that gitmodel
did not write.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gitmodel.errors import ConflictError, OutsideError
from gitmodel.operations.runbook import NOTICE, runbook

if TYPE_CHECKING:
    from gitmodel.registry.handle import RegistryHandle

#: In the work tree, where nothing is protected.
DIRECTORY = "runbooks"
_MOST = 4 << 20  # bytes; a page has some thousands

State = Literal["current", "missing", "outdated", "written"]


@dataclass(frozen=True, slots=True)
class Page:
    """The runbook of one model.

    Attributes:
        path: Its file.
        state: How that is, or what was done about it.
        text: What it says, or should say.
    """

    model: str
    path: Path
    state: State
    text: str


def check_runbooks(
    handle: RegistryHandle, model: str | None = None, directory: Path | None = None
) -> tuple[Page, ...]:
    """Say of each runbook whether the file on disk says what it should.

    Args:
        handle: The registry; HEAD says what they should say.
        model: Only this one; None for all.
        directory: Where they are; None for ``runbooks`` in the work tree.

    Raises:
        NotFoundError: There is no such model.
        ConflictError: There is no work tree, or links are in the way.
        IntegrityError: A log is not sound, or a document is malformed.
        OutsideError: A file cannot be read.
    """
    view = handle.view()
    place = directory or _place(handle)
    names = view.models() if model is None else (model,)
    pages = []
    for name in names:
        text = runbook(view, name)
        path = place / f"{name}.md"
        found = _read(path)
        state: State = "outdated"
        if found is None:
            state = "missing"
        elif found == text.encode():
            state = "current"
        pages.append(Page(name, path, state, text))
    return tuple(pages)


def write_runbooks(
    handle: RegistryHandle, model: str | None = None, directory: Path | None = None
) -> tuple[Page, ...]:
    """Write the runbooks that are not what they should be; see ``check_runbooks``.

    Raises:
        ConflictError: So, or a file is there that gitmodel did not write
            (``E_EXISTS``); nothing was written.
        OutsideError: A file cannot be written.
    """
    pages = check_runbooks(handle, model, directory)
    for page in pages:
        if page.state == "outdated" and NOTICE.encode() not in (
            _read(page.path) or b""
        ):
            raise ConflictError(
                f"{page.path} was not written by gitmodel.",
                "gitmodel runbook -o DIR  writes runbooks elsewhere.",
                code="E_EXISTS",
            )
    done = []
    for page in pages:
        if page.state == "current":
            done.append(page)
            continue
        _write(page.path, page.text.encode())
        done.append(Page(page.model, page.path, "written", page.text))
    return tuple(done)


def _place(handle: RegistryHandle) -> Path:
    tree = handle.repository.work_tree
    if tree is None:
        raise ConflictError(
            "This is a bare repository: it has no work tree to write runbooks to.",
            "gitmodel runbook -o DIR  writes them elsewhere.",
            code="E_BARE",
        )
    place = tree / DIRECTORY
    if place.is_symlink():
        raise ConflictError(
            f"{place} is a symbolic link, and whoever pushes decides where it leads.",
            "gitmodel runbook -o DIR  writes runbooks to where you say.",
            code="E_EXISTS",
        )
    return place


def _read(path: Path) -> bytes | None:
    """Return a file's bytes; None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123 a descriptor
            return file.read(_MOST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutsideError(
            f"{path} cannot be read: {error.strerror}.",
            f"ls -l {path}  shows what is there.",
        ) from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".runbook-")
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 a descriptor
                file.write(data)
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(draft).unlink()
            raise
    except OSError as error:
        raise OutsideError(f"{path} cannot be written: {error.strerror}.") from error
