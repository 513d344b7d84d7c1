"""One thing that is wrong with a registry, named so that people can act on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A defect found by reading or verifying.

    Attributes:
        code: Stable name, such as ``E_SCHEMA``; see docs/reference/problems.md.
        message: One sentence.
        path: Repository path, or a file name given by the caller; "" for none.
        commit: The commit in which it was found; None for the present tree.
        line: 1-based line in ``path``; None where lines mean nothing.
    """

    code: str
    message: str
    path: str = ""
    commit: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        where = f"{place}: " if place else ""
        commit = f" (commit {self.commit[:12]})" if self.commit else ""
        return f"{where}{self.message} [{self.code}]{commit}"

    def to_dict(self) -> dict[str, str | int | None]:
        """Return the JSON form used by ``verify --json`` and error objects."""
        found: dict[str, str | int | None] = {
            "code": self.code,
            "path": self.path,
            "commit": self.commit,
            "message": self.message,
        }
        if self.line is not None:
            found["line"] = self.line
        return found
