"""``pre-push``: what is about to leave, as those who get it will judge it.

A branch that holds the registry only grows, and by legal steps; and whatever branch it
is, the LFS objects that its commits name are on the remote when this returns. Advice
again: ``git push --no-verify`` skips it, and the server's own hook is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import added_blobs, first_parent_line, is_ancestor
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError, InputError
from gitmodel.formats.lfs_pointer import CUTOFF, Pointer
from gitmodel.operations.hooks.aspects import Refusal, aspect_of
from gitmodel.operations.hooks.merging import (
    joining,
    protected_branches,
    protects,
)
from gitmodel.operations.hooks.remedies import right_way
from gitmodel.registry import layout, state
from gitmodel.registry.steps import line_to
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.registry.handle import RegistryHandle

#: Unlike a merge by hand, it makes each commit a step of its own.
_SYNC = ("gitmodel sync",)
_BRANCHES = "refs/heads/"
_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Update:
    """What a push is to do to one ref of the remote.

    Attributes:
        ref: The remote's name of it.
        new: The commit that it will have; None to delete it.
        old: The commit that it has; None if there is no such ref.
    """

    ref: str
    new: str | None
    old: str | None

    @classmethod
    def parse(cls, line: str) -> Update:
        """Read one line that git writes to its hook.

        Raises:
            InputError: It is none.
        """
        fields = line.split(" ")
        if len(fields) != _FIELDS or not all(map(_is_object, fields[1::2])):
            raise InputError(
                f"This is not what git writes to a pre-push hook: {line!r}",
                "git push  starts it.",
            )
        _, new, ref, old = fields
        return cls(ref, _existing(new), _existing(old))

    @property
    def branch(self) -> str:
        """The short name of the branch; "" for any other ref."""
        name = self.ref.removeprefix(_BRANCHES)
        return name if name != self.ref else ""


def _is_object(text: str) -> bool:
    return len(text) in {40, 64} and not set(text) - set("0123456789abcdef")


def _existing(oid: str) -> str | None:
    return oid if int(oid, 16) else None


def judge_push(
    handle: RegistryHandle, remote: str, updates: Sequence[Update]
) -> tuple[Refusal, ...]:
    """Return everything that stands in the way of pushing ``updates``."""
    protected = protected_branches(handle.repository, remote)
    found: list[Refusal] = []
    for update in updates:
        if protects(protected, update.branch):
            found.extend(_judge_branch(handle, remote, update))
    return tuple(found)


def _judge_branch(
    handle: RegistryHandle, remote: str, update: Update
) -> Iterator[Refusal]:
    repository, branch = handle.repository, update.branch
    new, old = update.new, update.old
    if new is None:
        message = f"{branch} of {remote} holds the registry, and cannot be deleted."
        yield _refusal("E_REF_DELETED", message, ("git push origin :OTHER-BRANCH",))
        return
    if View(handle.reader, new).entry(layout.SETTINGS) is None and (
        old is None or not repository.resolve(old)
    ):
        return  # no registry
    join = joining(remote, branch)
    if old is not None and repository.resolve(old) is None:
        message = f"{branch} of {remote} has commits that this clone has not."
        yield _refusal("E_PUSH_REJECTED", message, _SYNC)
        return
    if old is not None and not is_ancestor(repository, old, new):
        message = (
            f"it does not descend from {old[:12]}, where {branch} of {remote} is: "
            "a forced push would throw signed commits away."
        )
        yield _refusal("E_FORCE_PUSH", message, join, new)
        return
    if old is not None and old != new:
        line = first_parent_line(repository, new, after=old)
        if line[-1][1] != old:
            message = (
                f"a merge puts other commits before {old[:12]}, where {branch} of "
                f"{remote} is; merge the other way round."
            )
            yield _refusal("E_FIRST_PARENT", message, _SYNC, new)
            return
    yield from _judge_steps(handle, new, old)


def _refusal(
    code: str, message: str, commands: tuple[str, ...], commit: str | None = None
) -> Refusal:
    problem = Problem(code, message, commit=commit)
    return Refusal(problem, aspect_of(problem), commands)


def _judge_steps(
    handle: RegistryHandle, new: str, old: str | None
) -> Iterator[Refusal]:
    """Judge each commit that the remote has not, and the tree that they lead to."""
    from gitmodel.operations.verification.additions import (  # noqa: PLC0415
        verify_additions,
    )
    from gitmodel.operations.verification.ancestry import (  # noqa: PLC0415
        verify_ancestry,
    )
    from gitmodel.operations.verification.findings import Findings  # noqa: PLC0415
    from gitmodel.operations.verification.history import judge_line  # noqa: PLC0415
    from gitmodel.operations.verification.scope import EVERYTHING  # noqa: PLC0415

    findings = Findings()
    view = View(handle.reader, new)
    after = old or _verified(handle, new)
    if after is not None and View(handle.reader, after).entry(layout.SETTINGS) is None:
        after = None
    line = line_to(handle.repository, new, after)
    try:
        judge_line(handle, findings, line, after)
        base = View(handle.reader, after) if after is not None else None
        if not findings.problems:
            verify_additions(handle.repository, view, findings, base)
            verify_ancestry(
                handle, findings, view, EVERYTHING, after=after, judged=True
            )
    except GitmodelError as error:
        findings.add_error(error, "")
    order = {commit: number for number, (commit, _) in enumerate(line)}
    first = min(
        (p.commit for p in findings.problems if p.commit in order),
        key=lambda commit: order[str(commit)],
        default=None,
    )
    for problem in findings.problems:
        way = right_way(problem.path, None) if problem.path else ""
        undo = f"git reset --keep {(first or new)[:12]}~1"
        commands = (undo, way) if way else (undo,)
        yield Refusal(problem, aspect_of(problem), commands)


def _verified(handle: RegistryHandle, new: str) -> str | None:
    """Return the commit before ``new`` that this clone has verified; None for none."""
    known = state.read(handle.repository)
    if known is None or not handle.repository.resolve(known.commit):
        return None
    if not is_ancestor(handle.repository, known.commit, new):
        return None
    return known.commit


def bring_objects(
    handle: RegistryHandle, remote: str, url: str, updates: Sequence[Update]
) -> int:
    """See that the remote has every LFS object that the pushed commits name.

    What this clone has is hashed, so that no altered bytes leave it, and uploaded. What
    it has not must be on the remote already.

    Returns:
        How many objects there are.

    Raises:
        IntegrityError: Bytes here are not what their pointer says, or the registry
            sends LFS traffic to a server of its own choice.
        NotFoundError: Neither this clone nor the remote has an object.
        OutsideError: git-lfs is missing or failed.
    """
    pointers = _pointers(handle, remote, updates)
    if not pointers:
        return 0
    from gitmodel.adapters.lfs import transfer  # noqa: PLC0415
    from gitmodel.adapters.lfs.store import State, as_error  # noqa: PLC0415
    from gitmodel.registry.lfs_config import (  # noqa: PLC0415
        require_no_redirection,
    )

    for update in updates:
        if update.new is not None:
            view = View(handle.reader, update.new)
            require_no_redirection(handle.repository, view, uploads=True)
    store = handle.store
    missing = [p for p in pointers if store.state(p.digest, p.size) is State.MISSING]
    here = [pointer for pointer in pointers if pointer not in missing]
    if problems := [each for each in store.verify_all(here) if each is not None]:
        raise as_error(problems)
    directory = handle.repository.work_tree or handle.repository.git_dir
    if here:
        transfer.push_objects(directory, remote, here)
    if missing:
        lines = [
            f"{u.ref} {u.new} {u.ref} {u.old or '0' * len(u.new)}"
            for u in updates
            if u.new is not None
        ]
        transfer.pre_push(directory, remote, url, lines)
    return len(pointers)


def _pointers(
    handle: RegistryHandle, remote: str, updates: Sequence[Update]
) -> list[Pointer]:
    """Return what the commits name that no branch of the remote is known to have."""
    repository = handle.repository
    have = [update.old for update in updates if update.old is not None]
    if not have:
        listed = repository.git.run(
            "for-each-ref", "--format=%(objectname)", f"refs/remotes/{remote}/"
        )
        have = listed.decode().split()
    found: dict[Pointer, None] = {}
    for update in updates:
        if update.new is None or repository.resolve(update.new) is None:
            continue
        blobs = added_blobs(repository, update.new, have, below=CUTOFF)
        for blob in handle.reader.read_many(blobs):
            pointer = Pointer.parse(blob.data)
            if pointer is not None and pointer.size:
                found[pointer] = None
    return list(found)
