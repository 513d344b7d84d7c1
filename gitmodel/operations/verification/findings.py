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
    """Collects problems; nothing that is wrong stops the rest from being looked at.

    Attributes:
        artifacts: Those that were found, for hashing.
        further_artifacts: How many more there were, of which only the number is known.
    """

    problems: list[Problem] = field(default_factory=list)
    versions: int = 0
    transitions: int = 0
    commits: int = 0
    signatures: int = 0
    commit_signatures: int = 0
    artifacts: list[tuple[str, Artifact]] = field(default_factory=list)
    further_artifacts: int = 0

    def count(self, others: Findings) -> None:
        """Add what others have looked at."""
        self.versions += others.versions
        self.transitions += others.transitions
        self.commits += others.commits
        self.signatures += others.signatures
        self.commit_signatures += others.commit_signatures
        self.further_artifacts += len(others.artifacts) + others.further_artifacts

    def add_all(self, others: Findings) -> None:
        """Take over everything that others have found."""
        self.problems += others.problems
        self.artifacts += others.artifacts
        self.count(others)
        self.further_artifacts -= len(others.artifacts)

    def add(
        self, code: str, message: str, path: str = "", commit: str | None = None
    ) -> None:
        """Report a problem."""
        self.problems.append(Problem(code, message, path, commit or None))

    def add_error(
        self, error: GitmodelError, path: str, commit: str | None = None
    ) -> None:
        """Report everything that an error names."""
        if not error.problems:
            self.add(error.code, error.message, path, commit)
        for problem in error.problems:
            self.problems.append(
                Problem(
                    str(problem.get("code", error.code)),
                    str(problem.get("message", error.message)),
                    str(problem.get("path") or path),
                    commit,
                    problem.get("line"),
                )
            )
