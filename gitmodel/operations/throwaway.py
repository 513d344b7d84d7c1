"""A throw-away registry: this one, to try things on that must not happen to it.

It has the history of HEAD and the bytes that are asked for; who signs there is who
signs here. It has no remote and tells nobody of anything. What is signed in it would be
valid in the registry, so nobody else can look into it, and it is gone at the end,
however that comes: what a killed command left, the next one removes.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.adapters.git.throwaway import make_throwaway
from gitmodel.adapters.lfs import scratch
from gitmodel.adapters.lfs.sharing import share
from gitmodel.adapters.lfs.store import Store
from gitmodel.errors import ConflictError, NotFoundError, OutsideError
from gitmodel.operations.fetching import fetch_missing
from gitmodel.registry import state
from gitmodel.registry.allowed import KEY
from gitmodel.registry.handle import RegistryHandle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.registry.view import View

_PRIVATE = 0o700


class Throwaway:
    """A registry that is somebody else's copy; see :func:`open_throwaway`.

    Attributes:
        handle: To work on it with.
        place: The directory that it is in, with room for more beside it.
    """

    def __init__(
        self, origin: RegistryHandle, handle: RegistryHandle, place: Path
    ) -> None:
        self._origin = origin
        self.handle = handle
        self.place = place

    def borrow(self, artifacts: Iterable[Artifact]) -> None:
        """Take over what the registry's clone has of these artifacts."""
        digests = {artifact.digest for artifact in artifacts if artifact.size}
        share(self._origin.store, self.handle.store, sorted(digests, key=str))

    def lacks(self, artifacts: Iterable[Artifact]) -> bool:
        """Say whether any of these artifacts is not here, or has the wrong size."""
        store = self.handle.store
        return not all(store.has(each.digest, each.size) for each in artifacts)

    def fetch(self, view: View, version: ModelVersion) -> None:
        """Bring what a version lacks from the registry's remote, and borrow it.

        It stays in the registry's clone as well: that is where it will be needed.

        Raises:
            NotFoundError, IntegrityError, OutsideError: As ``fetch_missing``.
        """
        fetch_missing(self._origin, view, version)
        self.borrow(version.artifacts)

    def allow(self, path: Path) -> None:
        """Let the copy run a program that this machine lets the registry run."""
        self.handle.repository.git.run("config", "--add", KEY, str(path))


@contextmanager
def open_throwaway(
    origin: RegistryHandle, *, pins: Sequence[str], keep: Path | None = None
) -> Iterator[Throwaway]:
    """Make a throw-away copy of a registry, and remove it at the end.

    Args:
        origin: The registry; nothing of it is changed.
        pins: The files that are checked out.
        keep: Where to make it instead, with all files, and to leave it.

    Raises:
        NotFoundError: The registry has no commit.
        ConflictError: ``keep`` is there already, or objects cannot be borrowed.
        OutsideError: It cannot be written.
    """
    scratch.sweep(origin.store.scratch)
    if keep is not None:
        _make(keep)
        with _opened(origin, keep, None) as made:
            yield made
        return
    with scratch.claim(origin.store.scratch) as claimed:
        claimed.path.chmod(_PRIVATE)
        with _opened(origin, claimed.path, pins) as made:
            yield made


def _make(keep: Path) -> None:
    try:
        keep.mkdir(mode=_PRIVATE, parents=True)
    except FileExistsError as error:
        raise ConflictError(
            f"{keep} exists already.", "Name a new directory.", code="E_EXISTS"
        ) from error
    except OSError as error:
        raise OutsideError(f"{keep} cannot be made: {error.strerror}.") from error


@contextmanager
def _opened(
    origin: RegistryHandle, place: Path, files: Sequence[str] | None
) -> Iterator[Throwaway]:
    commit = origin.repository.resolve("HEAD")
    if commit is None:
        raise NotFoundError("This registry has no commit yet.", code="E_NO_REGISTRY")
    directory = place.absolute() / "registry"
    repository = make_throwaway(
        origin.repository, directory, commit=commit, files=files
    )
    verified = state.read(origin.repository)
    if verified is not None:
        state.write(repository, verified)
    context = replace(origin.context, warn=lambda _: None)
    handle = RegistryHandle(repository, context)
    # Settings of the user's could name a store that others share.
    handle.store = Store(repository.git_dir / "lfs")
    handle.signer = origin.signer
    if context.identity is None:
        handle.key = origin.key
    try:
        yield Throwaway(origin, handle, place)
    finally:
        handle.close()
        if files is not None:
            shutil.rmtree(directory, ignore_errors=True)
