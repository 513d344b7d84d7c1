"""Asks git which attributes a tree gives to paths, without a work tree."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.adapters.git.repository import Repository


def attribute_of(
    repository: Repository,
    attribute: str,
    paths: Sequence[str],
    attribute_files: Mapping[str, str],
) -> dict[str, str]:
    """Return the value of ``attribute`` for each path, as git would see it.

    Args:
        repository: Its ``info/attributes`` counts too, as it does for git.
        attribute: Such as ``filter``.
        paths: Paths that need not exist.
        attribute_files: Path of each ``.gitattributes`` in the tree → blob id.
    """
    with tempfile.TemporaryDirectory(prefix="gitmodel-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        entries = "".join(
            f"100644 {oid}\t{path}\0" for path, oid in attribute_files.items()
        )
        repository.git.run(
            "update-index", "-z", "--index-info", stdin=_bytes(entries), extra=index
        )
        asked = "".join(f"{path}\0" for path in paths)
        answer = repository.git.run(
            "check-attr", "--cached", "-z", "--stdin", attribute,
            stdin=_bytes(asked), extra=index,
        )  # fmt: skip
    fields = answer.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return dict(zip(fields[::3], fields[2::3], strict=True))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
