"""The branches that requests wait on: how they begin, grow, travel and end.

Every commit after the first is a merge of the main line, first parent, and of the
branch so far. So whatever has been signed until then is one step away from the main
line, and any ``git merge`` of the branch, even by fast-forward, brings it as the one
step that is judged (``design`` §4.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from gitmodel.adapters.git import commits
from gitmodel.adapters.git.history import is_ancestor
from gitmodel.adapters.lock import exclusive
from gitmodel.errors import ConflictError, GitmodelError
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.transaction import write_commit

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.registry.change import Change
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View


class Waiting(Protocol):
    """A request of any kind: a document that others are to sign."""

    @property
    def record(self) -> Record:
        """The document, with the signatures that count."""
        ...


T = TypeVar("T", bound=Waiting)
PREFIX = "request/"
_ATTEMPTS = 5


def tips(handle: RegistryHandle) -> dict[str, str]:
    """Return the tip of each request: of this clone's and the remotes', the furthest.

    Where they have parted, the remote's counts: others have seen that one.
    """
    listed = handle.repository.git.run(
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        "refs/heads",
        "refs/remotes",
    )
    places = [
        f"{where}/{PREFIX}"
        for where in (
            "refs/heads",
            *(f"refs/remotes/{name}" for name in handle.repository.remotes()),
        )
    ]
    found: dict[str, str] = {}
    for line in listed.decode().splitlines():
        oid, _, ref = line.partition(" ")
        place = next(filter(ref.startswith, places), None)
        if place is None:
            continue  # of another name, such as ``tmp/request/…``, which nobody guards
        branch = PREFIX + ref.removeprefix(place)
        known = found.get(branch)
        if known is None or not is_ancestor(handle.repository, oid, known):
            found[branch] = oid
    return found


def require_free(handle: RegistryHandle, branch: str) -> None:
    """Insist that a request can have its branch; a dry run asks this, too.

    Raises:
        ConflictError: A request of that name is open (``E_REQUEST_OPEN``), or git
            could not have both that and another branch (``E_REF_NAME``).
    """
    known = tips(handle)
    if branch in known:
        remote = remote_tracking(handle, branch)
        raise ConflictError(
            f"There is a request for the same already: {branch}",
            "gitmodel requests  shows it.",
            f"git branch -D {branch}  withdraws it"
            + (f";  git push {remote} --delete {branch}  there." if remote else "."),
            code="E_REQUEST_OPEN",
        )
    parts = branch.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts))]
    below = [name for name in known if name.startswith(f"{branch}/")]
    for name in (*above, *below):
        if handle.repository.resolve(f"refs/heads/{name}"):
            raise ConflictError(
                f"The branch {name} is in the way: git cannot have {branch} beside it.",
                f"git branch -m {name} NAME  calls it something else.",
                code="E_REF_NAME",
            )


def start(
    handle: RegistryHandle, base: View, change: Change, branch: str, *, push: bool
) -> str:
    """Put a proposed change on a branch of its own; return its commit.

    Raises:
        ConflictError: A request of that name is open, or another branch is in its way.
    """
    ref = f"refs/heads/{branch}"
    with exclusive(handle.lock_file):
        require_free(handle, branch)
        commit = write_commit(handle, base, change)
        commits.move_branch(
            handle.repository, ref, new=commit, old=None, why="gitmodel: request"
        )
    if push:
        try:
            _push(handle, commit, branch)
        except GitmodelError:
            _put_back(handle, branch, commit, None)
            raise
    return commit


def speak(
    handle: RegistryHandle,
    find: Callable[[], T],
    voice: Callable[[T], tuple[str, View, Change] | None],
    *,
    push: bool,
) -> tuple[T, str | None]:
    """Add a signature to a request; hear others who speak at the same time.

    What is signed is what this clone had when the command began, as only that can have
    been looked at. Whoever can push can put another document on the branch meanwhile.

    Args:
        handle: The registry.
        find: Returns the request as it is.
        voice: Returns its branch, what is there, and what to add; None for nothing.
        push: Also push the branch.

    Returns:
        The request afterwards, and the commit that was made, if any.

    Raises:
        ConflictError: Others kept moving the branch, or another document is on it now.
    """
    branch, seen = "", None
    for _ in range(_ATTEMPTS):
        request = find()
        seen = seen or request.record.digest
        if request.record.digest != seen:
            raise ConflictError(
                f"Another request is on {branch} now than this clone knew; nothing was "
                "signed.",
                "gitmodel requests  shows it; decide again if you want that one.",
                code="E_REQUEST_REPLACED",
            )
        said = voice(request)
        if said is None:
            return request, None
        branch, view, change = said
        made = _extend(handle, branch, view, change)
        if made is None:
            continue  # somebody else spoke meanwhile, in this clone
        commit, before = made
        try:
            if push:
                _push(handle, commit, branch)
        except GitmodelError as error:
            _put_back(handle, branch, commit, before)
            if error.code != "E_PUSH_REJECTED":
                raise
            # Somebody else spoke meanwhile: hear them, then speak again.
            _fetch(handle, branch)
            continue
        return find(), commit
    raise ConflictError(
        f"Others kept moving {branch}; nothing was signed.",
        "Run the command again.",
        code="E_PUSH_REJECTED",
    )


def publish(handle: RegistryHandle, branch: str, tip: str) -> None:
    """Push what was said here before without being pushed.

    Raises:
        ConflictError: The remote has other signatures that are not here.
        OutsideError: The remote cannot be reached, or refuses.
    """
    remote = remote_of(handle.repository, f"refs/heads/{branch}")
    if handle.repository.resolve(f"refs/remotes/{remote}/{branch}") != tip:
        _push(handle, tip, branch)


def drop(handle: RegistryHandle, branch: str, *, push: bool) -> None:
    """Remove the branch of a request that has landed, here and, if pushed, there."""
    handle.repository.git.attempt("update-ref", "-d", f"refs/heads/{branch}")
    remote = remote_tracking(handle, branch)
    if not push or remote is None:
        return
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    try:
        porcelain.push_ref(handle.repository, remote, "", f"refs/heads/{branch}")
    except GitmodelError as error:
        handle.context.warn(f"It has landed, but {branch} is still there: {error}")


def remote_tracking(handle: RegistryHandle, branch: str) -> str | None:
    """Return the remote that is known to have a branch; None if none is."""
    return next(
        (
            remote
            for remote in handle.repository.remotes()
            if handle.repository.resolve(f"refs/remotes/{remote}/{branch}")
        ),
        None,
    )


def _extend(
    handle: RegistryHandle, branch: str, view: View, change: Change
) -> tuple[str, str | None] | None:
    """Put a change on a branch; return the commit, and where the branch was here.

    None if the branch has moved since ``view`` was read: what was added would be lost.
    """
    ref = f"refs/heads/{branch}"
    repository = handle.repository
    with exclusive(handle.lock_file):
        if tips(handle).get(branch) != view.commit:
            return None
        status, base = repository.git.attempt("merge-base", "HEAD", str(view.commit))
        first = base.decode().strip() if status == 0 else None
        beside = first if first != view.commit else None
        before = repository.resolve(ref)
        commit = write_commit(handle, view, change, beside=beside)
        commits.move_branch(
            repository,
            ref,
            new=commit,
            old=before,
            why=f"gitmodel: {change.message.subject}",
        )
    return commit, before


def _put_back(
    handle: RegistryHandle, branch: str, commit: str, before: str | None
) -> None:
    """Take back what could not be pushed, unless the branch has moved since."""
    what = (before,) if before else ()
    verb = () if before else ("-d",)
    handle.repository.git.attempt(
        "update-ref", *verb, f"refs/heads/{branch}", *what, commit, accept=(0, 1, 128)
    )


def _push(handle: RegistryHandle, commit: str, branch: str) -> None:
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    remote = remote_of(handle.repository, f"refs/heads/{branch}")
    porcelain.push(handle.repository, remote, commit, branch)


def _fetch(handle: RegistryHandle, branch: str) -> None:
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    remote = remote_of(handle.repository, f"refs/heads/{branch}")
    porcelain.fetch(handle.repository, remote, branch)
