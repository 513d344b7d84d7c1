"""Is the remote the right one, is it complete, and who can read it?

``doctor`` asks, and changes nothing but where this clone knows the remote's branch to
be, as ``git fetch`` does. No artifact is downloaded. (R225)
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from gitmodel.adapters.git import history, porcelain
from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.lfs import batch
from gitmodel.adapters.lfs.store import Store, locate
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.formats.lfs_pointer import CUTOFF, Pointer
from gitmodel.operations.fitness import Check
from gitmodel.registry import layout
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitmodel.adapters.lfs.batch import Endpoint
    from gitmodel.registry.handle import RegistryHandle

_ABSENT = 404
_PRIVATE = frozenset({401, 403, _ABSENT})
_NONE_HERE = "no artifact to ask for"


def check_tags(handle: RegistryHandle, view: View) -> Iterator[Check]:
    """Find tags that git takes for a branch: a name would mean two commits."""
    del view
    listed = handle.repository.git.run("for-each-ref", "--format=%(refname)")
    refs = listed.decode("utf-8", "replace").split("\n")
    tags = {
        ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/")
    }
    names = {"HEAD"}
    for kind in ("refs/heads/", "refs/remotes/"):
        names |= {ref.removeprefix(kind) for ref in refs if ref.startswith(kind)}
    shadows = sorted(tags & names)
    yield Check(
        "tags",
        ok=not shadows,
        found=f"a tag has the name of a branch: {', '.join(shadows)}"
        if shadows
        else "none has the name of a branch",
        hint=f"git tag -d {shadows[0]}  here, and  git push REMOTE :refs/tags/"
        f"{shadows[0]}  there; tags carry no authority."
        if shadows
        else "",
        required=False,
    )


def check_remote(handle: RegistryHandle, view: View) -> Iterator[Check]:
    """Ask the remote of this branch for its commits, and its LFS server for objects."""
    repository = handle.repository
    head = repository.head()
    if head.ref is None:
        return
    try:
        remote = remote_of(repository, head.ref)
    except NotFoundError:
        return  # another check says so
    branch = head.ref.removeprefix("refs/heads/")
    try:
        theirs = porcelain.fetch(repository, remote, branch)
    except GitmodelError as error:
        hint = " ".join(error.hints)
        yield Check("remote commits", ok=False, found=error.message, hint=hint)
        return
    yield _commits(handle, view, remote, branch, theirs)
    yield from _objects(handle, View(handle.reader, theirs), remote)


def _commits(
    handle: RegistryHandle, view: View, remote: str, branch: str, theirs: str | None
) -> Check:
    """Compare the registry of the remote's branch with the one here."""
    name = "remote commits"
    if theirs is None:
        found = f"{remote} has no branch {branch}: nothing was pushed yet"
        hint = f"git push {remote} {branch}"
        return Check(name, ok=False, found=found, hint=hint, required=False)
    there = View(handle.reader, theirs)
    hint = f"git remote set-url {remote} URL  names the right one; do not merge."
    if there.entry(layout.SETTINGS) is None:
        found = f"{branch} of {remote} holds no registry"
        return Check(name, ok=False, found=found, hint=hint)
    if there.registry_id != view.registry_id:
        found = f"{branch} of {remote} is another registry: {there.registry_id}"
        return Check(name, ok=False, found=found, hint=hint)
    ours = str(view.commit)
    if theirs == ours:
        return Check(
            name, ok=True, found=f"{branch} of {remote} is where this clone is"
        )
    if history.is_ancestor(handle.repository, theirs, ours):
        found, hint = (
            f"{remote} lacks commits of this clone",
            f"git push {remote} {branch}",
        )
    elif history.is_ancestor(handle.repository, ours, theirs):
        found, hint = (
            f"{remote} has newer commits",
            f"git merge --ff-only {remote}/{branch}",
        )
    else:
        found, hint = (
            f"{remote} and this clone have parted",
            f"git merge {remote}/{branch}",
        )
    return Check(name, ok=False, found=found, hint=hint, required=False)


