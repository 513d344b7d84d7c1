"""Bring a clone and its remote together: take in, judge, upload, push, retry.

Commits of this clone that the remote has not are put behind what others pushed, each as
a step of its own, and judged there as the remote and every verification will judge
them. What does not hold there any more is not made to: a promotion that was asked for
before somebody else moved the pin, or under a policy that has been replaced, is another
question now, and is given back with the commands that ask it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.adapters.git import porcelain
from gitmodel.adapters.git.history import is_ancestor
from gitmodel.adapters.lock import exclusive
from gitmodel.errors import ConflictError, IntegrityError
from gitmodel.operations import redoing
from gitmodel.operations.hooks.push import Update, judge_push
from gitmodel.registry.change import Plan
from gitmodel.registry.rejoining import ClashError, rejoin
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.steps import line_to
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.problem import Problem
    from gitmodel.operations.hooks.aspects import Refusal
    from gitmodel.registry.handle import RegistryHandle


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What was brought together.

    Attributes:
        received: How many steps of others came in.
        sent: How many steps the remote got.
        behind: How many of these were put behind what others had pushed.
        commit: Where both are now, or would be.
    """

    status: Literal["synced", "unchanged"]
    remote: str
    branch: str
    received: int
    sent: int
    behind: int
    commit: str | None
    dry_run: bool = False


def sync(
    handle: RegistryHandle, *, dry_run: bool = False, patience: float | None = None
) -> SyncResult:
    """Bring this clone and its remote to the same commit.

    Args:
        handle: The registry.
        dry_run: Fetch, and say what would happen.
        patience: Seconds that the remote has to say what it has; None for as long as
            git waits.

    Raises:
        ConflictError: Others changed what commits here change, or what these rest on
            (E_OVERTAKEN); uncommitted changes are in the way; others kept winning.
        IntegrityError: Commits here are no legal steps; the first problem says why.
        OutsideError: The remote cannot be reached or refuses.
    """
    ref = handle.writable_branch()
    remote = remote_of(handle.repository, ref)
    every = _Sync(handle, ref, remote)
    if dry_run:
        with exclusive(handle.lock_file):
            branch = ref.removeprefix("refs/heads/")
            theirs = porcelain.fetch(handle.repository, remote, branch)
            result = every.plan(View(handle.reader, every.target(theirs))).result
            return replace(result, dry_run=True)
    mode = Mode(push=True, patience=patience)
    result = transact(handle, every.plan, mode, every.join).result
    _follow(handle, remote, result.branch)
    return result


def _follow(handle: RegistryHandle, remote: str, branch: str) -> None:
    """Let plain ``git pull`` know where from, if nobody has told it."""
    if handle.repository.config(f"branch.{branch}.remote") is None:
        settings = {"remote": remote, "merge": f"refs/heads/{branch}"}
        porcelain.configure(
            handle.repository,
            {f"branch.{branch}.{name}": value for name, value in settings.items()},
        )


class _Sync:
    """One synchronisation; the remote may move while it runs."""

    def __init__(self, handle: RegistryHandle, ref: str, remote: str) -> None:
        self.handle = handle
        self.repository = handle.repository
        self.branch = ref.removeprefix("refs/heads/")
        self.remote = remote
        self.began = self.repository.resolve(ref)

    @property
    def theirs(self) -> str | None:
        """Where the remote's branch was when it was last asked."""
        return self.repository.resolve(f"refs/remotes/{self.remote}/{self.branch}")

    def target(self, theirs: str | None) -> str | None:
        """Return where both would be."""
        ours = self.began
        if theirs is None or ours is None:
            return ours or theirs
        if is_ancestor(self.repository, ours, theirs):
            return theirs
        return self.join(ours, theirs)

    def join(self, ours: str, theirs: str) -> str:
        """Return a commit that has both, with the remote's as first parent."""
        if self._goes_on(ours, theirs):
            return ours
        try:
            return rejoin(self.handle, ours, theirs)
        except ClashError as error:
            clashes = error.clashes
            who = redoing.who_moved(self.handle, theirs, clashes)
            raise ConflictError(
                f"{len(clashes)} of your commits {_verb(len(clashes))} what others "
                f"have changed meanwhile: {clashes[0].subject}"
                + (f"; but {who}." if who else f" ({clashes[0].paths[0]})."),
                *self._again(ours, theirs, {clash.commit for clash in clashes}),
                code="E_OVERTAKEN",
                problems=[
                    {
                        "code": "E_OVERTAKEN",
                        "path": path,
                        "commit": clash.commit,
                        "message": f"{clash.subject}: others have changed {path}.",
                    }
                    for clash in clashes
                    for path in clash.paths
                ],
            ) from error

    def plan(self, view: View) -> Plan[SyncResult]:
        """Judge what the remote is to get."""
        tip, theirs = str(view.commit), self.theirs
        line = line_to(self.repository, tip, theirs) if tip != theirs else []
        if line:
            update = Update(f"refs/heads/{self.branch}", tip, theirs)
            refusals = judge_push(self.handle, self.remote, (update,))
            if refusals:
                raise self._refused(refusals, tip, theirs)
        began = self.began
        received = (
            line_to(self.repository, theirs, began)
            if theirs and theirs != began
            else []
        )
        joined = began is not None and tip not in {began, theirs}
        return Plan(
            None,
            SyncResult(
                status="synced" if line or received else "unchanged",
                remote=self.remote,
                branch=self.branch,
                received=len(received),
                sent=len(line),
                behind=len(line) if joined else 0,
                commit=tip,
            ),
        )

    def _goes_on(self, ours: str, theirs: str) -> bool:
        """Say whether the steps of ``ours`` begin where the remote is."""
        line = line_to(self.repository, ours, theirs)
        return bool(line) and line[0][1] == theirs

    def _refused(
        self, refusals: tuple[Refusal, ...], tip: str, theirs: str | None
    ) -> ConflictError | IntegrityError:
        problems = [refusal.problem for refusal in refusals]
        listed = [problem.to_dict() for problem in problems]
        if tip == self.began or theirs is None:
            return IntegrityError(
                f"Commits here are no legal steps, and were not pushed: {problems[0]}",
                *(command for each in refusals for command in each.commands),
                code=problems[0].code,
                problems=listed,
            )
        return ConflictError(
            "Your commits do not hold any more on what others have pushed meanwhile: "
            f"{problems[0]}",
            *self._again(str(self.began), theirs, self._joined(problems)),
            code="E_OVERTAKEN",
            problems=listed,
        )

    def _again(self, ours: str, theirs: str, bad: set[str]) -> tuple[str, ...]:
        where = f"{self.remote}/{self.branch}"
        return redoing.commands(self.handle, ours, theirs, where, bad)

    def _joined(self, problems: Sequence[Problem]) -> set[str]:
        """Return the commits of this clone that bad steps were made of."""
        steps = {problem.commit for problem in problems if problem.commit}
        found = (self.repository.resolve(f"{step}^2") for step in steps)
        return {commit for commit in found if commit}


def _verb(count: int) -> str:
    return "changes" if count == 1 else "change"
