"""Whole histories as one file: git bundles, written and unpacked with git itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git.process import Git, GitProcessError
from gitmodel.adapters.git.repository import Repository
from gitmodel.errors import ConflictError, IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = 4096
_BRANCH = "refs/heads/main"
_CODE = "E_INCIDENT_BUNDLE"


def write_bundle(repository: Repository, commit: str, path: Path) -> None:
    """Write all history of HEAD, which is ``commit``, to a new file.

    Raises:
        ConflictError: HEAD is at another commit by now (``E_REF_MOVED``).
    """
    git, branch = repository.git, repository.head().ref
    refs = ("HEAD", branch) if branch else ("HEAD",)
    # One thread packs the same objects in the same way every time.
    git.run("-c", "pack.threads=1", "bundle", "create", "--quiet", str(path), *refs)
    listed = git.run("bundle", "list-heads", str(path)).decode().split("\n")
    if {line.split()[0] for line in listed if line} != {commit}:
        raise ConflictError(
            "The branch moved while its history was packed.",
            "Run the command again.",
            code="E_REF_MOVED",
        )


def unpack_bundle(path: Path, directory: Path, commit: str) -> Repository:
    """Make a bare repository of a bundle, with HEAD at ``commit``.

    Args:
        path: The bundle.
        directory: A directory that does not exist yet.
        commit: What the HEAD of the bundle must be.

    Raises:
        IntegrityError: It is no whole bundle, or its HEAD is another commit.
    """
    with path.open("rb") as file:
        sha256 = b"\n@object-format=sha256\n" in file.read(_HEADER)
    name = "sha256" if sha256 else "sha1"
    options = ("--bare", "--quiet", "--template=", f"--object-format={name}")
    Git(path.parent).run("init", *options, str(directory))
    repository = Repository(directory, directory, None, name)
    git = repository.git
    try:
        git.run("bundle", "verify", "--quiet", str(path))
        git.run("symbolic-ref", "HEAD", _BRANCH)
        quietly = ("--quiet", "--no-tags", "--no-recurse-submodules")
        git.run("fetch", *quietly, str(path), f"+HEAD:{_BRANCH}")
    except GitProcessError as error:
        raise IntegrityError(
            f"{path.name} holds no whole history: {error.message}", code=_CODE
        ) from error
    if repository.resolve("HEAD") != commit:
        raise IntegrityError(
            f"{path.name} does not end with commit {commit}", code=_CODE
        )
    return repository
