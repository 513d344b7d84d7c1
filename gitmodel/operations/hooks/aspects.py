"""The sides from which a commit is looked at, so that people can choose among them.

A commit is judged once, as a whole; an aspect is the part of the verdict that somebody
wants to hear. What no other aspect claims is policy, so that nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from gitmodel.domain.problem import Problem

Aspect = Literal["schema", "immutable", "lfs", "signatures", "policy", "secrets"]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)

#: Exit code of each: who has to act (``design`` §5).
EXIT_CODES: dict[Aspect, int] = {
    "schema": 2,
    "immutable": 4,
    "lfs": 4,
    "signatures": 4,
    "policy": 3,
    "secrets": 3,
}
_CODES: dict[Aspect, frozenset[str]] = {
    "schema": frozenset(
        {
            "E_SCHEMA", "E_YAML", "E_YAML_ALIAS", "E_API_VERSION", "E_KIND",
            "E_LIMIT", "E_NAME", "E_NAMING", "E_NAME_COLLISION",
        }
    ),
    "immutable": frozenset({"E_APPEND_ONLY", "E_MODE", "E_EXTRA_FILE"}),
    "lfs": frozenset(
        {"E_POINTER", "E_POINTER_MISSING", "E_ATTRIBUTES", "E_LFSCONFIG"}
    ),
    "signatures": frozenset(
        {
            "E_UNSIGNED", "E_SIGNATURE", "E_SIGNATURE_NAME", "E_UNTRUSTED_KEY",
            "E_OTHER_PATH", "E_OTHER_POLICY", "E_OTHER_REGISTRY", "E_BUNDLE",
            "E_STATEMENT", "E_PREDICATE", "E_IDENTITY", "E_SIGSTORE",
            "E_DOCUMENT_DIGEST", "E_DOCUMENT_MISMATCH", "E_OMS", "E_KEYID", "E_JSON",
        }
    ),
    "secrets": frozenset({"E_SECRET", "E_PICKLE"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem that stands in the way of a commit, and the way around it.

    Attributes:
        commands: What to run, in order.
    """

    problem: Problem
    aspect: Aspect
    commands: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form: that of the problem, and what to run."""
        return {
            **self.problem.to_dict(),
            "line": self.problem.line,
            "aspect": self.aspect,
            "commands": list(self.commands),
        }


def aspect_of(problem: Problem) -> Aspect:
    """Return the aspect that a problem belongs to."""
    for aspect, codes in _CODES.items():
        if problem.code in codes:
            return aspect
    return "policy"


def exit_code(refusals: tuple[Refusal, ...]) -> int:
    """Return the exit code that tells of the worst of them; 0 for none."""
    return max((EXIT_CODES[refusal.aspect] for refusal in refusals), default=0)
