"""What a push has brought, as it lies in quarantine until its hooks let it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitmodel.adapters.git.process import Git, piped
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.adapters.git.repository import Repository


class Incoming(NamedTuple):
    """One object that nobody has had here before the push."""

    oid: str
    kind: str
    size: int


def incoming_objects(repository: Repository) -> Iterator[Incoming]:
    """Yield every object of the push, as fast as git lists them; none is read.

    A repository that was not opened by a hook has none.

    Raises:
        OutsideError: git fails.
    """
    quarantine = repository.variables.get("GIT_QUARANTINE_PATH")
    if not quarantine:
        return
    # By itself, without the repository's own objects behind it.
    git = Git(
        repository.git_dir,
        (f"--git-dir={repository.git_dir}",),
        variables={"GIT_OBJECT_DIRECTORY": quarantine},
    )
    process = git.start(
        "cat-file", "--batch-all-objects", "--unordered",
        "--batch-check=%(objectname) %(objecttype) %(objectsize)",
    )  # fmt: skip
    stdin, stdout = piped(process)
    stdin.close()
    try:
        for line in stdout:
            oid, kind, size = line.decode().split()
            yield Incoming(oid, kind, int(size))
        if process.wait():
            raise OutsideError("git cannot list what was pushed.", code="E_GIT")
    finally:
        process.kill()
        stdout.close()
        process.wait()
