"""``pre-commit``: would this commit be legal? Answers before it is made.

Advice, not enforcement: ``git commit --no-verify`` skips it. What others must rely on
is judged by whoever receives the commit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError
from gitmodel.operations.hooks.aspects import ASPECTS, Aspect, Refusal, aspect_of
from gitmodel.operations.hooks.merging import explain, is_own_branch, merged_commits
from gitmodel.operations.hooks.staged import Staged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from gitmodel.operations.hooks.revert import Undoing
    from gitmodel.registry.handle import RegistryHandle

#: What a file shows by itself.
_OF_FILES: frozenset[Aspect] = frozenset({"secrets"})
_REVERTS = "This reverts commit "
_PICKING = "CHERRY_PICK_HEAD"
_OF_STEPS: frozenset[Aspect] = frozenset(
    {"immutable", "signatures", "policy", "lfs", "schema"}
)


def judge_staged(
    handle: RegistryHandle,
    *,
    index: Path | None = None,
    only: Collection[Aspect] | None = None,
    files: Sequence[str] = (),
    merging: Sequence[str] = (),
    completes: bool = False,
) -> tuple[Refusal, ...]:
    """Return everything that stands in the way of committing what is staged.

    Args:
        handle: The registry, or what is none yet.
        index: The file that git keeps the commit's index in; None for the usual one.
        only: The aspects that count; None for all of them, in a registry. Anywhere else
            secrets are looked for, if they are named.
        files: Look at these alone, as the index has them; all changes if there are
            none. What only the commit as a whole can show is then left to others.
        merging: The commits that git says it is merging.
        completes: Whether a hook that runs after the commit can make a rollback of
            a promotion that is undone by hand.

    Raises:
        ConflictError: A merge is not resolved.
    """
    staged = Staged.read(handle, index, files)
    if merged := merged_commits(handle.repository, merging):
        if staged.is_registry and is_own_branch(handle.repository):
            only = _OF_FILES.intersection(ASPECTS if only is None else only)
        return explain(handle.repository, refusals(staged, only), merged)
    found = refusals(staged, only)
    if found and not files and (undo := _undoing(staged)) is not None:
        return _judge_undoing(staged, undo, completes=completes)
    return found


def judge_unasked(
    handle: RegistryHandle, message: str, *, index: Path | None = None
) -> tuple[Refusal, ...]:
    """Return what stands in the way of a revert or a cherry-pick; none of others.

    git asks no other hook about these before it makes the commit.
    """
    reverts = any(line.startswith(_REVERTS) for line in message.splitlines())
    if not reverts and not (handle.repository.git_dir / _PICKING).exists():
        return ()
    staged = Staged.read(handle, index)
    found = refusals(staged)
    undo = _undoing(staged) if found and reverts else None
    if undo is not None:
        return _judge_undoing(staged, undo, completes=True)
    back = _way_back(handle)
    return tuple(
        replace(
            one, commands=(back, *(c for c in one.commands if c.startswith("gitmodel")))
        )
        for one in found
    )


def _judge_undoing(
    staged: Staged, undo: Undoing, *, completes: bool
) -> tuple[Refusal, ...]:
    """Return nothing if the revert will become a rollback, else how to make one."""
    from gitmodel.operations.hooks.revert import prepare  # noqa: PLC0415

    why = "it takes a transition out of the log"
    commands: tuple[str, ...] = (_way_back(staged.handle),)
    if undo.target is not None:
        commands = (*commands, undo.command)
    if completes:
        try:
            prepare(staged, undo)
        except GitmodelError as error:
            why += f", and cannot be made a rollback: {error.message}"
        else:
            return ()
    problem = Problem("E_REVERT", f"{why.rstrip('.')}.", undo.pin)
    return (Refusal(problem, "policy", commands),)


def _undoing(staged: Staged) -> Undoing | None:
    from gitmodel.operations.hooks.revert import undoing  # noqa: PLC0415

    return undoing(staged)


def _way_back(handle: RegistryHandle) -> str:
    """Return the command that takes back what git has done so far."""
    if not (handle.repository.git_dir / "sequencer").exists():
        return "git reset --merge"
    picking = (handle.repository.git_dir / _PICKING).exists()
    return f"git {'cherry-pick' if picking else 'revert'} --abort"


def refusals(
    staged: Staged, only: Collection[Aspect] | None = None
) -> tuple[Refusal, ...]:
    """Return what stands in the way, in the order of the paths."""
    if not (staged.changes or staged.chosen):
        return ()
    if not staged.is_registry:
        only = _OF_FILES.intersection(only or ())
    elif only is None:
        only = ASPECTS
    from gitmodel.operations.hooks.remedies import remedies  # noqa: PLC0415

    named = {change.path for change in staged.chosen}
    found: dict[tuple[str, str, int], Problem] = {}
    lined: set[tuple[str, str]] = set()
    for problem in _problems(staged, only):
        if problem.path in named or not problem.path:
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
