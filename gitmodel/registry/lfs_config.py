"""Whether the registry itself sends people's LFS traffic somewhere.

git-lfs obeys ``.lfsconfig`` of the repository, so whoever may push could have
artifacts fetched from, and credentials offered to, a server of their choice. What
a clone's own configuration says wins, and is its owner's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.settings_file import settings_in
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.registry import layout

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.view import View

_SERVERS = frozenset({"url", "pushurl", "lfsurl", "lfspushurl"})


def redirection(repository: Repository, view: View) -> str:
    """Say in what way ``.lfsconfig`` names a server; "" if it does not.

    Raises:
        IntegrityError: It is larger than any such file.
    """
    data = view.blob(layout.LFS_CONFIG)
    if data is None:
        return ""
    try:
        keys = [key for key, _ in settings_in(repository, data)]
    except GitmodelError as error:
        return f"git cannot read it: {error.message}"
    if any(key.rpartition(".")[2] in _SERVERS for key in keys):
        return (
            "it redirects LFS to a server of its own choice; name the server in each "
            "clone's configuration instead."
        )
    return ""


def require_no_redirection(repository: Repository, view: View) -> None:
    """Insist that LFS traffic goes where this clone's owner wants it.

    Raises:
        IntegrityError: ``.lfsconfig`` sends it elsewhere (``E_LFSCONFIG``).
    """
    if repository.config("lfs.url") or not (where := redirection(repository, view)):
        return
    raise IntegrityError(
        f"{layout.LFS_CONFIG}: {where}",
        f"git log -- {layout.LFS_CONFIG}  shows who wrote it;",
        "git config lfs.url URL  names the server that you trust.",
        code="E_LFSCONFIG",
    )
