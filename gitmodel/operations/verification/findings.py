"""What verification has looked at, and what it found wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.domain.problem import Problem

if TYPE_CHECKING:
    from gitmodel.domain.artifact import Artifact
    from gitmodel.errors import GitmodelError


@dataclass(slots=True)
class Findings:
    """Collects problems; nothing that is wrong stops the rest from being looked at."""

    problems: list[Problem] = field(default_factory=list)
    versions: int = 0
    transitions: int = 0
    commits: int = 0
    signatures: int = 0
    artifacts: list[tuple[str, Artifact]] = field(default_factory=list)

    def add(
        self, code: str, message: str, path: str = "", commit: str | None = None
    ) -> None:
        """Report a problem."""
        self.problems.append(Problem(code, message, path, commit or None))

    def add_error(self, error: GitmodelError, path: str) -> None:
        """Report everything that an error names."""
        if not error.problems:
            self.add(error.code, error.message, path)
        for problem in error.problems:
            self.problems.append(
                Problem(
                    str(problem.get("code", error.code)),
                    str(problem.get("message", error.message)),
                    str(problem.get("path") or path),
                    None,
                    problem.get("line"),
                )
            )
