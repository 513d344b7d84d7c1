"""Reads a file in the syntax of git's configuration, as git itself reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository


def settings_in(repository: Repository, data: bytes) -> list[tuple[str, str]]:
    """Return (key, value) of each setting; section and last part in lower case.

    Includes are not followed.

    Raises:
        GitProcessError: It is malformed.
    """
    listed = repository.git.run(
        "config", "--file", "-", "--no-includes", "--list", "-z", stdin=data
    )
    entries = listed.decode("utf-8", "replace").split("\0")[:-1]
    pairs = (entry.partition("\n") for entry in entries)
    return [(key, value) for key, _, value in pairs]
