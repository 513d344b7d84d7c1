"""What configuration says of LFS: how patient to be, and whose server to trust.

git-lfs obeys ``.lfsconfig`` of the repository, so whoever may push could have
artifacts fetched from, and credentials offered to, a server of their choice. What
a clone's own configuration says wins, and is its owner's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.settings_file import settings_in
from gitmodel.adapters.lfs.client import Patience
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.registry import layout
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Collection

    from gitmodel.adapters.git.repository import Repository

_SERVERS = frozenset({"url", "pushurl", "lfsurl", "lfspushurl"})
#: git-lfs calls these unsafe and ignored; git has followed them by then.
_INCLUDES = frozenset({"include", "includeif"})


def redirection(
    repository: Repository, view: View, servers: Collection[str] = _SERVERS
) -> str:
    """Say in what way ``.lfsconfig`` names a server; "" if it does not.

    Args:
        repository: Where to look.
        view: The registry.
        servers: The last words of the settings that matter.

    Raises:
        IntegrityError: It is larger than any such file.
    """
    if view.entry(layout.LFS_CONFIG) is None:
        return ""
    data = view.blob(layout.LFS_CONFIG)
    if data is None:
        return "it is no plain file, and git-lfs reads whatever it leads to."
    try:
        keys = [key for key, _ in settings_in(repository, data)]
    except GitmodelError as error:
        return f"git cannot read it: {error.message}"
    if any(key.partition(".")[0] in _INCLUDES for key in keys):
        return "it includes another file, which git-lfs reads as if it were this one."
    if any(key.rpartition(".")[2] in servers for key in keys):
        return (
            "it redirects LFS to a server of its own choice; name the server in each "
            "clone's configuration instead."
        )
    return ""


def require_no_redirection(
    repository: Repository, view: View, *, uploads: bool = False
) -> None:
    """Insist that LFS traffic goes where this clone's owner wants it.

    Args:
        repository: The clone, whose own ``lfs.url`` wins.
        view: The registry. What HEAD says counts too: its file is the one that lies
            in the work tree, where git-lfs looks for it.
        uploads: Whether objects go out. Then git-lfs prefers ``lfs.pushurl``, wherever
            that stands, to any ``lfs.url``.

    Raises:
        IntegrityError: ``.lfsconfig`` sends it elsewhere (``E_LFSCONFIG``).
    """
    own = repository.config("lfs.url")
    if own and (not uploads or repository.config("lfs.pushurl")):
        return
    servers = {"pushurl"} if own else _SERVERS
    views = (view, View(view.reader, repository.resolve("HEAD")))
    found = (redirection(repository, each, servers) for each in views)
    if not (where := next(filter(None, found), "")):
        return
    raise IntegrityError(
        f"{layout.LFS_CONFIG}: {where}",
        f"git log -- {layout.LFS_CONFIG}  shows who wrote it;",
        f"git config lfs.{'pushurl' if own else 'url'} URL  names the server that you "
        "trust.",
        code="E_LFSCONFIG",
    )


def patience_of(repository: Repository) -> Patience:
    """Return how long to bear with LFS servers, by the settings of git-lfs.

    What people set counts: ``lfs.transfer.maxretries``, ``lfs.transfer.maxretrydelay``
    and ``lfs.activitytimeout``. A run that is silent for four times the latter, which
    git-lfs should have noticed, is ended.
    """
    usual = Patience()
    timeout = _number(repository, "lfs.activitytimeout")
    return Patience(
        retries=_number(repository, "lfs.transfer.maxretries") or usual.retries,
        pause=_or(_number(repository, "lfs.transfer.maxretrydelay"), usual.pause),
        silence=4 * timeout if timeout else usual.silence,
    )


def _or(number: int | None, other: int) -> int:
    return other if number is None else number


def _number(repository: Repository, key: str) -> int | None:
    value = repository.config(key) or ""
    return int(value) if value.isascii() and value.isdecimal() else None