def _objects(handle: RegistryHandle, there: View, remote: str) -> Iterator[Check]:
    """Look for every object that the remote's branch names where it should be."""
    wanted = _wanted(handle, there)
    directory = handle.repository.work_tree or handle.repository.git_dir
    endpoint = batch.endpoint_of(directory, remote)
    if endpoint is None:
        return  # without git-lfs; another check says so
    if endpoint.ssh:
        found = f"asked over SSH; doctor does not look into {endpoint}"
        yield Check("lfs server", ok=True, found=found)
    elif not endpoint.is_http:
        yield _in_store(_store_of(handle, remote, endpoint), wanted, remote)
    elif not wanted:
        yield Check("lfs server", ok=True, found=f"{endpoint}; {_NONE_HERE}")
    else:
        yield from _on_server(handle, directory, endpoint, wanted, remote)


def _wanted(handle: RegistryHandle, view: View) -> dict[Pointer, str]:
    """Return the artifacts that a commit names, each with one of its paths."""
    paths = {
        entry.oid: f"models/{path}"
        for path, entry in view.files_below("models").items()
        if "/artifacts/" in path
    }
    found: dict[Pointer, str] = {}
    for (_, data), path in zip(
        handle.reader.read_many(paths), paths.values(), strict=True
    ):
        pointer = Pointer.parse(data) if len(data) < CUTOFF else None
        if pointer is not None and pointer.size:
            found.setdefault(pointer, path)
    return found


def _on_server(
    handle: RegistryHandle,
    directory: Path,
    endpoint: Endpoint,
    wanted: dict[Pointer, str],
    remote: str,
) -> Iterator[Check]:
    pointers = list(wanted)
    authorization = ""
    try:
        batch.missing_on(endpoint, pointers[:1])
        yield _readers(handle, endpoint, anybody=True)
    except batch.BatchError as error:
        if error.status in _PRIVATE:
            authorization = batch.authorization_for(directory, endpoint)
            yield _readers(handle, endpoint, anybody=False)
    try:
        missing = batch.missing_on(endpoint, pointers, authorization)
    except batch.BatchError as error:
        hint = (
            "git lfs env  shows the server;  git config lfs.url URL  names another."
            if authorization or error.status not in _PRIVATE
            else "git config credential.helper  shows who keeps your passwords; git "
            "has none for this server, or the address is wrong:  git lfs env ."
        )
        if error.status == _ABSENT:  # some say so when they have none of the objects
            hint += f" Or no artifact was ever uploaded:  git lfs push --all {remote} ."
        found = f"{endpoint}: {error.message}"
        yield Check("lfs server", ok=False, found=found, hint=hint)
        return
    yield Check("lfs server", ok=True, found=str(endpoint))
    yield _complete(missing, wanted, remote)


def _readers(handle: RegistryHandle, endpoint: Endpoint, *, anybody: bool) -> Check:
    """Say whether anybody may download; a public registry wants that."""
    meant = handle.repository.config("gitmodel.public") == "true"
    if not anybody:
        return Check("lfs readers", ok=True, found="not without credentials")
    found = f"anybody can read artifacts from {endpoint}, without credentials"
    hint = (
        "Have the server ask for credentials; for models that are meant to be public:  "
        "git config gitmodel.public true ."
    )
    hint = "" if meant else hint
    return Check("lfs readers", ok=meant, found=found, hint=hint, required=False)


def _in_store(store: Store | None, wanted: dict[Pointer, str], remote: str) -> Check:
    if store is None:
        found = f"{remote} is no repository on this machine"
        return Check("lfs objects", ok=False, found=found, hint="git lfs env")
    missing = [each for each in wanted if not store.has(each.digest, each.size)]
    return _complete(missing, wanted, remote)


def _store_of(handle: RegistryHandle, remote: str, endpoint: Endpoint) -> Store | None:
    """Return the LFS store of a remote on this machine; None if there is none."""
    repository = handle.repository
    url = repository.config(f"remote.{remote}.url") or ""
    if endpoint.url.startswith("file://"):
        url = unquote(urlsplit(endpoint.url).path)
    place = (repository.work_tree or repository.git_dir) / url
    try:
        there = Repository.discover(place.parent if place.name == ".git" else place)
    except GitmodelError:
        return None
    return Store(locate(there.common_dir, there.config("lfs.storage")))


def _complete(missing: list[Pointer], wanted: dict[Pointer, str], remote: str) -> Check:
    name = "lfs objects"
    if not missing:
        return Check(name, ok=True, found=f"{remote} has all {len(wanted)}")
    found = (
        f"{remote} lacks {len(missing)} of {len(wanted)}, such as {wanted[missing[0]]}"
    )
    hint = f"git lfs push --all {remote}  in a clone that has the bytes uploads them."
    return Check(name, ok=False, found=found, hint=hint)
