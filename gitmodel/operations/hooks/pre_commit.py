"""``pre-commit``: would this commit be legal? Answers before it is made.

Advice, not enforcement: ``git commit --no-verify`` skips it. What others must rely on
is judged by whoever receives the commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.operations.hooks.aspects import ASPECTS, Aspect, Refusal, aspect_of
from gitmodel.operations.hooks.staged import Staged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from gitmodel.domain.problem import Problem
    from gitmodel.registry.handle import RegistryHandle

_OF_STEPS: frozenset[Aspect] = frozenset(
    {"immutable", "signatures", "policy", "lfs", "schema"}
)


def judge_staged(
    handle: RegistryHandle,
    *,
    index: Path | None = None,
    only: Collection[Aspect] = ASPECTS,
    files: Sequence[str] = (),
) -> tuple[Refusal, ...]:
    """Return everything that stands in the way of committing what is staged.

    Args:
        handle: The registry, or what is none yet.
        index: The file that git keeps the commit's index in; None for the usual one.
        only: The aspects that count.
        files: Look at these alone, as the index has them; all changes if there are
            none. What only the commit as a whole can show is then left to others.

    Raises:
        ConflictError: A merge is not resolved.
    """
    staged = Staged.read(handle, index, files)
    return refusals(staged, only)


def refusals(staged: Staged, only: Collection[Aspect] = ASPECTS) -> tuple[Refusal, ...]:
    """Return what stands in the way, in the order of the paths."""
    if not (staged.changes or staged.chosen) or not staged.is_registry:
        return ()
    from gitmodel.operations.hooks.remedies import remedies  # noqa: PLC0415

    named = {change.path for change in staged.chosen}
    found: dict[tuple[str, str, int], Problem] = {}
    lined: set[tuple[str, str]] = set()
    for problem in _problems(staged, only):
        if problem.path in named or not problem.path or _is_above(problem.path, named):
            place = (problem.path, problem.code)
            if place in lined and problem.line is None:
                continue  # said before, and better
            found.setdefault((*place, problem.line or 0), problem)
            lined.add(place)
    return tuple(
        Refusal(problem, aspect_of(problem), remedies(staged, problem))
        for _, problem in sorted(found.items())
        if aspect_of(problem) in only
    )


def _is_above(directory: str, paths: Collection[str]) -> bool:
    return any(path.startswith(f"{directory}/") for path in paths)


def _problems(staged: Staged, only: Collection[Aspect]) -> Iterator[Problem]:
    """Yield problems, the more telling of two that say the same first."""
    from gitmodel.operations.hooks import judgement  # noqa: PLC0415

    if "schema" in only:
        yield from judgement.judge_schemas(staged)
    if "lfs" in only:
        yield from judgement.judge_pointers(staged)
    if "secrets" in only:
        yield from judgement.judge_contents(staged)
    if staged.changes and not _OF_STEPS.isdisjoint(only):
        yield from judgement.judge_step(staged)
